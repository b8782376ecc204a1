import { type Case, get, request } from '../harness/case.ts'
import type { Observation } from '../harness/observe.ts'
import { echo, ok, raw } from '../harness/upstream.ts'

const paths = (...list: string[]) => list.map(path => ({ send: get(path) }))
const uuid = (nibble: string) => `12345678-1234-${nibble}234-8234-123456789012`
const requestId = (config: object) => ({
  request_id_extension: {
    typed_config: { '@type': 'type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig', ...config },
  },
})

/** The listeners of the two programs have different ports, which are here in a header. */
function hidePort(observation: Observation): void {
  observation.accessLog = observation.accessLog.map(line => line.replace(/^\d{4,5}$|^port=[12]$/, '<listener>'))
  for (const { head } of observation.upstream.app ?? []) {
    for (const [i, line] of head.entries()) head[i] = line.replace(/^(x-forwarded-port): \d{5}$/, '$1: <listener>')
  }
}

export const connectionManagerCases: Case[] = [
  {
    name: 'paths made canonical',
    covers:
      'normalize_path: dot segments, backslashes, escapes of unreserved characters and of others, broken ones, the query',
    upstreams: { app: echo },
    config: { hcm: { normalize_path: true } },
    steps: paths(
      '/a/../b//c',
      '/a/./b/.',
      '/a/b/..',
      '/../../x',
      '/a\\..\\b',
      '/%2e%2E/a/%2e/b',
      '/a/.../..b/.c',
      '/%41%7e%2d%2f%5c%zz%2',
      '/a"<>`{}|^[]~!$&\'()*+,;=:@',
      '/%',
      '/a%2',
      '/x/..;/y;p=../z',
      '/a?b=/../c//%41',
      '/a/..?q',
      '/%2%41',
      '/%%410',
      '/x/.;a=b/y/..;c',
      '/x/..%3b/y',
    ),
  },
  {
    name: 'a path that cannot be made canonical',
    covers: 'normalize_path: %00 is refused with 400, the connection closes',
    config: { hcm: { normalize_path: true } },
    steps: paths('/a%00b', '/a?%00'),
  },
  {
    name: 'slashes merged',
    covers: 'merge_slashes, with and without normalisation before it; the query is left alone',
    upstreams: { app: echo },
    config: { hcm: { merge_slashes: true }, routes: [{ match: { prefix: '/a/b' }, route: { cluster: 'app' } }] },
    steps: paths('/a//b', '//a///b//?x=//', '/a/b//', '//', '/a/./b'),
  },
  {
    name: 'slashes merged after dots',
    covers: 'merge_slashes after normalize_path, and the route sees the result',
    upstreams: { app: echo },
    config: {
      hcm: { merge_slashes: true, normalize_path: true },
      routes: [{ match: { path: '/a/b' }, route: { cluster: 'app' } }],
    },
    steps: paths('//a//x/..//b', '/a\\\\b', '/a/%2e//b'),
  },
  {
    name: 'escaped slashes refused',
    covers: 'path_with_escaped_slashes_action REJECT_REQUEST: 400, of either slash, not in the query',
    upstreams: { app: echo },
    config: { hcm: { path_with_escaped_slashes_action: 'REJECT_REQUEST' } },
    steps: paths('/a%2fb', '/a%5Cb', '/a?x=%2f', '/a'),
  },
  {
    name: 'escaped slashes redirected',
    covers: 'UNESCAPE_AND_REDIRECT: 307 with a relative location, after normalisation',
    config: {
      hcm: { path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT', normalize_path: true, merge_slashes: true },
    },
    steps: paths('/a%2F..%2fb?q=%2f', '/a%5cb', '/a/../b'),
  },
  {
    name: 'escaped slashes taken for slashes',
    covers: 'UNESCAPE_AND_FORWARD with and without what follows it',
    upstreams: { app: echo },
    config: { hcm: { path_with_escaped_slashes_action: 'UNESCAPE_AND_FORWARD' } },
    steps: paths('/a%2Fb%5cc', '/a%2f..%2fb'),
  },
  {
    name: 'normalisation by the runtime',
    covers: 'http_connection_manager.normalize_path, when the file is silent',
    upstreams: { app: echo },
    config: { runtime: { http_connection_manager: { normalize_path: 100 } } },
    steps: paths('/a/../b'),
  },
  {
    name: 'underscores refused',
    covers: 'headers_with_underscores_action REJECT_REQUEST: 400 http1.unexpected_underscore',
    config: { hcm: { common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' } } },
    steps: [{ send: get('/', { x_y: '1' }) }, { send: get('/', { 'x-y': '1_2' }) }],
  },
  {
    name: 'underscores dropped',
    covers: 'headers_with_underscores_action DROP_HEADER',
    upstreams: { app: echo },
    config: { hcm: { common_http_protocol_options: { headers_with_underscores_action: 'DROP_HEADER' } } },
    steps: [{ send: get('/', { x_y: '1', 'x-y': '2', _: '3' }) }],
  },
  {
    name: 'a host with a dot at its end',
    covers: 'strip_trailing_host_dot, before a port and with the port taken off',
    upstreams: { app: echo },
    config: { hcm: { strip_trailing_host_dot: true, strip_any_host_port: true } },
    steps: ['a.test.', 'a.test.:80', 'a.test..', '.', 'a.test:80', '[::1]:80'].map(host => ({
      send: get('/', { host }),
    })),
  },
  {
    name: 'a host with a dot before its port',
    covers: 'strip_trailing_host_dot alone',
    upstreams: { app: echo },
    config: { hcm: { strip_trailing_host_dot: true } },
    steps: ['a.test.', 'a.test.:80'].map(host => ({ send: get('/', { host }) })),
  },
  {
    name: 'x-forwarded-port',
    covers: 'append_x_forwarded_port: the port that the client came to, with and without one that is there',
    config: {
      hcm: { append_x_forwarded_port: true, use_remote_address: true },
      accessLog: '%REQ(x-forwarded-port)%\n',
    },
    steps: [{ send: get('/', { 'x-forwarded-port': '1' }) }],
    sane: observation => {
      if (observation.accessLog[0] === '1') throw new Error('Envoy kept the port of the client')
    },
    except: { why: 'the port differs', drop: hidePort },
  },
  {
    name: 'x-forwarded-port of a trusted hop',
    covers: 'append_x_forwarded_port with xff_num_trusted_hops, and without use_remote_address',
    upstreams: { app: echo },
    config: { hcm: { append_x_forwarded_port: true, use_remote_address: true, xff_num_trusted_hops: 1 } },
    steps: [{ send: get('/', { 'x-forwarded-port': '1', 'x-forwarded-for': '9.9.9.9' }) }],
  },
  {
    name: 'x-forwarded-port of a sidecar',
    covers: 'append_x_forwarded_port without use_remote_address: only when there is none',
    config: { hcm: { append_x_forwarded_port: true }, accessLog: 'port=%REQ(x-forwarded-port):1%\n' },
    steps: [{ send: get('/') }, { send: get('/', { 'x-forwarded-port': '7' }) }],
    except: { why: 'the port differs', drop: hidePort },
  },
  {
    name: 'another scheme',
    covers: 'scheme_header_transformation: :scheme, not x-forwarded-proto; what a redirect makes of it',
    upstreams: { app: echo },
    config: {
      hcm: { scheme_header_transformation: { scheme_to_overwrite: 'https' } },
      accessLog: '%REQ(:SCHEME)% %REQ(x-forwarded-proto)%\n',
      routes: [
        { match: { prefix: '/move' }, redirect: { path_redirect: '/x' } },
        { match: { prefix: '/' }, route: { cluster: 'app' } },
      ],
    },
    steps: paths('/', '/move'),
  },
  {
    name: 'ids that say nothing of traces',
    covers: 'pack_trace_reason false: neither read nor written, at the edge too',
    spans: 1,
    config: {
      hcm: requestId({ pack_trace_reason: false }),
      tracing: { random_sampling: { value: 0 }, client_sampling: { value: 100 } },
    },
    upstreams: { app: echo },
    steps: [
      { send: get('/1', { 'x-request-id': uuid('9') }) },
      { send: get('/2', { 'x-request-id': uuid('4'), 'x-client-trace-id': '1' }) },
    ],
  },
  {
    name: 'ids of an edge that say nothing of traces',
    covers: 'pack_trace_reason false with preserve_external_request_id: kept as it came',
    upstreams: { app: echo },
    config: {
      hcm: { ...requestId({ pack_trace_reason: false }), use_remote_address: true, preserve_external_request_id: true },
    },
    steps: [{ send: get('/', { 'x-request-id': uuid('9') }) }],
  },
  {
    name: 'samples without ids',
    covers:
      'use_request_id_for_trace_sampling false: every request is sampled, whatever its id and the percentages say',
    spans: 2,
    config: {
      hcm: requestId({ use_request_id_for_trace_sampling: false }),
      tracing: { random_sampling: { value: 0 }, overall_sampling: { value: 0 } },
    },
    upstreams: { app: echo },
    steps: [{ send: get('/', { 'x-request-id': uuid('4') }) }, { send: get('/', { 'x-request-id': 'no id' }) }],
  },
  {
    name: 'a host for HTTP/1.0',
    covers: 'default_host_for_http_10: when there is none; not for HTTP/1.1',
    upstreams: { app: echo },
    config: { hcm: { http_protocol_options: { accept_http_10: true, default_host_for_http_10: 'old.test' } } },
    steps: [
      { send: 'GET / HTTP/1.0\r\n\r\n' },
      { send: 'GET / HTTP/1.0\r\nhost: own.test\r\n\r\n' },
      { send: 'GET / HTTP/1.0\r\nhost:\r\n\r\n' },
      { send: 'GET / HTTP/1.1\r\n\r\n' },
    ],
  },
  {
    name: 'no absolute form',
    covers: 'allow_absolute_url false: the URL is the path',
    upstreams: { app: echo },
    config: { hcm: { http_protocol_options: { allow_absolute_url: false } } },
    steps: [
      { send: 'GET http://other.test/x HTTP/1.1\r\nhost: a.test\r\n\r\n' },
      { send: 'GET http://other.test/x HTTP/1.1\r\n\r\n' },
      { send: 'GET /x HTTP/1.1\r\nhost: a.test\r\n\r\n' },
    ],
  },
  {
    name: 'chunked beats a length',
    covers: 'allow_chunked_length: the length is dropped, the body is chunked',
    upstreams: { app: echo },
    config: { hcm: { http_protocol_options: { allow_chunked_length: true } } },
    steps: [
      {
        send: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      },
      { send: 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc' },
    ],
  },
  {
    name: 'proper case',
    covers: 'header_key_format proper_case_words: names to the client, framing too; not to the upstream',
    upstreams: {
      app: raw(
        'HTTP/1.1 200 OK\r\nx-app-b3c: 1\r\nETag: x\r\n_u-x: 1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
      ),
    },
    config: { hcm: { http_protocol_options: { header_key_format: { proper_case_words: {} } } } },
    steps: [{ send: get('/') }, { send: get('/none', { host: '' }) }, { send: request('POST', '/', {}, 'x') }],
  },
  {
    name: 'a malformed request that does not cost its connection',
    covers:
      'stream_error_on_invalid_http_message: missing Host and bad paths answer 400 and go on; the codec closes all the same',
    config: { hcm: { stream_error_on_invalid_http_message: true } },
    steps: [
      { send: 'GET / HTTP/1.1\r\n\r\n', on: 'a' },
      { send: get('/'), on: 'a' },
      { send: get('/#fragment'), on: 'b' },
      { send: get('/'), on: 'b' },
      { send: 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n', on: 'c' },
    ],
  },
  {
    name: 'malformed requests by the codec’s own switch',
    covers: 'override_stream_error_on_invalid_http_message beats stream_error_on_invalid_http_message',
    config: {
      hcm: {
        stream_error_on_invalid_http_message: true,
        http_protocol_options: { override_stream_error_on_invalid_http_message: false },
      },
    },
    steps: [{ send: 'GET / HTTP/1.1\r\n\r\n', on: 'a' }],
  },
  {
    name: 'client certificates of others',
    covers: 'forward_client_cert_details: ALWAYS_FORWARD_ONLY keeps the header without TLS',
    upstreams: { app: echo },
    config: { hcm: { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' } },
    steps: [{ send: get('/', { 'x-forwarded-client-cert': 'By=x;Hash=y' }) }],
  },
  {
    name: 'client certificates without TLS',
    covers: 'forward_client_cert_details: FORWARD_ONLY and the default drop it',
    upstreams: { app: echo },
    config: { hcm: { forward_client_cert_details: 'FORWARD_ONLY' } },
    steps: [{ send: get('/', { 'x-forwarded-client-cert': 'By=x;Hash=y' }) }],
  },
  {
    name: 'headers for insiders',
    covers: 'internal_only_headers: taken from external requests, kept of internal ones',
    upstreams: { app: echo },
    config: { hcm: { internal_address_config: {} }, routeConfig: { internal_only_headers: ['X-Inside'] } },
    steps: [
      { send: get('/', { 'x-inside': '1' }) },
      { send: get('/', { 'x-inside': '1', 'x-forwarded-for': '10.0.0.1' }) },
    ],
  },
  {
    name: 'the largest head that is wanted',
    covers: 'max_request_headers_kb as written; max_headers_count as written',
    upstreams: { app: ok() },
    config: { hcm: { max_request_headers_kb: 1, common_http_protocol_options: { max_headers_count: 4 } } },
    steps: [
      { send: get('/', { a: 'x'.repeat(900) }) },
      { send: get('/', { a: 'x'.repeat(1100) }) },
      { send: get('/', { a: '1', b: '2', c: '3' }) },
      { send: get('/', { a: '1', b: '2', c: '3', d: '4' }) },
    ],
  },
]
