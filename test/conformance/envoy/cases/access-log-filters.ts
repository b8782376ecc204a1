import { type Case, get, request } from '../harness/case.ts'
import { hang, ok, sequence, status } from '../harness/upstream.ts'
import { filter } from './filter-configs.ts'

const LINE = '%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS%\n'

/** The log of the case with a filter; `logLines` of the case says how many lines pass it. */
const filtered = (filter: Record<string, unknown>) => ({ accessLog: LINE, accessLogFilter: filter })
const comparison = (op: string, default_value: number, runtime_key = 'unset') => ({
  comparison: { op, value: { default_value, runtime_key } },
})
const answers = (...codes: number[]) => codes.map(code => get(`/${code}`))
const byPath = [200, 201, 204, 304, 404, 499, 500, 503].map(code => ({
  match: { path: `/${code}` },
  direct_response: { status: code },
}))
const all = answers(200, 201, 204, 304, 404, 499, 500, 503).map(send => ({ send }))

const BY_METADATA: [
  what: string,
  value: object,
  fields: { invert?: boolean; match_if_key_not_found?: boolean },
  lines: number,
][] = [
  ['a policy by its name', { string_match: { prefix: 'fir' } }, {}, 2],
  [
    'a policy by its name, and nothing else',
    { string_match: { exact: 'first' } },
    { match_if_key_not_found: false },
    1,
  ],
  ['any policy', { present_match: true }, { match_if_key_not_found: false }, 2],
  ['a number where there is a text', { double_match: { exact: 1 } }, { match_if_key_not_found: true }, 1],
  ['inverted, which counts for nothing', { string_match: { exact: 'first' } }, { invert: true }, 2],
]

