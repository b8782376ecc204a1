import { expect, test } from 'vitest'
import type { CodecError } from './codec-error.ts'
import { RequestDecoder, type RequestHead } from './request-decoder.ts'

interface Request {
  head: RequestHead
  body: string
  complete: boolean
}

interface Outcome {
  requests: Request[]
  error: CodecError | undefined
}

const LIMITS = { maxHeadBytes: 60 * 1024, maxFields: 100, acceptHttp10: false }

function decode(pieces: Buffer[], limits: Partial<typeof LIMITS> = {}): Outcome {
  const outcome: Outcome = { requests: [], error: undefined }
  const decoder = new RequestDecoder(
    { ...LIMITS, ...limits },
    {
      onHead: head => outcome.requests.push({ head, body: '', complete: false }),
      onData: chunk => {
        outcome.requests.at(-1)!.body += chunk.toString('latin1')
      },
      onEnd: () => {
        outcome.requests.at(-1)!.complete = true
      },
      onError: error => {
        if (outcome.error !== undefined) throw new Error('failed twice')
        outcome.error = error
      },
    },
  )
  for (const piece of pieces) {
    decoder.execute(piece)
    while (decoder.isDone) decoder.next()
  }
  return outcome
}

const bytes = (text: string) => Buffer.from(text, 'latin1')

/** What a person would compare of an outcome. */
const plain = ({ requests, error }: Outcome) => ({
  requests: requests.map(({ head, body, complete }) => ({
    line: `${head.headers.method} ${head.headers.authority} ${head.headers.path} ${head.version}`,
    fields: [...head.headers],
    body: complete ? body : undefined,
    complete,
  })),
  error,
})

/** Whole, in two at every byte, byte by byte: the same requests, the same verdict. */
function decodeEveryWay(text: string, limits: Partial<typeof LIMITS> = {}): Outcome {
  const all = bytes(text)
  const whole = decode([all], limits)
  for (let at = 1; at < all.length; at++) {
    expect(plain(decode([all.subarray(0, at), all.subarray(at)], limits)), `split at ${at}`).toEqual(plain(whole))
  }
  const single = [...all].map(byte => Buffer.of(byte))
  expect(plain(decode(single, limits))).toEqual(plain(whole))
  return whole
}

const request = (fields: string, body = '', line = 'POST / HTTP/1.1') => `${line}\r\nhost: a\r\n${fields}\r\n${body}`

test('requests one after the other on one connection, wherever the reads end', () => {
  const text =
    'GET /one?x=1 HTTP/1.1\r\nHost: A.test\r\nAccept: a\r\nX-B:  c \r\n\r\n' +
    '\r\n' +
    `${request('content-length: 0005\r\n', 'hello')}${request('Transfer-Encoding: Chunked\r\n', '3\r\nabc\r\n0\r\n\r\n')}` +
    'DELETE http://b.test:80?y HTTP/1.1\r\nhost: a\r\n\r\n'
  const { requests, error } = decodeEveryWay(text)
  expect(error).toBeUndefined()
  expect(
    requests.map(({ head, body, complete }) => [head.headers.method, head.headers.authority, head.headers.path, body, complete]), // biome-ignore format: one line
  ).toEqual([
    ['GET', 'A.test', '/one?x=1', '', true],
    ['POST', 'a', '/', 'hello', true],
    ['POST', 'a', '/', 'abc', true],
    ['DELETE', 'b.test:80', '?y', '', true],
  ])
  expect([...requests[0]!.head.headers]).toEqual([
    ['accept', 'a'],
    ['x-b', 'c'],
  ])
})

test('the next request is not looked at before `next`', () => {
  const heads: string[] = []
  const decoder = new RequestDecoder(LIMITS, {
    onHead: head => heads.push(head.headers.path),
    onData() {},
    onEnd() {},
    onError() {},
  })
  decoder.execute(bytes('GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\nGET /3'))
  expect([heads, decoder.hasNext]).toEqual([['/1'], true])
  decoder.execute(bytes(' HTTP/1.1\r\nhost: a\r\n\r\n'))
  expect(heads).toEqual(['/1'])
  decoder.next()
  decoder.next()
  expect([heads, decoder.hasNext, decoder.insideHead]).toEqual([['/1', '/2', '/3'], false, false])
})

test('after a refusal nothing is read any more', () => {
  const outcome = decode([bytes('BREW / HTTP/1.1\r\n\r\n'), bytes(request(''))])
  expect([outcome.requests.length, outcome.error?.details]).toEqual([0, 'http1.codec_error'])
})

