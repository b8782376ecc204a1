import { type Case, get, request } from '../harness/case.ts'
import { type Behaviour, ok, raw } from '../harness/upstream.ts'

type Fields = Record<string, unknown>

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
const options = (fields: Fields) => ({
  app: {
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: { '@type': `type.googleapis.com/${HTTP_OPTIONS}`, ...fields },
    },
  },
})
const http1 = (fields: Fields, common: Fields = {}) =>
  options({ explicit_http_config: { http_protocol_options: fields }, common_http_protocol_options: common })

/** An answer with so many headers, its length included. */
const headers = (n: number): Behaviour => ok('ok', Array.from({ length: n - 1 }, (_, i) => `x-${i}: a\r\n`).join(''))
const large = (bytes: number): Behaviour => ok('ok', `x-large: ${'a'.repeat(bytes)}\r\n`)

const dropping = (numerator: number, denominator: string, fields: Fields = {}) => ({
  app: {
    load_assignment: {
      cluster_name: 'app',
      endpoints: [],
      policy: { drop_overloads: [{ category: 'much', drop_percentage: { numerator, denominator } }] },
    },
  },
  ...fields,
})

/** One health check, that is content with a body in which `well` is found within so many bytes; 0: wherever it is. */
const looksForWell = (response_buffer_size: number, more: object = {}) => ({
  health_checks: [
    {
      timeout: '3s',
      interval: '60s',
      no_traffic_interval: '60s',
      unhealthy_threshold: 1,
      healthy_threshold: 1,
      ...more,
      http_health_check: {
        path: '/hc',
        response_buffer_size,
        receive: [{ text: Buffer.from('well').toString('hex') }],
      },
    },
  ],
  common_lb_config: { healthy_panic_threshold: { value: 0 } },
})

