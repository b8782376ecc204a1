import { type Case, get, request } from '../harness/case.ts'
import { config, filter, perFilter, routes, wrapped } from './filter-configs.ts'

type Fields = Record<string, unknown>

const any = { any: true }
const policy = (permissions: Fields[], principals: Fields[] = [any]) => ({ permissions, principals })
const rules = (policies: Fields, action = 'ALLOW') => ({ action, policies })
const rbac = (fields: Fields, more: Fields = {}) => [filter('rbac', 'rbac.v3.RBAC', fields, more)]
const header = (name: string, exact: string) => ({ header: { name, string_match: { exact } } })
const ofRoute = (fields: Fields) => perFilter('rbac', config('rbac.v3.RBACPerRoute', fields))
const range = (address_prefix: string, prefix_len: number) => ({ address_prefix, prefix_len })

/** One permission decides: each path is one case. */
const permissions: Record<string, (port: number) => Fields> = {
  any: () => any,
  header: () => header('x-role', 'admin'),
  path: () => ({ url_path: { path: { exact: '/path' } } }),
  ip: () => ({ destination_ip: range('127.0.0.0', 8) }),
  'ip-not': () => ({ destination_ip: range('10.0.0.0', 8) }),
  port: port => ({ destination_port: port }),
  'port-not': port => ({ destination_port: port + 1 }),
  ports: port => ({ destination_port_range: { start: port, end: port + 1 } }),
  'ports-not': port => ({ destination_port_range: { start: port - 1, end: port } }),
  not: () => ({ not_rule: any }),
  and: () => ({ and_rules: { rules: [any, header('x-role', 'admin')] } }),
  or: () => ({ or_rules: { rules: [{ not_rule: any }, header('x-role', 'admin')] } }),
  sni: () => ({ requested_server_name: { exact: 'x' } }),
  'sni-none': () => ({ requested_server_name: { exact: '' } }),
}
const principals: Record<string, Fields> = {
  source: { source_ip: range('127.0.0.1', 32) },
  direct: { direct_remote_ip: range('127.0.0.1', 32) },
  remote: { remote_ip: range('192.0.2.0', 24) },
  'remote-not': { remote_ip: range('127.0.0.0', 8) },
  header: header('x-user', 'ann'),
  path: { url_path: { path: { prefix: '/path' } } },
  authenticated: { authenticated: {} },
  named: { authenticated: { principal_name: { exact: 'x' } } },
  not: { not_id: { authenticated: {} } },
  and: { and_ids: { ids: [any, header('x-user', 'ann')] } },
  or: { or_ids: { ids: [{ authenticated: {} }, header('x-user', 'ann')] } },
}

