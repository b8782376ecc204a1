import type { ResponseLimits } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { hasToken, ResponseDecoder, type ResponseHead, type ResponseSink } from './response-decoder.ts'

interface Outcome {
  informational: number[]
  heads: ResponseHead[]
  body: string
  ended: boolean
  failed: boolean
  /** Bytes came that belong to no response. */
  surplus: boolean
}

function decode(
  pieces: Buffer[],
  { isHead = false, closes = false, ...limits }: { isHead?: boolean; closes?: boolean } & Partial<ResponseLimits> = {},
): Outcome {
  const outcome: Outcome = { informational: [], heads: [], body: '', ended: false, failed: false, surplus: false }
  const sink: ResponseSink = {
    onInformational: status => outcome.informational.push(status),
    onHead: head => outcome.heads.push(head),
    onData: chunk => {
      outcome.body += chunk.toString('latin1')
    },
    onEnd: () => {
      if (outcome.ended) throw new Error('ended twice')
      outcome.ended = true
    },
    onProtocolError: () => {
      if (outcome.failed) throw new Error('failed twice')
      outcome.failed = true
    },
  }
  const decoder = new ResponseDecoder(sink, { headersCount: 100, ...limits })
  decoder.expect(isHead)
  for (const piece of pieces) if (!decoder.execute(piece)) outcome.surplus = true
  if (closes) decoder.end()
  return outcome
}

const plain = ({ heads, ...rest }: Outcome) => ({
  ...rest,
  body: rest.failed ? '' : rest.body,
  heads: heads.map(head => ({ ...head, headers: [head.headers.status, ...head.headers] })),
})

function decodeEveryWay(text: string, options: { isHead?: boolean; closes?: boolean } = {}): Outcome {
  const all = Buffer.from(text, 'latin1')
  const whole = decode([all], options)
  for (let at = 1; at < all.length; at++) {
    const split = decode([all.subarray(0, at), all.subarray(at)], options)
    expect(plain(split), `split at ${at}`).toEqual(plain(whole))
  }
  const single = decode(
    [...all].map(byte => Buffer.of(byte)),
    options,
  )
  expect(plain(single)).toEqual(plain(whole))
  return whole
}

const response = (fields: string, body = '', status = '200 OK') => `HTTP/1.1 ${status}\r\n${fields}\r\n${body}`

interface Row {
  name: string
  text: string
  isHead?: boolean
  closes?: boolean
  body: string
  ended?: boolean
  hasBody?: boolean
  keepAlive?: boolean
}

