import { type Case, get, request } from '../harness/case.ts'
import { echo, ok, status } from '../harness/upstream.ts'
import { ALWAYS, config, filter, perFilter, routes, wrapped } from './filter-configs.ts'

type Fields = Record<string, unknown>

const exact = (...names: string[]) => ({ patterns: names.map(name => ({ exact: name })) })
const NAMESPACE = 'envoy.filters.http.ext_authz'

/** A filter that may change what routes match: the header x-user, and the metadata x-kind. */
const authz = (fields: Fields = {}) =>
  filter('ext_authz', 'ext_authz.v3.ExtAuthz', {
    transport_api_version: 'V3',
    http_service: {
      server_uri: { uri: 'http://auth.test', cluster: 'auth', timeout: '0.25s' },
      authorization_response: {
        allowed_upstream_headers: exact('x-user'),
        dynamic_metadata_from_headers: exact('x-kind'),
      },
    },
    clear_route_cache: true,
    ...fields,
  })

const ann = [{ name: 'x-user', string_match: { exact: 'ann' } }]
const upstreams = { app: echo, vip: echo, auth: ok('yes', 'x-user: ann\r\nx-kind: gold\r\n') }

/** The route that a request has at first, and the one that it has with the header. */
const twoRoutes = (first: Fields, then: Fields): Fields[] => [
  { name: 'vip', match: { prefix: '/', headers: ann }, route: { cluster: 'vip' }, ...then },
  { name: 'rest', match: { prefix: '/' }, route: { cluster: 'app' }, ...first },
]

const kind = (value: Fields, more: Fields = {}) => ({ filter: NAMESPACE, path: [{ key: 'x-kind' }], value, ...more })
const metadataMatchers: Record<string, Fields> = {
  exact: kind({ string_match: { exact: 'gold' } }),
  inverted: kind({ string_match: { exact: 'iron' } }, { invert: true }),
  present: kind({ present_match: true }),
  absent: kind({ present_match: false }),
  null: kind({ null_match: {} }),
  number: kind({ double_match: { exact: 1 } }),
  bool: kind({ bool_match: true }),
  or: kind({ or_match: { value_matchers: [{ bool_match: true }, { string_match: { prefix: 'go' } }] } }),
  list: kind({ list_match: { one_of: { string_match: { exact: 'gold' } } } }),
  other: { filter: 'other', path: [{ key: 'a' }], value: { present_match: false } },
  range: {
    filter: NAMESPACE,
    path: [{ key: 'ext_authz_duration' }],
    value: { double_match: { range: { start: 0, end: 1e6 } } },
  },
  deep: { filter: NAMESPACE, path: [{ key: 'x-kind' }, { key: 'y' }], value: { present_match: true } },
}

const decorated = (operation: string, more: Fields = {}) => ({ decorator: { operation, ...more } })
const share = (numerator: number) => ({ numerator, denominator: 'HUNDRED' })

/** One request that is decorated by its first route and by the one it gets. */
const decorators = (name: string, first: Fields, then: Fields, more: Fields = {}, headers = {}): Case => ({
  name: `clear_route_cache: decorators, ${name}`,
  covers: 'span names and x-envoy-decorator-operation are those of the new route',
  upstreams,
  config: { filters: [authz()], tracing: {}, routes: twoRoutes(first, then), ...more },
  steps: [{ send: get('/', headers) }],
  spans: 2,
})
const OUTBOUND = { listener: { traffic_direction: 'OUTBOUND' } }

/** Requests that are sampled by chance, because their client asks for it, and because their caller is. */
const sampling = (name: string, first: Fields, then: Fields, spans: number): Case => ({
  name: `clear_route_cache: sampling, ${name}`,
  covers: 'a trace is decided on again by the new route, and counted once',
  upstreams,
  config: { filters: [authz()], tracing: {}, routes: twoRoutes({ tracing: first }, { tracing: then }) },
  steps: [
    { send: get('/') },
    { send: get('/', { 'x-client-trace-id': 'a' }) },
    { send: get('/', { 'x-b3-traceid': '0000000000000001', 'x-b3-spanid': '0000000000000002', 'x-b3-sampled': '1' }) },
  ],
  spans,
})