const input = (name: string) => ({
  name: 'input',
  typed_config: { '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput', header_name: name },
})
const network = (type: string) => ({
  name: 'input',
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.${type}` },
})
const single = (header: string, value_match: Fields) => ({ single_predicate: { input: input(header), value_match } })
const action = (name: string, act: string) => ({
  action: {
    name: 'action',
    typed_config: { '@type': 'type.googleapis.com/envoy.config.rbac.v3.Action', name, action: act },
  },
})
const list = (matchers: [Fields, Fields][], otherwise?: Fields) => ({
  matcher_list: { matchers: matchers.map(([predicate, on_match]) => ({ predicate, on_match })) },
  ...(otherwise && { on_no_match: otherwise }),
})

export const rbacCases: Case[] = [
  {
    name: 'rbac: allow, deny, log',
    covers:
      '403 RBAC: access denied, rbac_access_denied_matched_policy[…], allowed and denied; without rules nobody is asked',
    config: {
      filters: rbac({ rules: rules({ admins: policy([header('x-role', 'admin')]) }) }),
      tracing: {},
      routes: routes({
        '/deny': ofRoute({
          rbac: {
            rules: rules({ 'no admins': policy([header('x-role', 'admin')]), b: policy([header('x-b', '1')]) }, 'DENY'),
          },
        }),
        '/log': ofRoute({ rbac: { rules: rules({ admins: policy([header('x-role', 'admin')]) }, 'LOG') } }),
        '/none': ofRoute({ rbac: {} }),
        '/off': ofRoute({}),
        '/empty': ofRoute({ rbac: { rules: {} } }),
      }),
    },
    steps: [
      ...['/', '/deny', '/log', '/none', '/off', '/empty'].flatMap(path => [
        { send: get(path, { 'x-role': 'admin' }) },
        { send: get(path, { 'x-role': 'guest' }) },
      ]),
      { send: get('/deny', { 'x-b': '1' }) },
      { send: request('POST', '/', {}, 'body') },
    ],
    spans: 14,
  },
  {
    name: 'rbac: every permission',
    covers: 'any, header, url_path, destination_ip, destination_port, _range, not, and, or, requested_server_name',
    config: ports => ({
      filters: rbac({}),
      routes: routes(
        Object.fromEntries(
          Object.entries(permissions).map(([name, make]) => [
            `/${name}/`,
            ofRoute({ rbac: { rules: rules({ p: policy([make(ports.listener)]) }) } }),
          ]),
        ),
      ),
    }),
    steps: [
      ...Object.keys(permissions).flatMap(name => [
        { send: get(`/${name}/`, { 'x-role': 'admin' }) },
        { send: get(`/${name}/`) },
      ]),
      { send: get('/path?query') },
    ],
  },
  {
    name: 'rbac: every principal',
    covers: 'source_ip, direct_remote_ip, remote_ip, header, url_path, authenticated without TLS, not, and, or',
    config: {
      filters: rbac({}),
      routes: routes(
        Object.fromEntries(
          Object.entries(principals).map(([name, principal]) => [
            `/${name}/`,
            ofRoute({ rbac: { rules: rules({ p: policy([any], [principal]) }) } }),
          ]),
        ),
      ),
    },
    steps: Object.keys(principals).flatMap(name => [
      { send: get(`/${name}/`, { 'x-user': 'ann', 'x-forwarded-for': '192.0.2.9' }) },
      { send: get(`/${name}/`) },
    ]),
  },
  {
    name: 'rbac: in the shadow',
    covers: 'shadow_rules: shadow_allowed, shadow_denied, nothing is enforced; prefixes of both; per rule',
    config: {
      filters: rbac({
        rules: rules({ all: policy([any]) }),
        rules_stat_prefix: 'mine',
        shadow_rules: rules({ admins: policy([header('x-role', 'admin')]) }),
        shadow_rules_stat_prefix: 'shadow',
        track_per_rule_stats: true,
      }),
      routes: routes({
        '/route': ofRoute({
          rbac: {
            rules: rules({ ours: policy([header('x-role', 'admin')]) }),
            rules_stat_prefix: 'route',
            track_per_rule_stats: true,
          },
        }),
      }),
    },
    steps: ['/', '/route'].flatMap(path => [{ send: get(path, { 'x-role': 'admin' }) }, { send: get(path) }]),
  },
  {
    name: 'rbac: several policies',
    covers: 'asked in the order of their names',
    config: {
      filters: rbac({
        rules: rules(
          { b: policy([any]), a: policy([header('x-a', '1')]), 'a b': policy([header('x-b', '1')]) },
          'DENY',
        ),
      }),
    },
    steps: [{ send: get('/', { 'x-a': '1' }) }, { send: get('/', { 'x-b': '1' }) }, { send: get('/') }],
  },
  {
    name: 'rbac: a matcher',
    covers: 'list of predicates with not, and, or; actions; what matches nothing is denied; a shadow of it',
    config: {
      filters: rbac({
        matcher: list(
          [
            [{ not_matcher: single('x-ok', { safe_regex: { google_re2: {}, regex: '.*' } }) }, action('no-ok', 'DENY')],
            [
              { and_matcher: { predicate: [single('x-ok', { exact: '1' }), single('x-two', { prefix: 'a' })] } },
              action('both', 'ALLOW'),
            ],
            [
              { or_matcher: { predicate: [single('x-ok', { exact: '2' }), single('x-two', { suffix: 'z' })] } },
              { matcher: list([[single('x-three', { contains: 'deep' }), action('deep', 'DENY')]]) },
            ],
            [single('x-ok', { exact: '2' }), action('two', 'ALLOW')],
          ],
          action('otherwise', 'DENY'),
        ),
        shadow_matcher: list([[single('x-ok', { exact: '1' }), action('one', 'DENY')]]),
      }),
    },
    steps: [
      { send: get('/') },
      { send: get('/', { 'x-ok': '1', 'x-two': 'abc' }) },
      { send: get('/', { 'x-ok': '1' }) },
      { send: get('/', { 'x-ok': '2', 'x-three': 'so deep' }) },
      { send: get('/', { 'x-ok': '2' }) },
      { send: get('/', { 'x-ok': '3' }) },
    ],
  },
  {
    name: 'rbac: a matcher that is a tree',
    covers: 'exact and prefix maps; addresses and ports as input; nothing matches',
    config: {
      filters: rbac({
        matcher: {
          matcher_tree: { input: input(':path'), exact_match_map: { map: { '/exact': action('exact', 'ALLOW') } } },
        },
      }),
      routes: routes({
        '/prefix': ofRoute({
          rbac: {
            matcher: {
              matcher_tree: {
                input: input(':path'),
                prefix_match_map: {
                  map: { '/prefix': action('short', 'DENY'), '/prefix/a': action('long', 'ALLOW') },
                },
              },
            },
          },
        }),
        '/ip': ofRoute({
          rbac: {
            matcher: {
              matcher_tree: {
                input: network('DirectSourceIPInput'),
                exact_match_map: { map: { '127.0.0.1': action('local', 'ALLOW') } },
              },
            },
          },
        }),
        '/log': ofRoute({
          rbac: {
            matcher: {
              matcher_tree: { input: input('x-none'), exact_match_map: { map: { a: action('a', 'ALLOW') } } },
              on_no_match: action('log', 'LOG'),
            },
          },
        }),
      }),
    },
    steps: ['/exact', '/other', '/prefix', '/prefix/a/b', '/ip', '/log'].map(path => ({ send: get(path) })),
  },
  {
    name: 'rbac: a filter that is off but for some routes',
    covers: 'disabled of a filter, FilterConfig that switches it on or off',
    config: {
      filters: rbac({ rules: rules({}) }, { disabled: true }),
      routes: routes({
        '/on': perFilter('rbac', wrapped({ config: config('rbac.v3.RBACPerRoute', { rbac: { rules: rules({}) } }) })),
        '/plain': ofRoute({ rbac: { rules: rules({}) } }),
        '/off': perFilter('rbac', wrapped({ disabled: true })),
      }),
    },
    steps: ['/on', '/plain', '/off', '/'].map(path => ({ send: get(path) })),
  },
]
