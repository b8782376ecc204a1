import { type Case, get, request } from '../harness/case.ts'
import { close, early, echo, ok, raw, reset, sequence, status } from '../harness/upstream.ts'

const retry = (policy: Record<string, unknown>) => ({
  routes: [{ match: { prefix: '/' }, route: { cluster: 'app', retry_policy: policy } }],
})

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
            timeout: '0.3s',
            retry_policy: { retry_on: '5xx', num_retries: 2, per_try_timeout: '0.1s' },
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
      { send: ['POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 5\r\n\r\nhe', 'llo'], pause: 80, on: 'a' },
    ],
  },
  {
    name: 'a cut body is not retried',
    covers: 'no retry after the response started',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', true) },
    config: retry({ retry_on: '5xx,reset', num_retries: 2 }),
    steps: [{ send: get('/') }],
  },
]