export const reroutingCases: Case[] = [
  {
    name: 'clear_route_cache: a header that chooses another route',
    covers: 'cluster, response headers and tags of the new route; the verdict is counted for the old one',
    upstreams,
    config: {
      filters: [authz()],
      tracing: {},
      routes: twoRoutes(
        { response_headers_to_add: [{ header: { key: 'x-rest', value: '1' } }] },
        {
          tracing: { custom_tags: [{ tag: 'of', literal: { value: 'vip' } }] },
          response_headers_to_add: [{ header: { key: 'x-route', value: '%ROUTE_NAME% %UPSTREAM_CLUSTER%' } }],
        },
      ),
    },
    steps: [{ send: get('/') }, { send: request('POST', '/', {}, 'body') }],
    spans: 4,
  },
  {
    name: 'without clear_route_cache: the first route stays',
    covers: 'headers of filters, header_mutation’s among them, lead nowhere else',
    upstreams,
    config: {
      filters: [
        authz({ clear_route_cache: false }),
        filter('header_mutation', 'header_mutation.v3.HeaderMutation', {
          mutations: { request_mutations: [{ append: { header: { key: 'x-user', value: 'ann' } } }] },
        }),
      ],
      routes: twoRoutes({}, {}),
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'clear_route_cache: metadata alone is no reason',
    covers: 'the route is looked for again when headers have changed',
    upstreams: { app: echo, vip: echo, auth: ok('yes', 'x-kind: gold\r\n') },
    config: {
      filters: [authz()],
      routes: [
        { match: { prefix: '/', dynamic_metadata: [metadataMatchers.exact] }, route: { cluster: 'vip' } },
        ...routes({}),
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'RouteMatch.dynamic_metadata: every kind of value',
    covers: 'dynamic_metadata and filter_state of a match, inverted, in no namespace, of no such key',
    upstreams,
    config: {
      filters: [authz()],
      routes: [
        ...Object.entries(metadataMatchers).map(([name, matcher]) => ({
          name,
          match: { prefix: `/${name}`, dynamic_metadata: [matcher] },
          route: { cluster: 'vip' },
        })),
        {
          name: 'state',
          match: { prefix: '/state', filter_state: [{ key: 'a', string_match: { exact: 'b' } }] },
          route: { cluster: 'vip' },
        },
        ...routes({}),
      ],
    },
    steps: [...Object.keys(metadataMatchers), 'state'].map(name => ({ send: get(`/${name}`) })),
  },
  {
    name: 'clear_route_cache: filters behind it go by the new route',
    covers:
      'typed_per_filter_config is read when the request comes to a filter; who is there at all, the first route says',
    upstreams,
    config: {
      filters: [
        authz(),
        filter('header_mutation', 'header_mutation.v3.HeaderMutation'),
        filter('rbac', 'rbac.v3.RBAC', { rules: { action: 'DENY', policies: {} } }),
        filter('buffer', 'buffer.v3.Buffer', { max_request_bytes: 1000 }, { disabled: true }),
      ],
      routes: twoRoutes(
        {
          typed_per_filter_config: {
            'envoy.filters.http.rbac': wrapped({ disabled: true }),
            'envoy.filters.http.header_mutation': config('header_mutation.v3.HeaderMutationPerRoute', {
              mutations: { request_mutations: [{ append: { header: { key: 'x-rest', value: '1' } } }] },
            }),
          },
        },
        {
          typed_per_filter_config: {
            'envoy.filters.http.header_mutation': config('header_mutation.v3.HeaderMutationPerRoute', {
              mutations: {
                request_mutations: [{ append: { header: { key: 'x-vip', value: '1' } } }],
                response_mutations: [{ append: { header: { key: 'x-vip', value: '2' } } }],
              },
            }),
            'envoy.filters.http.buffer': config('buffer.v3.BufferPerRoute', { buffer: { max_request_bytes: 3 } }),
          },
        },
      ),
    },
    steps: [{ send: get('/') }, { send: request('POST', '/', {}, 'abcdef') }],
  },
  {
    name: 'clear_route_cache: no route then',
    covers: '404 NR, without what the first route says',
    upstreams: { app: echo, auth: upstreams.auth },
    config: {
      filters: [authz(), filter('header_mutation', 'header_mutation.v3.HeaderMutation')],
      tracing: {},
      routes: [
        {
          name: 'anonymous',
          match: { prefix: '/', headers: [{ name: 'x-user', present_match: false }] },
          route: { cluster: 'app' },
          response_headers_to_add: [{ header: { key: 'x-a', value: '1' } }],
        },
      ],
    },
    steps: [{ send: get('/') }],
    spans: 2,
  },
  {
    name: 'clear_route_cache: to a direct response, a redirect, a weighted cluster',
    covers: 'every action of the new route',
    upstreams: { app: echo, auth: upstreams.auth },
    config: {
      filters: [authz()],
      routes: [
        { match: { prefix: '/direct', headers: ann }, direct_response: { status: 418 } },
        { match: { prefix: '/redirect', headers: ann }, redirect: { host_redirect: 'x' } },
        {
          match: { prefix: '/weighted', headers: ann },
          route: {
            weighted_clusters: {
              clusters: [
                { name: 'app', weight: 1, response_headers_to_add: [{ header: { key: 'x-weighted', value: '1' } }] },
              ],
            },
          },
        },
        ...routes({}),
      ],
    },
    steps: ['/direct', '/redirect', '/weighted'].map(path => ({ send: get(path) })),
  },
  decorators('ingress', decorated('of-rest'), decorated('of-vip')),
  decorators(
    'ingress, told by the client',
    decorated('of-rest'),
    decorated('of-vip'),
    {},
    {
      'x-envoy-decorator-operation': 'told',
    },
  ),
  decorators('ingress, the new route has none', decorated('of-rest'), {}),
  decorators('ingress, not to be told', decorated('of-rest'), decorated('of-vip', { propagate: false })),
  decorators('ingress, the new route has a format', decorated('of-rest'), { tracing: { operation: 'by-format' } }),
  decorators('ingress, the first route has a format', { tracing: { operation: 'by-format' } }, decorated('of-vip')),
  decorators('egress', decorated('of-rest'), decorated('of-vip'), OUTBOUND),
  decorators('egress, the new route has none', decorated('of-rest'), {}, OUTBOUND),
  decorators('egress, not to be told', decorated('of-rest'), decorated('of-vip', { propagate: false }), OUTBOUND),
  sampling('the new route has none', {}, { overall_sampling: share(0) }, 4),
  sampling('the first route has none', { overall_sampling: share(0) }, {}, 4),
  sampling('the new route leaves nothing to chance', {}, { random_sampling: share(0) }, 6),
  sampling('the first route leaves nothing to chance', { random_sampling: share(0) }, {}, 5),
  {
    name: 'a filter that answers: those behind it have part in the answer alone',
    covers: 'csrf, cors, rbac, fault, local rate limit and health check do nothing; header mutation and compressor do',
    upstreams: { app: echo, auth: status(403, 'no') },
    config: {
      filters: [
        authz(),
        filter('csrf', 'csrf.v3.CsrfPolicy', { filter_enabled: { default_value: ALWAYS } }),
        filter('cors', 'cors.v3.Cors'),
        filter('fault', 'fault.v3.HTTPFault', {
          response_rate_limit: { fixed_limit: { limit_kbps: 1 }, percentage: ALWAYS },
        }),
        filter('compressor', 'compressor.v3.Compressor', {
          response_direction_config: { common_config: { min_content_length: 1, content_type: ['text/plain'] } },
          compressor_library: {
            name: 'gzip',
            typed_config: { '@type': 'type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip' },
          },
        }),
        filter('header_mutation', 'header_mutation.v3.HeaderMutation', {
          mutations: { response_mutations: [{ append: { header: { key: 'x-mutated', value: '1' } } }] },
        }),
        filter('rbac', 'rbac.v3.RBAC', { rules: { action: 'DENY', policies: {} } }),
        filter('health_check', 'health_check.v3.HealthCheck', {
          pass_through_mode: false,
          headers: [{ name: ':path', string_match: { exact: '/health' } }],
        }),
      ],
      routes: routes({
        '/': perFilter('cors', config('cors.v3.CorsPolicy', { allow_origin_string_match: [{ prefix: 'http' }] })),
      }),
    },
    steps: [
      { send: request('POST', '/', { origin: 'http://b.test', 'accept-encoding': 'gzip' }) },
      { send: get('/health', { origin: 'http://b.test' }) },
    ],
  },
  {
    name: 'custom tags and verbose: not of questions that filters ask',
    covers: 'spans of other clusters than the request’s own: ext_authz, mirrors',
    upstreams: { app: ok(), auth: ok(), shadow: ok() },
    config: {
      filters: [authz()],
      tracing: { verbose: true, spawn_upstream_span: true, custom_tags: [{ tag: 'of', literal: { value: 'all' } }] },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', request_mirror_policies: [{ cluster: 'shadow' }] } }],
    },
    steps: [{ send: get('/') }],
    spans: 4,
  },
]