// Envoy 1.40's verdicts.
const CL_AND_TE = 'http1.content_length_and_chunked_not_allowed'
test.each<[name: string, text: string, status: number, details: string]>([
  ['Content-Length before Transfer-Encoding', request('content-length: 5\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'), 400, CL_AND_TE], // biome-ignore format: one line
  ['Transfer-Encoding before Content-Length', request('transfer-encoding: chunked\r\ncontent-length: 5\r\n', '0\r\n\r\n'), 400, CL_AND_TE], // biome-ignore format: one line
  ['both, with identity', request('content-length: 5\r\ntransfer-encoding: identity\r\n'), 400, CL_AND_TE],
  ['both, with an empty encoding', request('content-length: 5\r\ntransfer-encoding:\r\n'), 400, CL_AND_TE],
  ['two equal Content-Lengths', request('content-length: 5\r\ncontent-length: 5\r\n'), 400, 'http1.codec_error'],
  ['two different ones', request('content-length: 5\r\nContent-Length: 6\r\n'), 400, 'http1.codec_error'],
  ...['5, 5', '+5', '-5', '0x5', '', '5 5', '99999999999999999999', '5;a', '\u00b2'].map(
    (value): [string, string, number, string] => [
      `Content-Length ${JSON.stringify(value)}`,
      request(`content-length: ${value}\r\n`),
      400,
      'http1.codec_error',
    ],
  ),
  ...['gzip', 'gzip, chunked', 'xchunked', 'chunked, chunked', 'identity', ''].map(
    (value): [string, string, number, string] => [
      `Transfer-Encoding ${JSON.stringify(value)}`,
      request(`transfer-encoding: ${value}\r\n`),
      501,
      'http1.invalid_transfer_encoding',
    ],
  ),
  ['two Transfer-Encodings', request('transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n'), 501, 'http1.invalid_transfer_encoding'], // biome-ignore format: one line
  [
    'a CONNECT with a length',
    'CONNECT a:80 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi',
    400,
    'http1.body_disallowed',
  ],
  [
    'a CONNECT in chunks',
    'CONNECT a:80 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    501,
    'http1.invalid_transfer_encoding',
  ],
  // Stricter than Envoy: docs/differences.md.
  ['bare LF as every line end', 'GET / HTTP/1.1\nhost: a\nx: 1\n\n', 400, 'http1.codec_error'],
  ['bare LF after the request line', 'GET / HTTP/1.1\nhost: a\r\n\r\n', 400, 'http1.codec_error'],
  ['bare LF after a field', request('x: 1\ny: 2\r\n'), 400, 'http1.codec_error'],
  ['bare LF as the empty line', 'GET / HTTP/1.1\r\nhost: a\r\n\n', 400, 'http1.codec_error'],
  ['bare CR in a value', request('x: 1\ry: 2\r\n'), 400, 'http1.invalid_characters'],
  ['two CRs at a line end', request('x: 1\r\r\n'), 400, 'http1.invalid_characters'],
  ['two CRs after the request line', 'GET / HTTP/1.1\r\r\nhost: a\r\n\r\n', 400, 'http1.codec_error'],
  ['a folded line', request('x: 1\r\n  2\r\n'), 400, 'http1.codec_error'],
  ['a folded line of a blank', request('x: 1\r\n \r\n'), 400, 'http1.codec_error'],
  ['a second Host', request('host: b\r\n'), 400, 'http1.codec_error'],
  ['a second Host that is the same', request('Host: a\r\n'), 400, 'http1.codec_error'],
  ['a trailer without a colon', request('transfer-encoding: chunked\r\n', '0\r\nGET / HTTP/1.1\r\n\r\n'), 400, 'http1.codec_error'], // biome-ignore format: one line
  ['bare LF in the trailers', request('transfer-encoding: chunked\r\n', '0\r\nx: 1\n\r\n'), 400, 'http1.codec_error'],
  ['a blank before the colon', request('x-a : 1\r\n'), 400, 'http1.codec_error'],
  ['a blank before the colon of a framing field', request('transfer-encoding : chunked\r\n'), 400, 'http1.codec_error'],
  ['a line without a colon', request('nothing\r\n'), 400, 'http1.codec_error'],
  ['an empty name', request(': x\r\n'), 400, 'http1.codec_error'],
  ['a first field that is folded', 'GET / HTTP/1.1\r\n host: a\r\n\r\n', 400, 'http1.codec_error'],
  ['NUL in a value', request('x: a\0b\r\n'), 400, 'http1.invalid_characters'],
  ['DEL in a value', request('x: a\x7fb\r\n'), 400, 'http1.invalid_characters'],
  ['a lower-case method', request('', '', 'get / HTTP/1.1'), 400, 'http1.codec_error'],
  ['an unknown method', request('', '', 'BREW / HTTP/1.1'), 400, 'http1.codec_error'],
  ['a blank in the path', request('', '', 'GET /a b HTTP/1.1'), 400, 'http1.codec_error'],
  ['an 8-bit path', request('', '', 'GET /caf\u00e9 HTTP/1.1'), 400, 'http1.codec_error'],
  ['another protocol', request('', '', 'GET / HTCPCP/1.1'), 400, 'http1.codec_error'],
  ['HTTP/1.0', request('', '', 'GET / HTTP/1.0'), 426, 'low_version'],
  ['HTTP/0.9', 'GET /\r\n\r\n', 426, 'low_version'],
  ['HTTP/2.0', request('', '', 'GET / HTTP/2.0'), 426, 'low_version'],
  ['a blank in Host', 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n', 400, 'http.invalid_authority'],
  ['a slash in Host', 'GET / HTTP/1.1\r\nhost: a/b\r\n\r\n', 400, 'http.invalid_authority'],
  ['another scheme', request('', '', 'GET ftp://a/ HTTP/1.1'), 400, 'http1.invalid_scheme'],
  ['GET *', request('', '', 'GET * HTTP/1.1'), 400, 'http1.invalid_url'],
  ['a path without a slash', request('', '', 'GET foo HTTP/1.1'), 400, 'http1.codec_error'],
  ['garbage before the line', '\x16\x03\x01GET / HTTP/1.1\r\n\r\n', 400, 'http1.codec_error'],
  ['a bad chunk', request('transfer-encoding: chunked\r\n', 'zz\r\n'), 400, 'http1.codec_error'],
])('refused: %s', (_name, text, status, details) => {
  expect(decodeEveryWay(text).error).toEqual({ status, details })
})

test.each<[name: string, text: string, fields: [string, string][]]>([
  ['fields that Envoy knows are joined, others are not', request('x: 1\r\naccept: a\r\nX: 2\r\nAccept: b\r\n'), [['x', '1'], ['accept', 'a,b'], ['x', '2']]], // biome-ignore format: one line
  ['empty values, 8-bit values, underscores', request('e:\r\nu_s: caf\u00e9\r\n'), [['e', ''], ['u_s', 'caf\u00e9']]], // biome-ignore format: one line
  ['a tab and two blanks in the request line', 'GET\t/  HTTP/1.1\r\nhost: a\r\n\r\n', []],
])('taken: %s', (_name, text, fields) => {
  const { requests, error } = decodeEveryWay(text)
  expect(error).toBeUndefined()
  expect(requests.map(({ head }) => [...head.headers])).toEqual([fields])
})

test('limits: the head in bytes, the fields in number; exactly at the limit is within', () => {
  const text = request('x: 1\r\ny: 2\r\n', '', 'GET / HTTP/1.1')
  const size = text.length
  expect(decodeEveryWay(text, { maxHeadBytes: size }).error).toBeUndefined()
  expect(decodeEveryWay(text, { maxHeadBytes: size - 1 }).error).toEqual({
    status: 431,
    details: 'http1.headers_too_large',
  })
  expect(decodeEveryWay(text, { maxFields: 3 }).error).toBeUndefined()
  expect(decodeEveryWay(text, { maxFields: 2 }).error).toEqual({ status: 431, details: 'http1.too_many_headers' })
})

test('a head without end is refused as soon as it is over the limit', () => {
  const decoderSaw = decode([bytes(request('').slice(0, -2)), bytes(`x: ${'a'.repeat(70_000)}`)])
  expect(decoderSaw.error?.status).toBe(431)
})

test('HTTP/1.0, where it is accepted, has no chunks', () => {
  const accept = { acceptHttp10: true }
  expect(decodeEveryWay(request('', '', 'GET / HTTP/1.0'), accept).requests[0]?.head.version).toBe(10)
  const chunked = request('transfer-encoding: chunked\r\n', '0\r\n\r\n', 'POST / HTTP/1.0')
  expect(decodeEveryWay(chunked, accept).error?.status).toBe(400)
})

test.each([
  ['GET http://user@b.test:81/p?q HTTP/1.1', 'b.test:81', '/p?q'],
  ['GET HTTP://b.test HTTP/1.1', 'b.test', '/'],
  ['CONNECT b.test:443 HTTP/1.1', 'b.test:443', ''],
  ['OPTIONS * HTTP/1.1', 'a', '*'],
])('the target beats Host: %s', (line, authority, path) => {
  const { headers } = decodeEveryWay(request('', '', line)).requests[0]!.head
  expect([headers.authority, headers.path, headers.has('host')]).toEqual([authority, path, false])
})

test('Connection fields are gathered, in lower case', () => {
  const { head } = decodeEveryWay(request('connection: Keep-Alive\r\nConnection: X-Foo\r\n')).requests[0]!
  expect(head.connection).toBe('keep-alive,x-foo')
})
