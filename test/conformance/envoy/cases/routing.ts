import { type Case, get, request } from '../harness/case.ts'
import { cluster } from '../harness/config.ts'
import { echo, ok } from '../harness/upstream.ts'

const answer = (name: string) => ({ direct_response: { status: 200, body: { inline_string: name } } })
const domain = (...domains: string[]) => ({
  name: domains[0],
  domains,
  routes: [{ match: { prefix: '/' }, ...answer(domains[0]!) }],
})

export const routingCases: Case[] = [
  {
    name: 'virtual hosts',
    covers: 'exact, longest suffix, longest prefix, star; port is part; case folded; wildcards need a character',
    config: {
      virtualHosts: [
        domain('exact.test'),
        domain('*.test'),
        domain('*.longer.test'),
        domain('*-dash.longer.test'),
        domain('www.*'),
        domain('www.foo.*'),
        domain('port.test:8080'),
        domain('*'),
      ],
    },
    steps: [
      'exact.test',
      'EXACT.test',
      'a.test',
      'a.longer.test',
      'a-dash.longer.test',
      'www.x',
      'www.foo.org',
      'port.test',
      'port.test:8080',
      'exact.test:80',
      '.test',
      'nothing',
    ].map(host => ({ send: get('/', { host }) })),
  },
  {
    name: 'port ignored in host matching',
    covers: 'ignore_port_in_host_matching',
    config: { routeConfig: { ignore_port_in_host_matching: true }, virtualHosts: [domain('exact.test'), domain('*')] },
    steps: [{ send: get('/', { host: 'exact.test:8080' }) }, { send: get('/', { host: 'exact.test' }) }],
  },
  {
    name: 'prefix and path',
    covers: 'prefix /a matches /ab; path is whole and without query; first match wins; case_sensitive',
    config: {
      routes: [
        { match: { path: '/exact' }, ...answer('exact') },
        { match: { prefix: '/a' }, ...answer('a') },
        { match: { prefix: '/a/b' }, ...answer('never') },
        { match: { prefix: '/CASE', case_sensitive: false }, ...answer('case') },
        { match: { path: '/Whole', case_sensitive: false }, ...answer('whole') },
      ],
    },
    steps: [
      '/exact',
      '/exact?q=1',
      '/exact/',
      '/a',
      '/ab',
      '/a/b',
      '/case/x',
      '/CaSe',
      '/whole?x',
      '/WHOLE',
      '/A',
      '/exactly',
    ].map(path => ({ send: get(path) })),
  },
  {
    name: 'header matches',
    covers: 'exact, presence, absence, invert, pseudo headers',
    config: {
      routes: [
        { match: { prefix: '/', headers: [{ name: 'x-version', string_match: { exact: 'v2' } }] }, ...answer('exact') },
        {
          match: { prefix: '/', headers: [{ name: 'x-case', string_match: { exact: 'Loud', ignore_case: true } }] },
          ...answer('ignore-case'),
        },
        {
          match: { prefix: '/', headers: [{ name: ':method', string_match: { exact: 'DELETE' } }] },
          ...answer('delete'),
        },
        {
          match: {
            prefix: '/',
            headers: [
              { name: 'x-here', present_match: true },
              { name: 'x-gone', present_match: false },
            ],
          },
          ...answer('present'),
        },
        {
          match: { prefix: '/', headers: [{ name: 'x-inverted', string_match: { exact: 'no' }, invert_match: true }] },
          ...answer('inverted'),
        },
        { match: { prefix: '/' }, ...answer('rest') },
      ],
    },
    steps: [
      { send: get('/', { 'x-version': 'v2' }) },
      { send: get('/', { 'x-version': 'V2', 'x-inverted': 'no' }) },
      { send: get('/', { 'x-case': 'lOUD' }) },
      { send: request('DELETE', '/') },
      { send: get('/', { 'x-here': '' }) },
      { send: get('/', { 'x-here': '1', 'x-gone': '1', 'x-inverted': 'no' }) },
      { send: get('/', { 'x-inverted': 'no' }) },
      { send: get('/') },
    ],
  },
  {
    name: 'prefix rewrite',
    covers: 'x-envoy-original-path, query kept',
    upstreams: { app: echo },
    config: {
      routes: [
        { match: { prefix: '/api/' }, route: { cluster: 'app', prefix_rewrite: '/' } },
        { match: { path: '/one' }, route: { cluster: 'app', prefix_rewrite: '/two' } },
      ],
    },
    steps: [{ send: get('/api/v1/x?q=1') }, { send: get('/one?q') }],
  },
  {
    name: 'host rewrite',
    covers: 'host_rewrite_literal, x-envoy-original-host, append_x_forwarded_host',
    upstreams: { app: echo },
    config: {
      routes: [
        { match: { prefix: '/plain' }, route: { cluster: 'app', host_rewrite_literal: 'inner.test' } },
        {
          match: { prefix: '/' },
          route: { cluster: 'app', host_rewrite_literal: 'inner.test', append_x_forwarded_host: true },
        },
      ],
    },
    steps: [{ send: get('/plain') }, { send: get('/') }, { send: get('/', { 'x-forwarded-host': 'outer.test' }) }],
  },
  {
    name: 'suppressed envoy headers',
    covers: 'router suppress_envoy_headers',
    upstreams: { app: echo },
    config: {
      router: { suppress_envoy_headers: true },
      routes: [{ match: { prefix: '/api/' }, route: { cluster: 'app', prefix_rewrite: '/' } }],
    },
    steps: [{ send: get('/api/x') }],
  },
  {
    name: 'a cluster of weight zero',
    covers: 'weighted_clusters: weight 0 is never chosen; its header mutations',
    upstreams: { app: echo, never: ok('never') },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          route: {
            weighted_clusters: {
              clusters: [
                { name: 'never', weight: 0 },
                {
                  name: 'app',
                  weight: 100,
                  request_headers_to_add: [{ header: { key: 'x-picked', value: '%REQ(x-a)%app' } }],
                  response_headers_to_add: [{ header: { key: 'x-cluster', value: 'app' } }],
                },
              ],
            },
          },
        },
      ],
    },
    steps: [{ send: get('/', { 'x-a': '1' }) }, { send: get('/') }, { send: get('/') }],
  },
  {
    name: 'weights of the runtime',
    covers: 'runtime_key_prefix',
    upstreams: { app: ok('app'), other: ok('other') },
    config: {
      runtime: { canary: { app: 0, other: 100 } },
      routes: [
        {
          match: { prefix: '/' },
          route: {
            weighted_clusters: {
              runtime_key_prefix: 'canary',
              clusters: [
                { name: 'app', weight: 100 },
                { name: 'other', weight: 0 },
              ],
            },
          },
        },
      ],
    },
    steps: [{ send: get('/') }, { send: get('/') }],
  },
  {
    name: 'an alternative stat name',
    covers: 'alt_stat_name in stats and log',
    config: { app: { alt_stat_name: 'known_as' } },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a name that resolves',
    covers: 'STRICT_DNS with localhost: x host, stats membership',
    config: ports => ({
      clusters: [
        {
          ...cluster('named', 1),
          type: 'STRICT_DNS',
          dns_lookup_family: 'V4_ONLY',
          load_assignment: {
            cluster_name: 'named',
            endpoints: [
              {
                lb_endpoints: [
                  {
                    endpoint: { address: { socket_address: { address: 'localhost', port_value: ports.upstream.app } } },
                  },
                ],
              },
            ],
          },
        },
      ],
      routes: [{ match: { prefix: '/' }, route: { cluster: 'named', auto_host_rewrite: true } }],
    }),
    upstreams: { app: echo },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a direct response above four KiB',
    covers: 'max_direct_response_body_size_bytes',
    config: {
      routeConfig: { max_direct_response_body_size_bytes: 6000 },
      routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'x'.repeat(6000) } } }],
    },
    steps: [{ send: get('/') }],
  },
]
