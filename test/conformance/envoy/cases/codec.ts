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
  refused('a head over the limit', '431 http1.headers_too_large', get('/', { 'x-big': 'a'.repeat(100 * 1024) })),
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
    name: 'a head in pieces',
    covers: 'split anywhere',
    upstreams: { app: echo },
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
    name: 'Expect: 100-continue',
    covers: 'answered by the proxy, removed',
    upstreams: { app: echo },
    steps: [
      { send: ['POST / HTTP/1.1\r\nhost: example.test\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n', 'hi'] },
    ],
  },
]