export const accessLogFilterCases: Case[] = [
  {
    name: 'log: status at least',
    covers: 'status_code_filter GE, its value from the runtime',
    logLines: 2,
    config: {
      ...filtered({ status_code_filter: comparison('GE', 400, 'log.from') }),
      routes: byPath,
      runtime: { log: { from: 500 } },
    },
    steps: all,
  },
  {
    name: 'log: status equal, at most, other',
    covers: 'status_code_filter EQ, LE, NE, or_filter, and_filter',
    logLines: 5,
    config: {
      ...filtered({
        or_filter: {
          filters: [
            { status_code_filter: comparison('EQ', 404) },
            {
              and_filter: {
                filters: [{ status_code_filter: comparison('LE', 304) }, { status_code_filter: comparison('NE', 201) }],
              },
            },
            { status_code_filter: comparison('EQ', 0) },
            { status_code_filter: comparison('EQ', 400) },
          ],
        },
      }),
      routes: byPath,
    },
    // The last is refused by the codec, the one before never answered.
    steps: [...all, { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' }],
  },
  {
    name: 'log: duration',
    covers: 'duration_filter GE in whole milliseconds',
    logLines: 1,
    config: {
      ...filtered({ duration_filter: comparison('GE', 200) }),
      routes: [
        { match: { prefix: '/slow' }, route: { cluster: 'app', timeout: '0.4s' } },
        { match: { prefix: '/' }, direct_response: { status: 200 } },
      ],
    },
    upstreams: { app: hang },
    steps: [{ send: get('/quick') }, { send: get('/slow') }],
  },
  {
    name: 'log: response flags',
    covers: 'response_flag_filter: one of those named, not of the others; and none of a whole answer',
    logLines: 2,
    config: {
      ...filtered({ response_flag_filter: { flags: ['NR', 'DPE'] } }),
      routes: [
        { match: { prefix: '/app' }, route: { cluster: 'app' } },
        { match: { prefix: '/dead' }, route: { cluster: 'nowhere' } },
      ],
      routeConfig: { validate_clusters: false },
    },
    steps: [
      { send: get('/app') },
      { send: get('/unrouted') },
      { send: get('/dead') },
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
    ],
  },
  {
    name: 'log: any response flag',
    covers: 'response_flag_filter without flags: any flag',
    logLines: 1,
    config: {
      ...filtered({ response_flag_filter: {} }),
      routes: [{ match: { prefix: '/app' }, route: { cluster: 'app' } }],
    },
    steps: [{ send: get('/app') }, { send: get('/unrouted') }],
  },
  {
    name: 'log: a header',
    covers: 'header_filter with a regex; a request without headers; pseudo headers',
    logLines: 3,
    config: {
      ...filtered({
        or_filter: {
          filters: [
            { header_filter: { header: { name: 'x-log', string_match: { safe_regex: { regex: 'yes|y' } } } } },
            { header_filter: { header: { name: ':method', string_match: { exact: 'POST' } } } },
            { header_filter: { header: { name: 'x-request-id', present_match: false } } },
          ],
        },
      }),
    },
    steps: [
      { send: get('/1', { 'x-log': 'yes' }) },
      { send: get('/2', { 'x-log': 'yesterday' }) },
      { send: get('/3') },
      { send: request('POST', '/4') },
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n' },
    ],
  },
  {
    name: 'log: a share of the requests',
    covers: 'runtime_filter: by the request id, the same for all; the runtime has the number of parts',
    logLines: 3,
    config: {
      ...filtered({ runtime_filter: { runtime_key: 'log.share', percent_sampled: { numerator: 50 } } }),
      runtime: { log: { share: 60 } },
    },
    // 0x0000000a is 10, 0x0000003b is 59, 0x0000003c is 60, 0x00000064 is 100.
    steps: ['0000000a', '0000003b', '0000003c', '00000063', '00000064'].map(id => ({
      send: get(`/${id}`, { 'x-request-id': `${id}-0000-4000-8000-000000000000` }),
    })),
  },
  {
    name: 'log: a share in other parts',
    covers: 'runtime_filter with TEN_THOUSAND; its default when the runtime is silent',
    logLines: 1,
    config: filtered({
      runtime_filter: {
        runtime_key: 'unset',
        percent_sampled: { numerator: 256, denominator: 'TEN_THOUSAND' },
      },
    }),
    steps: ['000000ff', '00000100'].map(id => ({
      send: get(`/${id}`, { 'x-request-id': `${id}-0000-4000-8000-000000000000` }),
    })),
  },
  {
    name: 'log: traced requests',
    covers: 'traceable_filter: those that x-envoy-force-trace forced, no others',
    logLines: 1,
    config: {
      ...filtered({ traceable_filter: {} }),
      hcm: { internal_address_config: {} },
      tracing: { random_sampling: { value: 0 }, client_sampling: { value: 100 } },
    },
    spans: 2,
    steps: [
      { send: get('/untraced') },
      { send: get('/by-client', { 'x-client-trace-id': '1' }) },
      { send: get('/forced', { 'x-envoy-force-trace': '1', 'x-forwarded-for': '10.0.0.1' }) },
    ],
  },
  {
    name: 'log: gRPC statuses',
    covers: 'grpc_status_filter: from the answer, else from its HTTP status, of other requests too',
    logLines: 3,
    config: filtered({ grpc_status_filter: { statuses: ['NOT_FOUND', 'UNAVAILABLE', 'UNKNOWN'] } }),
    upstreams: {
      app: sequence(
        ok('', 'grpc-status: 5\r\n'),
        ok('', 'grpc-status: 0\r\n'),
        status(503),
        ok(''),
        ok('', 'grpc-status: none\r\n'),
      ),
    },
    steps: ['/1', '/2', '/3', '/4', '/5'].map(path => ({ send: get(path) })),
  },
  {
    name: 'log: gRPC statuses but these',
    covers: 'grpc_status_filter with exclude',
    logLines: 1,
    config: filtered({ grpc_status_filter: { statuses: ['OK'], exclude: true } }),
    upstreams: { app: sequence(ok('', 'grpc-status: 5\r\n'), ok('', 'grpc-status: 0\r\n')) },
    steps: ['/1', '/2'].map(path => ({ send: get(path) })),
  },
  {
    name: 'log: kinds of lines',
    covers:
      'log_type_filter: each line is one of the end of a stream; not_health_check_filter lets all of them through',
    logLines: 1,
    config: filtered({
      and_filter: {
        filters: [
          { log_type_filter: { types: ['DownstreamEnd', 'TcpPeriodic'] } },
          { log_type_filter: { types: ['DownstreamStart'], exclude: true } },
          { not_health_check_filter: {} },
        ],
      },
    }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'log: no health checks',
    covers: 'not_health_check_filter: what the health check filter answered or let pass leaves no line',
    logLines: 3,
    config: {
      ...filtered({ not_health_check_filter: {} }),
      filters: [false, true].map(passes =>
        filter('health_check', 'health_check.v3.HealthCheck', {
          pass_through_mode: passes,
          headers: [{ name: ':path', string_match: { exact: passes ? '/through' : '/health' } }],
        }),
      ),
    },
    steps: [
      { send: get('/1') },
      { send: get('/health') },
      { send: get('/through') },
      { send: get('/health?x') },
      { send: get('/2', { 'user-agent': 'Envoy/HC' }) },
    ],
  },
  ...BY_METADATA.map(
    ([what, value, { invert, ...fields }, logLines]): Case => ({
      name: `log: metadata: ${what}`,
      covers: 'metadata_filter: a value that fits, another, none; match_if_key_not_found',
      logLines,
      config: {
        ...filtered({
          metadata_filter: {
            matcher: {
              filter: 'envoy.filters.http.rbac',
              path: [{ key: 'shadow_effective_policy_id' }],
              value,
              ...(invert === undefined ? {} : { invert }),
            },
            ...fields,
          },
        }),
        filters: [
          filter('rbac', 'rbac.v3.RBAC', {
            shadow_rules: {
              action: 'ALLOW',
              policies: Object.fromEntries(
                ['first', 'second'].map(name => [
                  name,
                  { permissions: [{ url_path: { path: { prefix: `/${name}` } } }], principals: [{ any: true }] },
                ]),
              ),
            },
          }),
        ],
      },
      steps: ['/first', '/second', '/third'].map(path => ({ send: get(path) })),
    }),
  ),
]
