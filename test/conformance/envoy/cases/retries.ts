import { type Case, get, request } from '../harness/case.ts'
import { cluster, endpoint, type Ports } from '../harness/config.ts'
import { type Behaviour, close, early, echo, hang, ok, raw, reset, sequence, status } from '../harness/upstream.ts'

const retry = (policy: Record<string, unknown>) => ({
  routes: [{ match: { prefix: '/' }, route: { cluster: 'app', retry_policy: policy } }],
})

const hedged = (policy: Record<string, unknown>, timeout = '15s') => ({
  routes: [
    {
      match: { prefix: '/' },
      route: { cluster: 'app', timeout, retry_policy: policy, hedge_policy: { hedge_on_per_try_timeout: true } },
    },
  ],
})

const later =
  (ms: number, behaviour: Behaviour): Behaviour =>
  (message, socket, index) =>
    void setTimeout(() => behaviour(message, socket, index), ms)

const ANYBODY = [{ address_prefix: '0.0.0.0', prefix_len: 0 }]

export const retryCases: Case[] = [
  {
    name: 'always 500, three retries',
    covers: 'URX, the last answer passed on, retry.upstream_rq_500 3',
    upstreams: { app: status(500, 'broken') },
    config: retry({ retry_on: '5xx', num_retries: 3 }),
    steps: [{ send: get('/') }],
    sane: envoy => {
      if (envoy.stats['cluster.app.upstream_rq_retry'] !== 3) throw new Error('Envoy did not retry three times')
    },
  },
  {
    name: '503, 503, 200',
    covers: 'upstream_rq_retry_success 1',
    upstreams: { app: sequence(status(503), status(503), ok()) },
    config: retry({ retry_on: '5xx', num_retries: 3 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'connection refused, retried',
    covers: 'connect-failure, the body says retried, URX,UF',
    upstreams: {},
    config: retry({ retry_on: 'connect-failure', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'reset, then well',
    covers: 'reset',
    upstreams: { app: sequence(reset, close, ok('at last')) },
    config: retry({ retry_on: 'reset', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'reset does not cover a 500',
    covers: 'conditions are exact',
    upstreams: { app: status(500) },
    config: retry({ retry_on: 'reset,connect-failure', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'gateway-error',
    covers: '502, 503, 504, not 500',
    upstreams: { app: sequence(status(502), status(500)) },
    config: retry({ retry_on: 'gateway-error', num_retries: 3 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'retriable status codes',
    covers: 'retriable-status-codes and retriable-4xx',
    upstreams: { app: sequence(status(404), status(409), ok()) },
    config: retry({ retry_on: 'retriable-status-codes,retriable-4xx', retriable_status_codes: [404], num_retries: 3 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'no retries left from the start',
    covers: 'num_retries 0 with a failure still says URX',
    upstreams: { app: status(500) },
    config: retry({ retry_on: '5xx', num_retries: 0 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a policy without retry_on',
    covers: 'never retries',
    upstreams: { app: status(500) },
    config: retry({ num_retries: 3 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a body is sent again',
    covers: 'request buffered for the retry',
    upstreams: { app: sequence(status(503), (message, socket, index) => ok(message.body)(message, socket, index)) },
    config: retry({ retry_on: '5xx', num_retries: 1 }),
    steps: [{ send: request('POST', '/', {}, 'the body') }],
  },
  {
    name: 'the virtual host policy and attempt count',
    covers: 'vhost retry_policy; x-envoy-attempt-count on the second try',
    upstreams: { app: sequence(status(503), echo) },
    config: {
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          include_request_attempt_count: true,
          include_attempt_count_in_response: true,
          retry_policy: { retry_on: '5xx', num_retries: 2 },
          routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }],
        },
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a body too large to be sent again',
    covers: 'retry_or_shadow_abandoned, the first answer is passed on',
    upstreams: { app: status(503, 'full') },
    config: { ...retry({ retry_on: '5xx', num_retries: 2 }), listener: { per_connection_buffer_limit_bytes: 1024 } },
    steps: [{ send: request('POST', '/', {}, 'x'.repeat(5000)) }],
  },
  {
    name: 'a body just small enough to be sent again',
    covers: 'the limit itself is no overflow',
    upstreams: { app: status(503, 'full') },
    config: { ...retry({ retry_on: '5xx', num_retries: 1 }), listener: { per_connection_buffer_limit_bytes: 1024 } },
    steps: [{ send: request('POST', '/', {}, 'x'.repeat(1024)) }, { send: request('POST', '/', {}, 'x'.repeat(1025)) }],
  },
  {
    name: 'a 1xx, then a reset',
    covers: 'no retry: the answer has begun',
    upstreams: { app: sequence(raw('HTTP/1.1 103 Early Hints\r\n\r\n', true), ok()) },
    config: retry({ retry_on: '5xx,reset', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a 1xx, then a 503',
    covers: 'no retry: the answer has begun',
    upstreams: {
      app: sequence(
        raw('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n'),
        raw('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
      ),
    },
    config: retry({ retry_on: '5xx,reset', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a 1xx, then silence',
    covers: 'per_try_timeout is off, the route timeout is not',
    upstreams: { app: raw('HTTP/1.1 103 Early Hints\r\n\r\n') },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          route: {
            cluster: 'app',
            timeout: '0.9s',
            retry_policy: { retry_on: '5xx', num_retries: 2, per_try_timeout: '0.5s' },
          },
        },
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'an early 503 while the body is coming',
    covers: 'retried with the body that has come so far, and the rest',
    upstreams: { app: early('', status(200, 'late')) },
    config: retry({ retry_on: '5xx', num_retries: 2 }),
    steps: [
      { send: 'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 5\r\n\r\nhe', on: 'a', answers: 0 },
      { until: 'cluster.app.upstream_rq_active: 1' },
      { settled: 'stats' },
      { send: 'llo', on: 'a' },
    ],
    logLines: 1,
  },
  {
    name: 'a cut body is not retried',
    covers: 'no retry after the response started',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', true) },
    config: retry({ retry_on: '5xx,reset', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'retriable headers',
    covers: '4.3: retriable-headers with retriable_headers; a response without them is passed on',
    upstreams: { app: sequence(status(200, '', 'x-again: yes\r\n'), status(200, 'done', 'x-again: no\r\n')) },
    config: retry({
      retry_on: 'retriable-headers',
      num_retries: 3,
      retriable_headers: [{ name: 'x-again', string_match: { exact: 'yes' } }],
    }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'only some requests are tried again',
    covers: 'retriable_request_headers',
    upstreams: { app: status(503) },
    config: retry({
      retry_on: '5xx',
      num_retries: 1,
      retriable_request_headers: [{ name: 'x-idempotent', present_match: true }],
    }),
    steps: [{ send: get('/never') }, { send: get('/once', { 'x-idempotent': '1' }) }],
  },
  {
    name: 'a rate limit is not tried again',
    covers: 'x-envoy-ratelimited suppresses a retry',
    upstreams: { app: status(429, '', 'x-envoy-ratelimited: true\r\n') },
    config: retry({ retry_on: 'retriable-status-codes', retriable_status_codes: [429], num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a rate limit is tried again when that is asked for',
    covers: 'envoy-ratelimited',
    upstreams: { app: sequence(status(429, '', 'x-envoy-ratelimited: true\r\n'), ok()) },
    config: retry({ retry_on: 'envoy-ratelimited', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'statuses of gRPC in a head',
    covers: 'unavailable, internal; another status is passed on',
    upstreams: {
      app: sequence(
        status(200, '', 'content-type: application/grpc\r\ngrpc-status: 14\r\n'),
        status(200, '', 'content-type: application/grpc\r\ngrpc-status: 13\r\n'),
        status(200, '', 'content-type: application/grpc\r\ngrpc-status: 5\r\n'),
      ),
    },
    config: retry({ retry_on: 'unavailable,internal', num_retries: 5 }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'reset before the request',
    covers: 'reset-before-request: a refused connection, not one that is lost later',
    upstreams: { app: close },
    config: (ports: Ports) => ({
      clusters: [cluster('refused', ports.dead)],
      routes: [
        {
          match: { prefix: '/refused' },
          route: { cluster: 'refused', retry_policy: { retry_on: 'reset-before-request', num_retries: 1 } },
        },
        {
          match: { prefix: '/' },
          route: { cluster: 'app', retry_policy: { retry_on: 'reset-before-request', num_retries: 1 } },
        },
      ],
    }),
    steps: [{ send: get('/refused') }, { send: get('/lost') }],
  },
  {
    name: 'the upstream says how long to wait',
    covers: 'rate_limited_retry_back_off: upstream_rq_retry_backoff_ratelimited',
    upstreams: { app: sequence(status(503, '', 'retry-after: 1\r\n'), ok()) },
    config: retry({
      retry_on: '5xx',
      num_retries: 1,
      rate_limited_retry_back_off: { reset_headers: [{ name: 'Retry-After', format: 'SECONDS' }], max_interval: '2s' },
    }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'the upstream says to wait too long',
    covers: 'rate_limited_retry_back_off.max_interval: the exponential one instead',
    upstreams: { app: sequence(status(503, '', 'retry-after: 3\r\n'), ok()) },
    config: retry({
      retry_on: '5xx',
      num_retries: 1,
      rate_limited_retry_back_off: { reset_headers: [{ name: 'Retry-After' }], max_interval: '2s' },
    }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'what the client may say',
    covers:
      '4.1: x-envoy-retry-on, -grpc-on, -retriable-header-names, -max-retries from an internal address; all removed',
    upstreams: { app: sequence(status(200, '', 'x-again: 1\r\n'), status(409), echo) },
    config: { hcm: { use_remote_address: true, internal_address_config: { cidr_ranges: ANYBODY } } },
    steps: [
      {
        send: get('/', {
          'x-envoy-retry-on': 'retriable-headers,retriable-4xx',
          'x-envoy-retry-grpc-on': 'unavailable',
          'x-envoy-retriable-header-names': 'x-again',
          'x-envoy-max-retries': '5',
        }),
      },
    ],
  },
  {
    name: 'another host for the next try',
    covers: 'previous_hosts: the second try is at the other host',
    upstreams: { app: ok(), bad: status(503) },
    config: (ports: Ports) => ({
      clusters: [
        cluster('both', 1, {
          lb_policy: 'RANDOM',
          load_assignment: {
            cluster_name: 'both',
            endpoints: [{ lb_endpoints: [endpoint(ports.upstream.app!), endpoint(ports.upstream.bad!)] }],
          },
        }),
      ],
      routes: [
        {
          match: { prefix: '/' },
          route: {
            cluster: 'both',
            retry_policy: {
              retry_on: '5xx',
              num_retries: 1,
              host_selection_retry_max_attempts: 100,
              retry_host_predicate: [
                {
                  name: 'previous',
                  typed_config: {
                    '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
                  },
                },
              ],
            },
          },
        },
      ],
      accessLog: '%RESPONSE_CODE%\n',
    }),
    steps: Array.from({ length: 12 }, () => ({ send: get('/') })),
    except: {
      why: 'hosts are drawn at random: compared is that every request has its answer',
      drop: observation => {
        observation.answers = []
        observation.stats = {}
        observation.upstream = {}
      },
    },
  },
  {
    name: 'an idle try',
    covers: 'per_try_idle_timeout: upstream_rq_per_try_idle_timeout, tried again',
    upstreams: { app: sequence(hang, ok()) },
    config: retry({ retry_on: '5xx', num_retries: 1, per_try_idle_timeout: '0.6s' }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'an idle try, and no other',
    covers: 'per_try_idle_timeout without retries: 504 UT upstream_per_try_idle_timeout',
    upstreams: { app: hang },
    config: retry({ per_try_idle_timeout: '0.2s' }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'idle inside a response',
    covers: 'per_try_idle_timeout after the head: the connection is closed',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab') },
    config: retry({ per_try_idle_timeout: '0.6s' }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'why it is tried again',
    covers: 'include_is_timeout_retry_header: true after a per-try timeout, false after a response',
    upstreams: { app: sequence(hang, status(503), echo) },
    config: {
      virtualHosts: [
        {
          name: 'any',
          domains: ['*'],
          include_is_timeout_retry_header: true,
          retry_policy: { retry_on: '5xx', num_retries: 3, per_try_timeout: '0.6s' },
          routes: [{ match: { prefix: '/' }, route: { cluster: 'app' } }],
        },
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a retry budget',
    covers: 'retry_budget: 0 per cent and none always: upstream_rq_retry_overflow, UO; track_remaining',
    upstreams: { app: status(503) },
    config: {
      ...retry({ retry_on: '5xx', num_retries: 1 }),
      app: {
        circuit_breakers: {
          thresholds: [
            { retry_budget: { budget_percent: { value: 0 }, min_retry_concurrency: 0 }, track_remaining: true },
          ],
        },
      },
    },
    steps: [{ send: get('/') }, { admin: '/stats?filter=circuit_breakers.default' }],
  },
  {
    name: 'what remains',
    covers: 'track_remaining: remaining_cx, remaining_pending, remaining_rq, remaining_retries, remaining_cx_pools',
    upstreams: { app: hang },
    config: { app: { circuit_breakers: { thresholds: [{ track_remaining: true, max_requests: 5 }] } } },
    steps: [
      { send: get('/'), answers: 0 },
      { until: 'cluster.app.upstream_rq_active: 1' },
      { admin: '/stats?filter=cluster.app.circuit_breakers' },
    ],
    logLines: 0,
    except: {
      why: 'the request ends with the case: its line may be there or not',
      drop: observation => {
        observation.accessLog = []
      },
    },
  },
  {
    name: 'a try beside a slow one',
    covers: 'hedge_on_per_try_timeout: the second answers, the first is reset',
    upstreams: { app: sequence(hang, ok('second')) },
    config: hedged({ retry_on: '5xx', num_retries: 1, per_try_timeout: '0.6s' }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'the slow one answers first',
    covers: 'hedging: the first good answer counts',
    upstreams: { app: sequence(later(1500, ok('first')), hang) },
    config: hedged({ retry_on: 'connect-failure', num_retries: 1, per_try_timeout: '0.6s' }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a bad answer while another is awaited',
    covers: 'hedging: it is not passed on',
    upstreams: { app: sequence(later(1400, ok('first')), status(503)) },
    config: hedged({ retry_on: '5xx', num_retries: 1, per_try_timeout: '0.4s' }),
    steps: [{ send: get('/') }],
  },
  {
    name: 'all are slow',
    covers: 'hedging: the global timeout ends all of them',
    upstreams: { app: hang },
    config: hedged({ retry_on: '5xx', num_retries: 1, per_try_timeout: '0.2s' }, '1.9s'),
    steps: [{ send: get('/') }],
  },
  {
    name: 'hedging is asked for',
    covers: 'x-envoy-hedge-on-per-try-timeout from an internal address',
    upstreams: { app: sequence(hang, echo) },
    config: {
      hcm: { use_remote_address: true, internal_address_config: { cidr_ranges: ANYBODY } },
      ...retry({ retry_on: '5xx', num_retries: 1, per_try_timeout: '0.6s' }),
    },
    steps: [{ send: get('/', { 'x-envoy-hedge-on-per-try-timeout': 'true' }) }],
  },
  {
    name: 'retries switched off by the runtime',
    covers: 'upstream.use_retry 0, and back',
    upstreams: { app: sequence(status(503), status(503), ok()) },
    config: retry({ retry_on: '5xx' }),
    steps: [
      { admin: '/runtime_modify?upstream.use_retry=0', method: 'POST' },
      { send: get('/') },
      { admin: '/runtime_modify?upstream.use_retry=100', method: 'POST' },
      { send: get('/') },
    ],
  },
]
