import { type Case, get, request } from '../harness/case.ts'
import { echo, ok } from '../harness/upstream.ts'

const ALWAYS = { numerator: 100, denominator: 'HUNDRED' }
const FAULT = 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault'
const LIMIT = 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'

const fault = (fields: Record<string, unknown>) => [
  { name: 'envoy.filters.http.fault', typed_config: { '@type': FAULT, ...fields } },
]
const abort = (status: number, percentage: unknown = ALWAYS) => ({ abort: { http_status: status, percentage } })

const limit = (fields: Record<string, unknown>) => ({
  '@type': LIMIT,
  stat_prefix: 'limiter',
  token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: '60s' },
  filter_enabled: { runtime_key: 'limit.enabled', default_value: ALWAYS },
  filter_enforced: { runtime_key: 'limit.enforced', default_value: ALWAYS },
  ...fields,
})
const limited = (fields: Record<string, unknown> = {}) => [
  { name: 'envoy.filters.http.local_ratelimit', typed_config: limit(fields) },
]
const anyRoute = (fields: Record<string, unknown> = {}) => [
  { match: { prefix: '/' }, route: { cluster: 'app' }, ...fields },
]

export const filterCases: Case[] = [
  {
    name: 'fault: abort',
    covers: 'fault filter abort, FI, fault_filter_abort, aborts_injected, nothing upstream, a span without a child',
    config: { filters: fault(abort(503)), tracing: {} },
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'fault: abort of a request with a body',
    covers: 'answered before the request was complete',
    config: { filters: fault(abort(418)) },
    steps: [{ send: request('POST', '/', {}, 'x'.repeat(100)) }],
  },
  {
    name: 'fault: abort for HEAD and with response headers of the route',
    covers: 'mutations apply to local answers of filters',
    config: {
      filters: fault(abort(500)),
      routes: anyRoute({ response_headers_to_add: [{ header: { key: 'x-route', value: '%RESPONSE_CODE_DETAILS%' } }] }),
    },
    steps: [{ send: request('HEAD', '/') }, { send: get('/') }],
  },
  {
    name: 'fault: a percentage that is left out is none',
    covers: 'trap: no percentage, no fault',
    config: { filters: fault({ abort: { http_status: 503 }, delay: { fixed_delay: '5s' } }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'fault: delay',
    covers: 'DI, delays_injected, goes on upstream afterwards',
    config: { filters: fault({ delay: { fixed_delay: '0.1s', percentage: ALWAYS } }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'fault: delay, then abort',
    covers: 'DI,FI; both count',
    config: { filters: fault({ delay: { fixed_delay: '0.05s', percentage: ALWAYS }, ...abort(503) }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'fault: a body waits for the end of a delay',
    covers: 'the body arrives whole, in order, after it',
    upstreams: { app: echo },
    config: { filters: fault({ delay: { fixed_delay: '0.1s', percentage: ALWAYS } }) },
    steps: [
      { send: request('POST', '/', {}, 'y'.repeat(5000)) },
      {
        send: ['POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n', '2\r\nde\r\n0\r\n\r\n'],
        pause: 30,
      },
    ],
  },
  {
    name: 'fault: the client leaves during the delay',
    covers: 'DI,DC, no answer, active_faults falls back',
    config: { filters: fault({ delay: { fixed_delay: '0.5s', percentage: ALWAYS } }) },
    steps: [
      { send: get('/'), on: 'a', answers: 0 },
      { until: 'http.in.fault.active_faults: 1' },
      { send: '', on: 'a', answers: 0, after: 'close' },
      { until: 'http.in.fault.active_faults: 0' },
    ],
    logLines: 1,
  },
  {
    name: 'fault: headers ask for a delay and an abort',
    covers: 'x-envoy-fault-delay-request, x-envoy-fault-abort-request; headers stay; what cannot be is no fault',
    config: {
      filters: fault({
        delay: { header_delay: {}, percentage: ALWAYS },
        abort: { header_abort: {}, percentage: ALWAYS },
      }),
    },
    steps: [
      { send: get('/', { 'x-envoy-fault-abort-request': '429' }) },
      { send: get('/', { 'x-envoy-fault-delay-request': '50' }) },
      { send: get('/', { 'x-envoy-fault-delay-request': 'x', 'x-envoy-fault-abort-request': '999' }) },
      { send: get('/', { 'x-envoy-fault-abort-request': '503', 'x-envoy-fault-abort-request-percentage': '0' }) },
      { send: get('/', { 'x-envoy-fault-abort-grpc-request': '5' }) },
      { send: get('/') },
    ],
  },
  {
    name: 'fault: a gRPC status',
    covers: 'in a header for a gRPC client, as 200 for others',
    config: { filters: fault({ abort: { grpc_status: 14, percentage: ALWAYS } }) },
    steps: [{ send: get('/', { 'content-type': 'application/grpc' }) }, { send: get('/') }],
  },
  {
    name: 'fault: only where headers, cluster and node match',
    covers: 'all of them must',
    config: {
      filters: fault({
        ...abort(503),
        upstream_cluster: 'app',
        headers: [{ name: 'end-user', string_match: { exact: 'jason' } }],
        downstream_nodes: ['node-9'],
      }),
    },
    steps: [
      { send: get('/', { 'end-user': 'jason', 'x-envoy-downstream-service-node': 'node-9' }) },
      { send: get('/', { 'end-user': 'jason' }) },
      { send: get('/', { 'end-user': 'ann', 'x-envoy-downstream-service-node': 'node-9' }) },
    ],
  },
  {
    name: 'fault: another cluster than the one it is for',
    covers: 'upstream_cluster',
    config: { filters: fault({ ...abort(503), upstream_cluster: 'other' }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'fault: switched by the runtime',
    covers: 'fault.http.abort.abort_percent, .http_status, fault.http.delay.fixed_delay_percent, .fixed_duration_ms',
    config: {
      filters: fault({ ...abort(503, { numerator: 0 }), delay: { fixed_delay: '5s', percentage: { numerator: 0 } } }),
    },
    steps: [
      { send: get('/') },
      { admin: '/runtime_modify?fault.http.abort.abort_percent=100', method: 'POST' },
      { send: get('/') },
      { admin: '/runtime_modify?fault.http.abort.http_status=429', method: 'POST' },
      { send: get('/') },
      {
        admin:
          '/runtime_modify?fault.http.abort.abort_percent=0&fault.http.delay.fixed_delay_percent=100&fault.http.delay.fixed_duration_ms=50',
        method: 'POST',
      },
      { send: get('/') },
    ],
  },
  {
    name: 'fault: for one downstream cluster alone',
    covers: 'fault.http.<cluster>.…, counters of its own',
    config: {
      filters: fault(abort(503, { numerator: 0 })),
      runtime: { fault: { http: { shop: { abort: { abort_percent: 100, http_status: 501 } } } } },
    },
    steps: [
      { send: get('/', { 'x-envoy-downstream-service-cluster': 'shop' }) },
      { send: get('/', { 'x-envoy-downstream-service-cluster': 'other' }) },
      { send: get('/') },
    ],
  },
  {
    name: 'fault: no more than so many at a time',
    covers: 'max_active_faults, faults_overflow',
    config: { filters: fault({ delay: { fixed_delay: '0.3s', percentage: ALWAYS }, max_active_faults: 1 }) },
    steps: [
      { send: get('/slow'), on: 'a', answers: 0 },
      { until: 'http.in.fault.active_faults: 1' },
      { send: get('/not') },
      { send: '', on: 'a' }, // its answer
      { until: 'http.in.fault.active_faults: 0' },
    ],
    logLines: 2,
  },
  {
    name: 'fault: of a route, in place of the listener’s',
    covers: 'typed_per_filter_config of virtual host and route',
    config: {
      filters: fault(abort(503)),
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          typed_per_filter_config: { 'envoy.filters.http.fault': { '@type': FAULT, ...abort(501) } },
          routes: [
            {
              match: { prefix: '/none' },
              route: { cluster: 'app' },
              typed_per_filter_config: { 'envoy.filters.http.fault': { '@type': FAULT } },
            },
            { match: { prefix: '/' }, route: { cluster: 'app' } },
          ],
        },
      ],
    },
    steps: [{ send: get('/none') }, { send: get('/') }],
  },
  {
    name: 'fault: a slow response',
    covers: 'response_rate_limit, response_rl_injected, the body whole',
    upstreams: { app: ok('z'.repeat(3000)) },
    config: { filters: fault({ response_rate_limit: { fixed_limit: { limit_kbps: 16 }, percentage: ALWAYS } }) },
    steps: [{ send: get('/') }],
  },
  {
    name: 'local rate limit: two, and no more',
    covers: '429 RL local_rate_limited; enabled, ok, rate_limited, enforced',
    config: { filters: limited(), tracing: {} },
    steps: [{ send: get('/') }, { send: get('/') }, { send: get('/') }, { send: request('POST', '/', {}, 'body') }],
    spans: 4,
  },
  {
    name: 'local rate limit: status and headers of its own',
    covers: 'status, response_headers_to_add; below 400 it is 429',
    config: {
      filters: limited({
        status: { code: 'ServiceUnavailable' },
        token_bucket: { max_tokens: 1, fill_interval: '60s' },
        response_headers_to_add: [
          { append_action: 'OVERWRITE_IF_EXISTS_OR_ADD', header: { key: 'x-local-rate-limit', value: 'true' } },
        ],
      }),
    },
    steps: [{ send: get('/') }, { send: get('/') }, { send: get('/', { 'content-type': 'application/grpc' }) }],
  },
  {
    name: 'local rate limit: a gRPC client is told that something is exhausted',
    covers: 'rate_limited_as_resource_exhausted',
    config: {
      filters: limited({
        token_bucket: { max_tokens: 1, fill_interval: '60s' },
        rate_limited_as_resource_exhausted: true,
      }),
    },
    steps: [{ send: get('/') }, { send: get('/', { 'content-type': 'application/grpc' }) }],
  },
  {
    name: 'local rate limit: shares that are left out are none',
    covers: 'trap: filter_enabled and filter_enforced default to 0 %',
    config: { filters: limited({ filter_enabled: undefined, filter_enforced: undefined }) },
    steps: [{ send: get('/') }, { send: get('/') }, { send: get('/') }],
  },
  {
    name: 'local rate limit: counted, not enforced',
    covers: 'filter_enforced 0 %, request_headers_to_add_when_not_enforced',
    config: {
      filters: limited({
        token_bucket: { max_tokens: 1, fill_interval: '60s' },
        filter_enforced: { default_value: { numerator: 0 } },
        request_headers_to_add_when_not_enforced: [{ header: { key: 'x-limited', value: 'yes' } }],
      }),
    },
    steps: [{ send: get('/') }, { send: get('/') }],
  },
  {
    name: 'local rate limit: switched by the runtime',
    covers: 'runtime keys of both shares',
    config: { filters: limited({ token_bucket: { max_tokens: 1, fill_interval: '60s' } }) },
    steps: [
      { send: get('/') },
      { send: get('/') },
      { admin: '/runtime_modify?limit.enforced=0', method: 'POST' },
      { send: get('/') },
      { admin: '/runtime_modify?limit.enabled=0', method: 'POST' },
      { send: get('/') },
    ],
  },
  {
    name: 'local rate limit: tokens come back steadily',
    covers: 'half of a fill after half of the interval',
    config: { filters: limited({ token_bucket: { max_tokens: 2, tokens_per_fill: 2, fill_interval: '6s' } }) },
    steps: [
      { send: get('/') },
      { send: get('/') },
      { send: get('/') },
      { wait: 3300 },
      { send: get('/') },
      { send: get('/') },
    ],
  },
  {
    name: 'local rate limit: a bucket for each connection',
    covers: 'local_rate_limit_per_downstream_connection',
    config: {
      filters: limited({
        token_bucket: { max_tokens: 1, fill_interval: '60s' },
        local_rate_limit_per_downstream_connection: true,
      }),
    },
    steps: [
      { send: get('/'), on: 'a' },
      { send: get('/'), on: 'a' },
      { send: get('/'), on: 'b' },
    ],
  },
  {
    name: 'local rate limit: a bucket of one route',
    covers: 'typed_per_filter_config, stats under its own prefix',
    config: {
      filters: limited({ token_bucket: undefined, filter_enabled: undefined }),
      routes: [
        {
          match: { prefix: '/limited' },
          route: { cluster: 'app' },
          typed_per_filter_config: {
            'envoy.filters.http.local_ratelimit': limit({
              stat_prefix: 'of_route',
              token_bucket: { max_tokens: 1, fill_interval: '60s' },
            }),
          },
        },
        ...anyRoute(),
      ],
    },
    steps: [{ send: get('/limited') }, { send: get('/limited') }, { send: get('/') }],
  },
  {
    name: 'two filters',
    covers: 'the first that answers has the word; both see what gets through',
    config: { filters: [...limited({ token_bucket: { max_tokens: 1, fill_interval: '60s' } }), ...fault(abort(503))] },
    steps: [{ send: get('/') }, { send: get('/') }],
  },
]
