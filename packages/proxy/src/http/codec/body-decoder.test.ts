import { expect, test } from 'vitest'
import { BodyDecoder, type Framing } from './body-decoder.ts'

interface Outcome {
  body: string
  ended: boolean
  failed: boolean
  /** Bytes after the body, left to the caller. */
  rest: string
}

/** Feeds the pieces one after the other, as reads of a socket. */
function decode(framing: Framing, pieces: Buffer[]): Outcome {
  const decoder = new BodyDecoder()
  decoder.begin(framing)
  const outcome: Outcome = { body: '', ended: false, failed: false, rest: '' }
  const sink = {
    onData: (chunk: Buffer) => {
      outcome.body += chunk.toString('latin1')
    },
    onEnd: () => {
      if (outcome.ended) throw new Error('ended twice')
      outcome.ended = true
    },
  }
  for (const piece of pieces) {
    if (outcome.ended || outcome.failed) {
      outcome.rest += piece.toString('latin1')
      continue
    }
    const at = decoder.execute(piece, 0, sink)
    if (typeof at !== 'number') outcome.failed = true
    else outcome.rest += piece.toString('latin1', at)
  }
  return outcome
}

/** In one read, in two at every byte, and byte by byte: the same comes out. */
function decodeEveryWay(framing: Framing, text: string): Outcome {
  const bytes = Buffer.from(text, 'latin1')
  const whole = decode(framing, [bytes])
  for (let at = 1; at < bytes.length; at++) {
    const split = decode(framing, [bytes.subarray(0, at), bytes.subarray(at)])
    // What stands before a bad chunk may have been handed on already when the bad one came with a later read.
    if (whole.failed) expect(split.failed, `split at ${at}`).toBe(true)
    else expect(split, `split at ${at}`).toEqual(whole)
  }
  const single = decode(
    framing,
    [...bytes].map(byte => Buffer.of(byte)),
  )
  if (whole.failed) expect(single.failed).toBe(true)
  else expect(single).toEqual(whole)
  return whole
}

const chunked: Framing = { type: 'chunked' }

test.each<[name: string, framing: Framing, text: string, body: string, rest: string]>([
  ['a length', { type: 'length', length: 5 }, 'helloGET /', 'hello', 'GET /'],
  ['no body: all that comes is of the next message', { type: 'none' }, 'GET /', '', 'GET /'],
  ['chunks', chunked, '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world', ''],
  ['bytes after the last chunk', chunked, '1\r\na\r\n0\r\n\r\nGET /', 'a', 'GET /'],
  ['sizes in either case, with leading zeros', chunked, '00A\r\n0123456789\r\n0a\r\n0123456789\r\n0\r\n\r\n', '01234567890123456789', ''], // biome-ignore format: one line
  ['extensions, with and without blanks', chunked, '2;a=b\r\nhi\r\n1 ; c="d"\r\n!\r\n0;last\r\n\r\n', 'hi!', ''],
  ['data that looks like framing', chunked, '7\r\n0\r\n\r\n0\r\r\n0\r\n\r\n', '0\r\n\r\n0\r', ''],
  ['trailers, which are dropped', chunked, '1\r\na\r\n0\r\nx-sum: 1\r\ny: 2\r\n\r\nrest', 'a', 'rest'],
  ['an empty trailer value', chunked, '0\r\nx:\r\n\r\n', '', ''],
])('%s', (_name, framing, text, body, rest) => {
  expect(decodeEveryWay(framing, text)).toEqual({ body, ended: true, failed: false, rest })
})

test('a body without a length goes on until the connection ends', () => {
  expect(decodeEveryWay({ type: 'until-close' }, '5\r\nhello\r\n')).toEqual({
    body: '5\r\nhello\r\n',
    ended: false,
    failed: false,
    rest: '',
  })
})

test.each([
  ['no size', '\r\nhello\r\n0\r\n\r\n'],
  ['not hexadecimal', 'g\r\n'],
  ['negative', '-1\r\na\r\n'],
  ['with 0x', '0x5\r\nhello\r\n'],
  ['with a sign', '+5\r\nhello\r\n'],
  ['more than can be counted', 'fffffffffffff\r\n'],
  ['a size line that ends with LF', '5\nhello\r\n0\r\n\r\n'],
  ['a bare CR after the size', '5\rhello\r\n0\r\n\r\n'],
  ['a control character in an extension', '5;a\x00b\r\nhello\r\n'],
  ['LF in an extension', '5;a\nhello\r\n'],
  ['too little data: a byte where CRLF should be', '4\r\nhello\r\n0\r\n\r\n'],
  ['too much data', '6\r\nhello\r\n0\r\n\r\n'],
  ['another byte in place of the CR after the data', '5\r\nhelloX\n0\r\n\r\n'],
  ['LF alone after the data', '5\r\nhello\n0\r\n\r\n'],
  ['a control character in a trailer', '0\r\nx: \x01\r\n\r\n'],
  ['a trailer that begins with a blank', '0\r\n x: 1\r\n\r\n'],
  ['a bare CR at the end', '0\r\n\rx'],
])('refused: %s', (_name, text) => {
  expect(decodeEveryWay(chunked, text)).toMatchObject({ failed: true, ended: false })
})

test('lines without end are given up: an extension, trailers', () => {
  expect(decode(chunked, [Buffer.from(`1;${'a'.repeat(5000)}`)]).failed).toBe(true)
  const trailers = Array.from({ length: 3000 }, (_, i) => `x-${i}: ${'v'.repeat(20)}\r\n`).join('')
  expect(decode(chunked, [Buffer.from(`0\r\n${trailers}`)]).failed).toBe(true)
})

test('the limit of a size line is for each line, not for all together', () => {
  const chunks = '1;0123456789\r\na\r\n'.repeat(1000)
  expect(decode(chunked, [Buffer.from(`${chunks}0\r\n\r\n`)])).toMatchObject({ body: 'a'.repeat(1000), ended: true })
})

test('one decoder takes many bodies', () => {
  const decoder = new BodyDecoder()
  const bodies: string[] = []
  let body = ''
  const sink = {
    onData: (chunk: Buffer) => {
      body += chunk
    },
    onEnd: () => {
      bodies.push(body)
      body = ''
    },
  }
  for (const [framing, text] of [
    [chunked, '3;x\r\nabc\r\n0\r\nt: 1\r\n\r\n'],
    [{ type: 'length', length: 2 }, 'de'],
    [chunked, '1\r\nf\r\n0\r\n\r\n'],
  ] as const) {
    decoder.begin(framing)
    expect(decoder.execute(Buffer.from(text), 0, sink)).toBe(text.length)
  }
  expect(bodies).toEqual(['abc', 'de', 'f'])
})

test('trailers are kept when they are wanted, in whatever pieces they come, and not those of the body before', () => {
  const decoder = new BodyDecoder(true)
  const read = (text: string) => {
    decoder.begin({ type: 'chunked' })
    for (const byte of Buffer.from(text)) decoder.execute(Buffer.of(byte), 0, { onData() {}, onEnd() {} })
    return decoder.trailers && [...decoder.trailers]
  }
  const trailers = [['x-a', '1'], ['x-b', 'two'], ['x-a', '3']] // biome-ignore format: one line
  expect(read('2\r\nhi\r\n0\r\nX-A: 1\r\nx-b:  two \r\nx-a:3\r\n\r\n')).toEqual(trailers)
  expect(read('0\r\n\r\n')).toBeUndefined()
  expect(new BodyDecoder().trailers).toBeUndefined()
})
