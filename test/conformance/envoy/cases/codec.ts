import { type Case, get, request } from '../harness/case.ts'
import { echo, ok } from '../harness/upstream.ts'

const refused = (name: string, covers: string, ...sends: string[]): Case => ({
  name,
  covers,
  upstreams: { app: ok() },
  steps: sends.map(send => ({ send, patience: 1500 })),
})

/** What the HTTP/1 codec refuses, and what it takes. */
export const codecCases: Case[] = [
  refused(
    'Content-Length and Transfer-Encoding',
    '400 http1.content_length_and_chunked_not_allowed',
    request('POST', '/', { 'content-length': '5', 'transfer-encoding': 'chunked' }, '0\r\n\r\n'),
  ),
  refused(
    'two Content-Lengths',
    '400 http1.codec_error',
    'POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi',
  ),
  refused(
    'bad Content-Lengths',
    '400 http1.codec_error',
    ...['+3', '-1', '0x3', '3, 3', '99999999999999999999'].map(
      value => `POST / HTTP/1.1\r\nhost: example.test\r\ncontent-length: ${value}\r\n\r\nabc`,
    ),
  ),
  refused(
    'other Transfer-Encodings',
    '501 http1.invalid_transfer_encoding',
    ...['gzip', 'gzip, chunked', 'xchunked', 'identity'].map(
      value => `POST / HTTP/1.1\r\nhost: example.test\r\ntransfer-encoding: ${value}\r\n\r\n0\r\n\r\n`,
    ),
  ),
  refused(
    'a CONNECT with a body',
    '400 http1.body_disallowed, 501 http1.invalid_transfer_encoding; with none 404 route_not_found',
    'CONNECT a:80 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi',
    'CONNECT /p HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi',
    'CONNECT a/b HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi',
    'CONNECT a:80 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'CONNECT a:80 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n',
  ),
  refused(
    'bad chunk sizes',
    '400 http1.codec_error in the body',
    ...['zz', '-1', '0x5', 'fffffffffffffffff'].map(
      size =>
        `POST / HTTP/1.1\r\nhost: example.test\r\ntransfer-encoding: chunked\r\n\r\n${size}\r\nhello\r\n0\r\n\r\n`,
    ),
  ),
  refused(
    'malformed header lines',
    '400: blank before the colon, no colon, empty name',
    ...['x-a : 1', 'no colon here', ': nothing'].map(line => `GET / HTTP/1.1\r\nhost: example.test\r\n${line}\r\n\r\n`),
  ),
  refused(
    'control characters',
    '400 http1.invalid_characters',
    'GET / HTTP/1.1\r\nhost: example.test\r\nx-nul: a\0b\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: example.test\r\nx-bell: a\u0007b\r\n\r\n',
  ),
  refused(
    'bad request lines',
    '400: path without slash, blank in the path, unknown protocol',
    'GET foo HTTP/1.1\r\nhost: example.test\r\n\r\n',
    'GET /a b HTTP/1.1\r\nhost: example.test\r\n\r\n',
    'GET / HTCPCP/1.1\r\nhost: example.test\r\n\r\n',
    'get / HTTP/1.1\r\nhost: example.test\r\n\r\n',
    'BREW / HTTP/1.1\r\nhost: example.test\r\n\r\n',
  ),
  refused('missing Host', '400 missing_host_header, no flag', 'GET / HTTP/1.1\r\n\r\n'),
  refused(
    'bad Host',
    '400 http.invalid_authority',
    'GET / HTTP/1.1\r\nhost: a b\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: a/b\r\n\r\n',
  ),
  refused('HTTP/1.0', '426 low_version', 'GET / HTTP/1.0\r\nhost: example.test\r\n\r\n'),
  // The limit is 60 KiB; one read of Node brings 64.
  refused('a head over the limit', '431 http1.headers_too_large', get('/', { 'x-big': 'a'.repeat(61 * 1024) })),
  refused(
    'too many headers',
    '431 http1.too_many_headers',
    get('/', Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, '1']))),
  ),
  refused('a fragment in the path', '400 path_normalization_failed', get('/a#b')),
  refused('OPTIONS *', '404 absolute_path_rejected', 'OPTIONS * HTTP/1.1\r\nhost: example.test\r\n\r\n'),
  {
    name: 'what is taken',
    covers: 'leading CRLF, underscore names, 8-bit values, odd but legal paths',
    upstreams: { app: echo },
    steps: [
      { send: `\r\n${get('/leading')}` },
      { send: get('/', { under_score: '1', 'x-latin': 'caf\u00e9' }) },
      { send: get('/a/../b//c/%zz?x=%00') },
      { send: request('TRACE', '/') },
      { send: request('GET', '/with-body', {}, 'body') },
    ],
  },
  {
    name: 'absolute form',
    covers: 'authority of the URL beats Host; userinfo and other schemes',
    upstreams: { app: echo },
    steps: [
      { send: 'GET http://absolute.test/path?q HTTP/1.1\r\nhost: example.test\r\n\r\n' },
      { send: 'GET http://absolute.test HTTP/1.1\r\nhost: example.test\r\n\r\n' },
      { send: 'GET ftp://absolute.test/ HTTP/1.1\r\nhost: example.test\r\n\r\n', patience: 1500 },
    ],
  },
  {
    name: 'pipelining',
    covers: 'answers in order, on one connection',
    upstreams: { app: echo },
    steps: [{ send: get('/one') + get('/two') + get('/three'), on: 'a', answers: 3 }],
    logLines: 3,
  },
  {
    name: 'requests ahead that are answered here',
    covers: 'no third while two answers wait: DPE Too_many_responses_queued, the connection closes',
    config: { routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'here' } } }] },
    steps: [
      { send: get('/one') + get('/two') + get('/three') + get('/four'), on: 'a', answers: 2 },
      { settled: 'stats' },
    ],
    logLines: 3,
  },
  {
    name: 'two requests ahead that are answered here',
    covers: 'both are, and the connection stays',
    config: { routes: [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: 'here' } } }] },
    steps: [
      { send: get('/one') + get('/two'), on: 'a', answers: 2 },
      { send: get('/three') + get('/four'), on: 'a', answers: 2 },
    ],
    logLines: 4,
  },
  {
    name: 'a head in pieces',
    covers: 'split anywhere',
    upstreams: { app: echo },
    except: {
      why: 'how many of the pieces one read brings is chance',
      drop({ stats }) {
        delete stats['http.in.downstream_cx_rx_bytes_buffered']
      },
    },
    steps: [{ send: ['GE', 'T /sp', 'lit HTTP/1.1\r', '\nhost: exam', 'ple.test\r\n\r', '\n'], pause: 5 }],
  },
  {
    name: 'client asks to close',
    covers: 'connection: close',
    steps: [{ send: get('/', { connection: 'close' }) }],
  },
  {
    name: 'accepted HTTP/1.0',
    covers: 'accept_http_10: status line, close, chunked becomes close-delimited',
    config: { hcm: { http_protocol_options: { accept_http_10: true } } },
    upstreams: {
      app: (request, socket, index) =>
        request.head[0]!.includes('chunked')
          ? socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n')
          : ok('plain')(request, socket, index),
    },
    steps: [
      { send: 'GET / HTTP/1.0\r\nhost: example.test\r\n\r\n' },
      { send: 'GET /chunked HTTP/1.0\r\nhost: example.test\r\n\r\n' },
    ],
  },
  {
    name: 'a chunked HTTP/1.0 request',
    covers: 'accept_http_10 with Transfer-Encoding: refused here',
    differs: {
      why: 'a 1.0 client cannot have meant what a 1.1 server reads there: RFC 9112 has it taken for faulty framing',
      envoy: ['200 via_upstream'],
      hopscope: ['400 http1.codec_error'],
    },
    config: { hcm: { http_protocol_options: { accept_http_10: true } } },
    upstreams: { app: echo },
    steps: [
      {
        send: 'POST / HTTP/1.0\r\nhost: example.test\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
        patience: 500,
      },
    ],
  },
  {
    name: 'HTTP/1.0 without a host, and kept alive',
    covers: 'missing_host_header, connection: keep-alive, content-length',
    config: { hcm: { http_protocol_options: { accept_http_10: true } } },
    upstreams: { app: echo },
    steps: [
      { send: 'GET / HTTP/1.0\r\n\r\n', patience: 500 },
      { send: 'GET / HTTP/1.0\r\nhost: example.test\r\nconnection: keep-alive\r\n\r\n', on: 'a' },
      { send: 'POST / HTTP/1.0\r\nhost: example.test\r\ncontent-length: 2\r\n\r\nhi', on: 'a' },
    ],
  },
  {
    name: 'folded requests',
    covers: 'obs-fold refused here',
    differs: {
      why: 'one parser sees a longer value, another a field of its own',
      envoy: ['200 via_upstream'],
      hopscope: ['400 http1.codec_error'],
    },
    upstreams: { app: echo },
    steps: [
      { send: 'GET / HTTP/1.1\r\nhost: example.test\r\nx-folded: one\r\n  two\r\n\tthree\r\n\r\n', patience: 500 },
    ],
  },
  {
    name: 'bare-LF requests',
    covers: 'LF line ends refused here',
    differs: {
      why: 'one parser sees a line end, another a value',
      envoy: ['200 via_upstream', '200 via_upstream'],
      hopscope: ['400 http1.codec_error', '400 http1.codec_error'],
    },
    upstreams: { app: echo },
    steps: [
      { send: 'GET / HTTP/1.1\nhost: example.test\nx-lf: 1\n\n', patience: 500 },
      { send: 'GET / HTTP/1.1\r\nhost: example.test\nx-lf: 1\r\n\r\n', patience: 500 },
    ],
  },
  {
    name: 'a second Host',
    covers: 'joined with a comma by Envoy, refused here',
    differs: {
      why: 'two hosts are two answers to where the request goes',
      envoy: ['200 via_upstream'],
      hopscope: ['400 http1.codec_error'],
    },
    upstreams: { app: echo },
    steps: [{ send: 'GET / HTTP/1.1\r\nhost: example.test\r\nhost: other.test\r\n\r\n', patience: 500 }],
  },
  ...[
    ['bare LF', 'HTTP/1.1 200 OK\ncontent-length: 2\n\nhi'],
    ['obs-fold', 'HTTP/1.1 200 OK\r\nx-a: 1\r\n 2\r\ncontent-length: 2\r\n\r\nhi'],
    ['a bare CR', 'HTTP/1.1 200 OK\r\nx-a: 1\rx-b: 2\r\ncontent-length: 2\r\n\r\nhi'],
  ].map(
    ([what, answer]): Case => ({
      name: `an upstream that answers with ${what}`,
      covers: '502 here',
      differs: {
        why: 'the same of responses',
        envoy: ['200 via_upstream'],
        hopscope: ['502 upstream_reset_before_response_started{protocol_error}'],
      },
      upstreams: { app: (_request, socket) => void socket.write(answer!) },
      steps: [{ send: get('/') }],
    }),
  ),
  {
    name: 'blanks where none need be',
    covers: 'extra blanks in the request line, a first field that is folded',
    upstreams: { app: echo },
    steps: [
      { send: 'GET  /two-blanks  HTTP/1.1\r\nhost: example.test\r\n\r\n' },
      { send: 'GET / HTTP/1.1\r\n x-first-folded: 1\r\nhost: example.test\r\n\r\n', patience: 500 },
    ],
  },
  {
    name: 'a bare CR in a value',
    covers: 'refused here',
    differs: {
      why: 'two parsers may read two different fields there',
      envoy: ['200 via_upstream'],
      hopscope: ['400 http1.invalid_characters'],
    },
    upstreams: { app: echo },
    steps: [{ send: 'GET / HTTP/1.1\r\nhost: example.test\r\nx-a: one\rtwo\r\n\r\n', patience: 500 }],
  },
  {
    name: 'a chunk longer than it says',
    covers: 'wrong bytes where CRLF has to follow',
    upstreams: { app: echo },
    steps: [
      {
        send: 'POST / HTTP/1.1\r\nhost: example.test\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhiXX0\r\n\r\n',
        patience: 500,
      },
    ],
  },
  {
    name: 'a chunk longer than it says, and a line end after it',
    covers: 'refused here',
    upstreams: { app: echo },
    differs: {
      why: 'two parsers may read two different bodies there',
      envoy: ['200 via_upstream'],
      hopscope: ['400 http1.codec_error'],
    },
    steps: [
      {
        send: 'POST / HTTP/1.1\r\nhost: example.test\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhiXX\r\n0\r\n\r\n',
        patience: 500,
      },
    ],
  },
  {
    name: 'Expect: 100-continue',
    covers: 'answered by the proxy, removed',
    upstreams: { app: echo },
    steps: [
      { send: ['POST / HTTP/1.1\r\nhost: example.test\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n', 'hi'] },
    ],
  },
]
