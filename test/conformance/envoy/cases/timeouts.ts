import { type Case, get, request } from '../harness/case.ts'
import { hang, NEVER_ACCEPTS, ok, raw } from '../harness/upstream.ts'

const later =
  (ms: number) => (request: Parameters<typeof hang>[0], socket: Parameters<typeof hang>[1], index: number) =>
    void setTimeout(() => ok('late')(request, socket, index), ms)

const REDUCED_DEADLINES: Case['except'] = {
  why: 'on retries x-envoy-expected-rq-timeout-ms may be reduced by the time that has passed',
  drop: observation => {
    for (const request of observation.upstream.app ?? [])
      request.head = request.head.map(line => line.replace(/(expected-rq-timeout-ms): \d+/, '$1: <duration>'))
  },
}

export const timeoutCases: Case[] = [
  {
    name: 'route timeout',
    covers: '504 UT, upstream request timeout, upstream_rq_timeout 1',
    upstreams: { app: hang },
    config: { routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.2s' } }] },
    steps: [{ send: get('/') }],
  },
  {
    name: 'in time',
    covers: 'no timeout, expected-rq-timeout header',
    upstreams: { app: later(50) },
    config: { routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '5s' } }] },
    steps: [{ send: get('/') }],
  },
  {
    name: 'per-try timeout without retries',
    covers: '504 UT, upstream_per_try_timeout',
    upstreams: { app: hang },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          route: {
            cluster: 'app',
            timeout: '2s',
            retry_policy: { retry_on: 'connect-failure', per_try_timeout: '0.1s' },
          },
        },
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'per-try timeouts, retried',
    covers: 'URX,UT; upstream_rq_per_try_timeout',
    upstreams: { app: hang },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          route: {
            cluster: 'app',
            timeout: '5s',
            retry_policy: { retry_on: '5xx', num_retries: 2, per_try_timeout: '0.1s' },
          },
        },
      ],
    },
    steps: [{ send: get('/') }],
    except: REDUCED_DEADLINES,
  },
  {
    name: 'per-try timeouts and the route timeout',
    covers: 'two tries time out, the third ends with the whole: response_timeout',
    upstreams: { app: hang },
    config: {
      routes: [
        {
          match: { prefix: '/' },
          route: {
            cluster: 'app',
            // What is left for the third try has three digits, however late it begins.
            timeout: '2.3s',
            retry_policy: {
              retry_on: '5xx',
              num_retries: 5,
              per_try_timeout: '0.8s',
              retry_back_off: { base_interval: '0.001s', max_interval: '0.001s' },
            },
          },
        },
      ],
    },
    steps: [{ send: get('/') }],
    except: REDUCED_DEADLINES,
    sane: envoy => {
      if (envoy.stats['cluster.app.upstream_rq_per_try_timeout'] !== 2) throw new Error('two tries should time out')
      if (envoy.stats['cluster.app.upstream_rq_timeout'] !== 1) throw new Error('the route timeout should end it')
    },
  },
  {
    name: 'connect timeout',
    covers: '503 UF, connection timeout, upstream_cx_connect_timeout',
    upstreams: { app: NEVER_ACCEPTS },
    config: { app: { connect_timeout: '0.2s' } },
    steps: [{ send: get('/') }],
  },
  {
    name: 'connect timeout, retried',
    covers: 'connect-failure covers it',
    upstreams: { app: NEVER_ACCEPTS },
    config: {
      app: { connect_timeout: '0.15s' },
      routes: [
        {
          match: { prefix: '/' },
          route: { cluster: 'app', retry_policy: { retry_on: 'connect-failure', num_retries: 1 } },
        },
      ],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'a route timeout while connecting',
    covers: '504 before there is a connection; the host is not charged',
    upstreams: { app: NEVER_ACCEPTS },
    config: {
      app: { connect_timeout: '2s' },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.15s' } }],
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'an idle upstream connection is closed',
    covers: 'idle_timeout of the cluster, upstream_cx_idle_timeout',
    config: {
      app: {
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            common_http_protocol_options: { idle_timeout: '1s' },
            explicit_http_config: { http_protocol_options: {} },
          },
        },
      },
    },
    steps: [
      { send: get('/1') },
      { send: get('/2') },
      { until: 'cluster.app.upstream_cx_idle_timeout: 1' },
      { settled: 'stats' },
      { send: get('/3') },
    ],
    sane: envoy => {
      if (envoy.stats['cluster.app.upstream_cx_idle_timeout'] !== 1) throw new Error('Envoy closed no idle connection')
    },
  },
  {
    name: 'route timeout during the body',
    covers: 'code already sent, client cut off, UT',
    upstreams: { app: (_request, socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf') },
    config: { routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.6s' } }] },
    steps: [{ send: get('/') }],
  },
  {
    name: 'stream idle timeout',
    covers: '504 stream timeout, SI; 408 while the request is incomplete',
    upstreams: { app: hang },
    config: {
      hcm: { stream_idle_timeout: '0.15s' },
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', timeout: '0s' } }],
    },
    steps: [{ send: get('/') }, { send: 'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 10\r\n\r\nabc' }],
  },
  {
    name: 'request timeout',
    covers: '408 request timeout, request_overall_timeout',
    upstreams: { app: ok() },
    config: { hcm: { request_timeout: '0.15s' } },
    steps: [{ send: 'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 10\r\n\r\nabc' }],
  },
  {
    name: 'request headers timeout',
    covers: '408 request header timeout',
    config: { hcm: { request_headers_timeout: '0.15s' } },
    steps: [{ send: 'GET / HTTP/1.1\r\nhost: exam' }],
  },
  {
    name: 'an idle connection is closed',
    covers: 'idle_timeout, downstream_cx_idle_timeout',
    config: { hcm: { common_http_protocol_options: { idle_timeout: '0.5s' } } },
    steps: [{ send: get('/'), on: 'a' }, { until: 'http.in.downstream_cx_active: 0' }],
  },
  {
    name: 'the timeout header of an internal caller',
    covers: 'x-envoy-upstream-rq-timeout-ms',
    upstreams: { app: hang },
    config: {
      hcm: {
        internal_address_config: {
          cidr_ranges: [
            { address_prefix: '127.0.0.0', prefix_len: 8 },
            { address_prefix: '10.0.0.0', prefix_len: 8 },
          ],
        },
      },
    },
    steps: [{ send: get('/', { 'x-forwarded-for': '10.0.0.1', 'x-envoy-upstream-rq-timeout-ms': '150' }) }],
  },
  {
    name: 'a cluster that allows a request so much time',
    covers: 'max_stream_duration of a cluster: 504 UMSDR, upstream_rq_max_duration_reached, no code charged',
    upstreams: { app: hang },
    config: { app: { common_http_protocol_options: { max_stream_duration: '0.2s' } } },
    steps: [{ send: get('/') }],
  },
  {
    name: 'the same, before the request is complete',
    covers: 'max_stream_duration of a cluster: 408',
    upstreams: { app: hang },
    config: { app: { common_http_protocol_options: { max_stream_duration: '0.2s' } } },
    steps: [{ send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab' }],
  },
  {
    name: 'the same, in the middle of a response',
    covers: 'max_stream_duration of a cluster: the connection closes',
    upstreams: { app: raw('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab') },
    config: { app: { common_http_protocol_options: { max_stream_duration: '0.6s' } } },
    steps: [{ send: get('/') }],
  },
  {
    name: 'headers that have to mean something',
    covers: 'strict_check_headers: 400 IH request_headers_failed_strict_check{…}; those not named are passed over',
    config: {
      hcm: {
        use_remote_address: true,
        internal_address_config: { cidr_ranges: [{ address_prefix: '0.0.0.0', prefix_len: 0 }] },
      },
      router: {
        strict_check_headers: ['x-envoy-upstream-rq-timeout-ms', 'x-envoy-retry-on', 'x-envoy-retry-grpc-on'],
      },
    },
    steps: [
      { 'x-envoy-upstream-rq-timeout-ms': 'soon' },
      { 'x-envoy-retry-on': '5xx,sometimes' },
      { 'x-envoy-retry-on': '5xx,reset' },
      { 'x-envoy-retry-grpc-on': '5xx' },
      { 'x-envoy-max-retries': 'many' },
    ].map(headers => ({ send: get('/', headers as unknown as Record<string, string>) })),
  },
  {
    name: 'a timeout that is no failure for the client',
    covers: 'x-envoy-upstream-rq-timeout-alt-response: 204, whatever it says; of a try, too; HEAD',
    upstreams: { app: hang },
    config: {
      routes: [
        {
          match: { prefix: '/try' },
          route: {
            cluster: 'app',
            timeout: '2s',
            retry_policy: { retry_on: 'reset', num_retries: 0, per_try_timeout: '0.1s' },
          },
        },
        { match: { prefix: '/' }, route: { cluster: 'app', timeout: '0.1s' } },
      ],
    },
    steps: [
      { send: get('/', { 'x-envoy-upstream-rq-timeout-alt-response': '1' }) },
      { send: get('/', { 'x-envoy-upstream-rq-timeout-alt-response': '' }) },
      { send: request('HEAD', '/', { 'x-envoy-upstream-rq-timeout-alt-response': '0' }) },
      { send: get('/try', { 'x-envoy-upstream-rq-timeout-alt-response': '1' }) },
    ],
  },
]