/** What a cluster says of requests to it and of answers from it. */
export const upstreamOptionCases: Case[] = [
  {
    name: 'headers with capitals',
    covers: 'header_key_format.proper_case_words of a cluster: all names, of trailers and of what frames a body too',
    config: http1({ header_key_format: { proper_case_words: {} }, enable_trailers: true }),
    steps: [
      { send: get('/', { 'x-own-thing': '1', 'x_under-score': '2' }) },
      { send: request('POST', '/', {}, 'body') },
      { send: request('PUT', '/empty') },
      {
        send: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x-last\r\n\r\n1\r\na\r\n0\r\nx-last: 1\r\n\r\n',
      },
    ],
  },
  {
    name: 'headers with capitals, in checks too',
    covers: 'header_key_format of a cluster: health checks',
    config: {
      app: {
        ...http1({ header_key_format: { proper_case_words: {} }, send_fully_qualified_url: true }).app,
        health_checks: [
          {
            timeout: '3s',
            interval: '60s',
            no_traffic_interval: '60s',
            unhealthy_threshold: 1,
            healthy_threshold: 1,
            http_health_check: { path: '/hc' },
          },
        ],
      },
    },
    steps: [{ send: get('/') }],
  },
  {
    name: 'whole URLs',
    covers: 'send_fully_qualified_url',
    config: http1({ send_fully_qualified_url: true }),
    steps: [
      { send: get('/a?b') },
      { send: request('OPTIONS', '/') },
      { send: get('/', { 'x-forwarded-proto': 'https' }) },
    ],
  },
  {
    name: 'the protocol of the client',
    covers: 'use_downstream_protocol_config: HTTP/1',
    config: options({
      use_downstream_protocol_config: {
        http_protocol_options: { header_key_format: { proper_case_words: {} } },
        http2_protocol_options: {},
      },
    }),
    steps: [{ send: get('/') }],
  },
  ...[100, 101].map(
    (n): Case => ({
      name: `${n} headers of an answer`,
      covers: 'max_headers_count of a cluster, by default 100: more are the upstream’s fault, 502 UPE',
      upstreams: { app: headers(n) },
      steps: [{ send: get('/') }],
    }),
  ),
  ...[120, 121].map(
    (n): Case => ({
      name: `${n} headers of an answer, 120 allowed`,
      covers: 'max_headers_count 120 of a cluster',
      upstreams: { app: headers(n) },
      config: http1({}, { max_headers_count: 120 }),
      steps: [{ send: get('/') }],
    }),
  ),
  ...[1500, 3000].map(
    (bytes): Case => ({
      name: `a header of ${bytes} bytes of an answer`,
      covers: 'max_response_headers_kb 2 of a cluster',
      upstreams: { app: large(bytes) },
      config: http1({}, { max_response_headers_kb: 2 }),
      steps: [{ send: get('/') }],
    }),
  ),
  {
    name: 'underscores in an answer',
    covers: 'headers_with_underscores_action of a cluster: nothing comes of it',
    upstreams: { app: ok('ok', 'x_y: 1\r\n') },
    config: http1({}, { headers_with_underscores_action: 'REJECT_REQUEST' }),
    steps: [{ send: get('/', { a_b: '1' }) }],
  },
  {
    name: 'an idle connection that has lasted long enough',
    covers: 'max_connection_duration of a cluster: upstream_cx_max_duration_reached, the next request has a new one',
    config: http1({}, { max_connection_duration: '0.5s' }),
    steps: [{ send: get('/1') }, { until: 'cluster.app.upstream_cx_max_duration_reached: 1' }, { settled: 'main thread' }, { until: 'cluster.app.upstream_cx_active: 0' }, { send: get('/2') }], // biome-ignore format: one line
  },
  {
    name: 'a busy connection that has lasted long enough',
    covers: 'max_connection_duration of a cluster: closed after its answer',
    upstreams: { app: (message, socket, index) => void setTimeout(() => ok()(message, socket, index), 600) },
    config: http1({}, { max_connection_duration: '0.3s' }),
    steps: [{ send: get('/1') }, { until: 'cluster.app.upstream_cx_active: 0' }],
  },
  {
    name: 'all requests dropped',
    covers: 'drop_overloads 100 %: 503 UDO unconditional_drop_overload, before a host is looked for',
    config: dropping(100, 'HUNDRED'),
    steps: [{ send: get('/') }, { send: request('POST', '/', { 'content-type': 'application/grpc' }, 'abcde') }],
  },
  {
    name: 'nearly all requests dropped',
    covers: 'drop_overloads: 503 DO drop_overload; retries do not help',
    config: dropping(999_999, 'MILLION', {
      routes: [{ match: { prefix: '/' }, route: { cluster: 'app', retry_policy: { retry_on: '5xx' } } }],
      tracing: {},
    }),
    steps: [{ send: get('/') }],
    spans: 1,
  },
  {
    name: 'no requests dropped',
    covers: 'drop_overloads 0 %',
    config: dropping(0, 'HUNDRED'),
    steps: [{ send: get('/') }],
  },
  {
    name: 'a body that is read no further',
    covers: 'http_health_check.response_buffer_size 4: what stands behind is not found',
    upstreams: { app: ok('all is well') },
    config: {
      app: looksForWell(4),
    },
    steps: [{ send: get('/') }, { admin: '/clusters?filter=^app$' }],
  },
  {
    name: 'a body that is read to its end',
    covers: 'http_health_check.response_buffer_size 0: no limit',
    upstreams: { app: raw(`HTTP/1.1 200 OK\r\ncontent-length: 2004\r\n\r\n${'a'.repeat(2000)}well`) },
    config: {
      app: looksForWell(0, { alt_port: 1 }),
    },
    steps: [{ send: get('/') }, { admin: '/clusters?filter=^app$' }],
  },
  ...[0, 1].map(
    (own): Case => ({
      name: `checks at another address${own === 1 ? ' and port' : ''}`,
      covers: `health_check_config.address${own === 1 ? ' with port_value' : ''}; a locality with metadata`,
      upstreams: { app: ok(), health: ok(), third: ok() },
      config: ports => {
        const at = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } })
        const check = {
          address: at(ports.upstream.health!),
          ...(own === 1 && { port_value: ports.upstream.third }),
        }
        return {
          app: {
            health_checks: [
              {
                timeout: '3s',
                interval: '60s',
                no_traffic_interval: '60s',
                unhealthy_threshold: 1,
                healthy_threshold: 1,
                http_health_check: { path: '/hc' },
              },
            ],
            load_assignment: {
              cluster_name: 'app',
              endpoints: [
                {
                  metadata: { filter_metadata: { some: { thing: 1 } } },
                  proximity: 2,
                  lb_endpoints: [{ endpoint: { address: at(ports.upstream.app!), health_check_config: check } }],
                },
              ],
            },
          },
        }
      },
      steps: [{ send: get('/') }, { admin: '/clusters?filter=^app$' }],
    }),
  ),
]