test.each<Row>([
  { name: 'a length', text: response('content-length: 5\r\n', 'hello'), body: 'hello' },
  { name: 'chunks', text: response('transfer-encoding: Chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'), body: 'hi' },
  { name: 'until the end', text: response('', 'hello'), closes: true, body: 'hello', keepAlive: false },
  { name: 'without its end', text: response('', 'hello'), body: 'hello', ended: false, keepAlive: false },
  { name: 'a length of 0', text: response('content-length: 0\r\n'), body: '', hasBody: false },
  { name: 'to HEAD, with a length', text: response('content-length: 5\r\n'), isHead: true, body: '', hasBody: false },
  { name: 'to HEAD, with chunks', text: response('transfer-encoding: chunked\r\n'), isHead: true, body: '', hasBody: false }, // biome-ignore format: one line
  { name: '204', text: response('', '', '204 No Content'), body: '', hasBody: false },
  { name: '304 with a length', text: response('content-length: 5\r\n', '', '304 Not Modified'), body: '', hasBody: false }, // biome-ignore format: one line
  { name: 'connection: close', text: response('connection: Close\r\ncontent-length: 1\r\n', 'a'), body: 'a', keepAlive: false }, // biome-ignore format: one line
  { name: 'close among others', text: response('connection: x, close\r\ncontent-length: 1\r\n', 'a'), body: 'a', keepAlive: false }, // biome-ignore format: one line
  { name: 'HTTP/1.0', text: 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\na', body: 'a', keepAlive: false },
  { name: 'another version', text: 'HTTP/2.0 200 OK\r\ncontent-length: 1\r\n\r\na', body: 'a', keepAlive: false }, // biome-ignore format: one line
  { name: 'HTTP/1.0 that stays', text: 'HTTP/1.0 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\na', body: 'a' }, // biome-ignore format: one line
  { name: 'no reason phrase', text: response('content-length: 1\r\n', 'a', '299'), body: 'a' },
])(
  'a body by $name',
  ({ text, isHead = false, closes = false, body, ended = true, hasBody = true, keepAlive = true }) => {
    const outcome = decodeEveryWay(text, { isHead, closes })
    expect(outcome).toMatchObject({ failed: false, surplus: false, body, ended })
    expect(outcome.heads).toMatchObject([{ hasBody, keepAlive }])
  },
)

test('1xx are told and skipped', () => {
  const text = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${response('content-length: 2\r\n', 'hi')}`
  const outcome = decodeEveryWay(text)
  expect(outcome).toMatchObject({ informational: [100, 103], body: 'hi', ended: true })
  expect(outcome.heads.map(({ headers }) => [...headers])).toEqual([[['content-length', '2']]])
})

test.each([
  ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
  ['a version that is none', 'HTTP/x.1 200 OK\r\n\r\n'],
  ['a status of two digits', response('', '', '20 OK')],
  ['a status of four digits', response('', '', '2000 OK')],
  ['a status below 100', response('', '', '099 OK')],
  ['blank lines first', `\r\n${response('content-length: 0\r\n')}`],
  ['two Content-Lengths', response('content-length: 1\r\ncontent-length: 1\r\n', 'a')],
  ['Content-Length and Transfer-Encoding', response('content-length: 1\r\ntransfer-encoding: chunked\r\n')],
  ['other Transfer-Encodings', response('transfer-encoding: gzip, chunked\r\n')],
  ['a bad Content-Length', response('content-length: 1,1\r\n')],
  ['204 with a length', response('content-length: 1\r\n', 'a', '204 No Content')],
  ['204 with chunks', response('transfer-encoding: chunked\r\n', '', '204 No Content')],
  ['NUL in a value', response('x: \0\r\n')],
  ['bare LF as every line end', 'HTTP/1.1 200 OK\ncontent-length: 1\n\na'],
  ['bare LF after the status line', 'HTTP/1.1 200 OK\ncontent-length: 1\r\n\r\na'],
  ['bare LF after a field', response('x: 1\ncontent-length: 1\r\n', 'a')],
  ['bare CR in a value', response('x: 1\rcontent-length: 1\r\n', 'a')],
  ['bare CR in the reason', response('content-length: 1\r\n', 'a', '200 OK\rx: 1')],
  ['a folded line', response('x: 1\r\n 2\r\ncontent-length: 1\r\n', 'a')],
  ['a wrong byte after a chunk', response('transfer-encoding: chunked\r\n', '1\r\naXX0\r\n\r\n')],
  ['a blank before the colon', response('content-length : 1\r\n')],
  ['a bad chunk', response('transfer-encoding: chunked\r\n', 'x\r\n')],
])('the upstream is at fault: %s', (_name, text) => {
  expect(decodeEveryWay(text)).toMatchObject({ failed: true, ended: false })
})

test('bytes after a response are told, not read', () => {
  for (const text of [
    response('content-length: 2\r\n', 'hiHTTP/1.1 200 OK\r\n'),
    response('transfer-encoding: chunked\r\n', '0\r\n\r\nmore'),
    response('content-length: 2\r\n', 'body of a 304', '304 Not Modified'),
  ]) {
    expect(decodeEveryWay(text)).toMatchObject({ ended: true, surplus: true, failed: false })
    expect(decodeEveryWay(text).heads.length).toBe(1)
  }
  expect(decodeEveryWay(response('content-length: 2\r\n', 'hi'), { isHead: true })).toMatchObject({ surplus: true })
})

test('a head over 256 KB is given up before it is complete', () => {
  const line = Buffer.from(`x: ${'a'.repeat(1000)}\r\n`)
  const pieces = [Buffer.from('HTTP/1.1 200 OK\r\n'), ...Array.from({ length: 270 }, () => line)]
  expect(decode(pieces).failed).toBe(true)
  expect(decode(pieces.slice(0, 250)).failed).toBe(false)
})

test("more headers than may be, or a larger head, are the upstream's fault", () => {
  const fields = (n: number) => Array.from({ length: n }, (_, i) => `x-${i}: a\r\n`).join('')
  const fails = (head: string, limits: Partial<ResponseLimits> = {}) => decode([Buffer.from(head)], limits).failed
  const told = (n: number) => `HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${fields(n)}\r\n`
  expect([fails(told(99)), fails(told(100)), fails(told(100), { headersCount: 101 })]).toEqual([false, true, false])
  const large = `HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx: ${'a'.repeat(3000)}\r\n\r\n`
  expect([fails(large), fails(large, { headKilobytes: 2 }), fails(large, { headKilobytes: 4 })]).toEqual([false, true, false]) // biome-ignore format: one line
})

test('an end inside a message is no end', () => {
  for (const text of [
    response('content-length: 2\r\n', 'h'),
    response('transfer-encoding: chunked\r\n', '1\r\na\r\n'),
    'HTTP/1.1 200 OK\r\n',
  ]) {
    expect(decodeEveryWay(text, { closes: true }).ended).toBe(false)
  }
})

test.each([
  ['close', 'close', true],
  ['keep-alive, close', 'close', true],
  ['keep-alive ,  close ', 'close', true],
  ['closed', 'close', false],
  ['x-close', 'close', false],
  ['', 'close', false],
])('hasToken(%j, %j)', (list, token, expected) => {
  expect(hasToken(list, token)).toBe(expected)
})
