import { loadBootstrap } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { RequestHeaders } from '../http/headers.ts'
import { stripPort } from '../http/strip-host.ts'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'
import type { StreamInfo } from '../stream-info.ts'
import { compileRoutes, type RouteTable } from './compile-routes.ts'
import { findRoute as find } from './find-route.ts'

/** A table from a piece of Envoy's YAML (flow style), as the sidecar would make it. */
function table(virtualHosts: string, fields = '') {
  const loaded = loadBootstrap({
    yaml: `
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config: {name: r, ${fields} virtual_hosts: ${virtualHosts}}
          http_filters:
          - {name: router, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters: [{name: a}, {name: b}]
`,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { routeConfig } = loaded.bootstrap.snapshot.listeners[0]!.filterChains[0]!.httpConnectionManager
  return compileRoutes(routeConfig, new Runtime(loaded.bootstrap.runtime), new Stats())
}

const findRoute = (routes: RouteTable, headers: RequestHeaders, draw = 0) =>
  find(routes, headers, { draw: () => draw, info: {} as StreamInfo })

function request(authority: string, path = '/', fields: string[] = [], method = 'GET') {
  const headers = new RequestHeaders(fields)
  return Object.assign(headers, { authority, path, method })
}

const anyHost = (domains: string, name: string) =>
  `{name: ${name}, domains: ${domains}, routes: [{name: ${name}, match: {prefix: /}, direct_response: {status: 200}}]}`

const HOSTS = `[${[
  anyHost('["*"]', 'any'),
  anyHost('["Example.test", "with.port:8080"]', 'exact'),
  anyHost('["*.example.test"]', 'suffix'),
  anyHost('["*.b.example.test", "*-x.test"]', 'longer-suffix'),
  anyHost('["example.*"]', 'prefix'),
  anyHost('["example.test.*"]', 'longer-prefix'),
].join(', ')}]`

test.each([
  ['example.test', 'exact'],
  ['EXAMPLE.test', 'exact'],
  ['with.port:8080', 'exact'],
  ['with.port', 'any'],
  // The port is part of the name.
  ['example.test:80', 'prefix'],
  ['a.example.test', 'suffix'],
  ['a.c.example.test', 'suffix'],
  ['a.b.example.test', 'longer-suffix'],
  ['foo-x.test', 'longer-suffix'],
  // A wildcard stands for at least one character.
  ['.example.test', 'any'],
  ['-x.test', 'any'],
  ['example.', 'any'],
  ['example.org', 'prefix'],
  ['example.test.org', 'longer-prefix'],
  // A suffix beats a prefix.
  ['example.a.example.test', 'suffix'],
  ['', 'any'],
])('host %j is served by %s', (authority, name) => {
  expect(findRoute(table(HOSTS), request(authority))?.route.name).toBe(name)
})

test('ignore_port_in_host_matching: any port, also after IPv6', () => {
  const routes = table(
    `[${anyHost('["example.test"]', 'name')}, ${anyHost('["[::1]"]', 'ipv6')}]`,
    'ignore_port_in_host_matching: true,',
  )
  const of = (authority: string) => findRoute(routes, request(authority))?.route.name
  expect(['example.test', 'example.test:81', '[::1]', '[::1]:80', 'other'].map(of)).toEqual(['name', 'name', 'ipv6', 'ipv6', undefined]) // biome-ignore format: one line
})

test('only the chosen virtual host is asked, also when it has no route and `*` would', () => {
  const routes = table(
    `[{name: one, domains: [one.test], routes: [{match: {path: /one}, direct_response: {status: 200}}]}, ${anyHost('["*"]', 'any')}]`,
  )
  expect(findRoute(routes, request('one.test', '/other'))).toBeUndefined()
  expect(findRoute(routes, request('two.test', '/other'))?.route.name).toBe('any')
})

const route = (name: string, match: string) => `{name: "${name}", match: {${match}}, direct_response: {status: 200}}`
const routesOf = (...routes: string[]) => table(`[{name: v, domains: ["*"], routes: [${routes.join(', ')}]}]`)

test.each<[match: string, takes: string[], refuses: string[]]>([
  ['prefix: /foo', ['/foo', '/foobar', '/foo/x', '/foo?x', '/foo#f'], ['/Foo', '/', '/x/foo', '/?/foo']],
  ['prefix: /', ['/', '/x', '/?'], ['*', '']],
  ['prefix: ""', ['/', '*'], []],
  ['path: /foo', ['/foo', '/foo?x=1', '/foo?'], ['/foo/', '/foobar', '/FOO', '/']],
  ['path: /Foo, case_sensitive: false', ['/foo', '/FOO?Q'], ['/foo/']],
  ['prefix: /Foo, case_sensitive: false', ['/foo', '/FOOBAR'], ['/fo']],
  [
    'path_separated_prefix: /foo',
    ['/foo', '/foo/', '/foo/x', '/foo?q', '/foo#f'],
    ['/foobar', '/fo', '/Foo', '/x/foo'],
  ],
  ['path_separated_prefix: /foo, case_sensitive: false', ['/FOO', '/Foo/x'], ['/foobar']],
  [
    'safe_regex: {regex: "/a[0-9]+(/b)?"}',
    ['/a1', '/a22/b', '/a1?q', '/a1#f'],
    ['/a', '/a1/', '/x/a1', '/A1', '/a1/b/c'],
  ],
  ['safe_regex: {regex: "(?i)/a.*"}', ['/A', '/abc'], ['/b']],
  ['safe_regex: {regex: "/é."}', ['/\xc3\xa9\xc3\xa9'], ['/\xe9x']],
  ['prefix: /é', ['/\xc3\xa9x'], ['/\xe9x']],
  ['prefix: /, query_parameters: [{name: q}]', ['/?q', '/?q=1', '/?a&q'], ['/', '/q', '/?Q', '/?qq']],
  [
    'prefix: /, query_parameters: [{name: q, string_match: {prefix: a}}]',
    ['/?q=ab', '/?q=a&q=b'],
    ['/?q', '/', '/?q=b&q=a'],
  ],
  ['prefix: /, query_parameters: [{name: q, present_match: false}]', ['/'], ['/?q']],
])('match {%s}', (match, takes, refuses) => {
  const routes = routesOf(route('r', match))
  const taken = (path: string) => findRoute(routes, request('a', path)) !== undefined
  expect(takes.filter(path => !taken(path))).toEqual([])
  expect(refuses.filter(taken)).toEqual([])
})

test('in the order written, the first that matches wins', () => {
  const routes = routesOf(route('short', 'prefix: /a'), route('long', 'prefix: /a/b'), route('all', 'prefix: /'))
  expect(['/a/b', '/b'].map(path => findRoute(routes, request('a', path))?.route.name)).toEqual(['short', 'all'])
})

/** Each matcher on: no field; `x: 1`; `x: 2`; both, as two fields. */
test.each<[matcher: string, taken: [none: boolean, one: boolean, two: boolean, both: boolean]]>([
  ['name: x, string_match: {exact: "1"}', [false, true, false, true]],
  ['name: X, string_match: {exact: "1"}', [false, true, false, true]],
  ['name: x, string_match: {exact: "1"}, invert_match: true', [false, false, true, false]],
  ['name: x, present_match: true', [false, true, true, true]],
  ['name: x, present_match: false', [true, false, false, false]],
  ['name: x, present_match: true, invert_match: true', [true, false, false, false]],
  ['name: x', [false, true, true, true]],
  ['name: x, string_match: {safe_regex: {regex: "[13]"}}', [false, true, false, true]],
  ['name: x, string_match: {prefix: "1"}', [false, true, false, true]],
  ['name: x, string_match: {suffix: "2"}, invert_match: true', [false, true, false, false]],
  ['name: x, string_match: {contains: "2"}', [false, false, true, true]],
  ['name: x, range_match: {start: 1, end: 2}', [false, true, false, true]],
  ['name: x, string_match: {exact: ""}, treat_missing_header_as_empty: true', [true, false, false, false]],
  [
    'name: x, string_match: {exact: "1"}, treat_missing_header_as_empty: true, invert_match: true',
    [true, false, true, false],
  ],
])('header {%s}', (matcher, taken) => {
  const routes = routesOf(route('r', `prefix: /, headers: [{${matcher}}]`))
  const requests = [[], ['x', '1'], ['x', '2'], ['x', '2', 'x', '1']]
  expect(requests.map(fields => findRoute(routes, request('a', '/', fields)) !== undefined)).toEqual(taken)
})

test('several headers have all to match; pseudo headers too, and letters of either case where asked', () => {
  const routes = routesOf(
    route(
      'both',
      'prefix: /, headers: [{name: x, present_match: true}, {name: ":method", string_match: {exact: POST}}]',
    ),
    route('host', 'prefix: /, headers: [{name: ":authority", string_match: {exact: A.test, ignore_case: true}}]'),
    route('path', 'prefix: /, headers: [{name: ":path", string_match: {exact: "/p?q"}}]'),
  )
  const name = (...args: Parameters<typeof request>) => findRoute(routes, request(...args))?.route.name
  expect(name('b', '/', ['x', '1'], 'POST')).toBe('both')
  expect(name('b', '/', ['x', '1'], 'GET')).toBeUndefined()
  expect(name('a.TEST')).toBe('host')
  expect(name('b', '/p?q')).toBe('path')
})

test.each<[matcher: string, taken: string[], refused: string[]]>([
  ['range_match: {start: -10, end: 10}', ['-10', '9', '+3', ' 4 ', '007'], ['10', '-11', '', 'x', '1.5', '0x1', '1e0']],
  ['string_match: {exact: É, ignore_case: true}', ['\xc3\x89'], ['\xc3\xa9', '\xc9']],
])('header x {%s}', (matcher, taken, refused) => {
  const routes = routesOf(route('r', `prefix: /, headers: [{name: x, ${matcher}}]`))
  const takes = (value: string) => findRoute(routes, request('a', '/', ['x', value])) !== undefined
  expect([taken.filter(value => !takes(value)), refused.filter(takes)]).toEqual([[], []])
})

test('a share of the requests, by their own number; the runtime changes it', () => {
  const routes = routesOf(
    route('half', 'prefix: /, runtime_fraction: {runtime_key: k, default_value: {numerator: 50}}'),
    route('rest', 'prefix: /'),
  )
  const of = (draw: number) => findRoute(routes, request('a'), draw)?.route.name
  expect([0, 49, 50, 99, 149].map(of)).toEqual(['half', 'half', 'rest', 'rest', 'half'])
})

test('a cookie', () => {
  const routes = routesOf(route('r', 'prefix: /, cookies: [{name: c, string_match: {exact: "1"}}]'))
  const takes = (...cookies: string[]) =>
    findRoute(
      routes,
      request(
        'a',
        '/',
        cookies.flatMap(one => ['cookie', one]),
      ),
    ) !== undefined
  expect([takes('c=1'), takes('a=2; c=1'), takes('c="1"'), takes('a=2', 'c=1')]).toEqual([true, true, true, true])
  expect([takes(), takes('c=2'), takes('cc=1'), takes('c=2; c=1')]).toEqual([false, false, false, false])
})

test('the route has its retry policy, else its virtual host', () => {
  const routes = table(
    '[{name: v, domains: ["*"], retry_policy: {retry_on: reset}, routes: [' +
      '{match: {path: /own}, route: {cluster: a, retry_policy: {retry_on: 5xx, num_retries: 2}}}, ' +
      '{match: {prefix: /}, route: {cluster: a}}]}]',
  )
  const policy = (path: string) => findRoute(routes, request('a', path))?.retryPolicy?.retryOn
  expect([policy('/own'), policy('/')]).toEqual([['5xx'], ['reset']])
})

test.each([
  ['a:80', 'a'],
  ['a', 'a'],
  ['[::1]:80', '[::1]'],
  ['[::1]', '[::1]'],
  ['', ''],
])('stripPort(%j) is %j', (host, expected) => {
  expect(stripPort(host)).toBe(expected)
})
