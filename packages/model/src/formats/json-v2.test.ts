import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Span } from '../span.ts'
import { generateTrace } from '../testing/generate-trace.ts'
import { pick, randomInteger, seededRandom } from '../testing/random.ts'
import { DecodeError } from './decode-error.ts'
import { requireFormat } from './detect.ts'
import { decodeJsonV2, encodeJsonV2 } from './json-v2.ts'

const utf8 = new TextEncoder()
const decode = (json: string) => decodeJsonV2(utf8.encode(json))
const span = (fields: string) => decode(`[{"traceId":"1","id":"2",${fields}}]`)[0]!

/** What zipkin-server would answer: its 400's text, or 200 and the trace as it stores it. */
function answer(json: string): string {
  const body = utf8.encode(json)
  try {
    requireFormat('JSON_V2', body)
    return `200 ${new TextDecoder().decode(utf8.encode(encodeJsonV2(decodeJsonV2(body))))}`
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
}

const recorded: [body: string, answer: string][] = JSON.parse(
  readFileSync(new URL('../testing/fixtures/zipkin-json-v2.json', import.meta.url), 'utf8'),
)

describe('as zipkin-server 3.6.1 answered', () => {
  test.each(recorded)('%s', (body, expected) => {
    expect(answer(body)).toBe(expected)
  })
})

describe('unlike zipkin-server, on purpose', () => {
  test('blanks may stand before the list', () => {
    expect(answer(' \t[{"traceId":"1","id":"2"}]')).toBe('200 [{"traceId":"0000000000000001","id":"0000000000000002"}]')
  })
  test('a padded trace id that is zero-prefixed loses the zeros, so that it can be found again', () => {
    expect(decode('[{"traceId":"00000000000000000000001","id":"2"}]')[0]!.traceId).toBe('0000000000000001')
  })
  test('an ordinary body may nest as deep as it likes in fields nobody reads', () => {
    expect(span(`"x":${'['.repeat(5000)}${']'.repeat(5000)}`).id).toBe('0000000000000002')
  })
  test('a number that fits no int64 is told as that, however many zeros it ends in', () => {
    expect(() => span(`"timestamp":1${'0'.repeat(100)}`)).toThrow(/^Expected a long but was 10+ at line 1 column/)
  })
})

test('a literal of unusual depth in an unusual body is refused, not a stack overflow', () => {
  expect(() => span(`"x":${'['.repeat(100_000)}${']'.repeat(100_000)},"y":NULL`)).toThrow('Nesting limit 255 reached')
})

test.each([
  ['[', 'end_of_input'],
  ['{}x', 'malformed'],
  ['[{"traceId":"1","id":"X"}]', 'bad_id'],
  ['[{"traceId":"1","id":"2","kind":"x"}]', 'bad_kind'],
  ['[{"id":"2"}]', 'missing_id'],
  ['[{"traceId":"1","id":"2","localEndpoint":{"port":65536}}]', 'bad_port'],
  ['[{"traceId":"1","id":"2","debug":1}]', 'wrong_type'],
  ['[{"traceId":"1","id":"2","duration":1.5}]', 'bad_number'],
  ['[{"traceId":"1","id":"2","tags":{"a":null}}]', 'no_tag_value'],
  ['[{"traceId":"1","id":"2","annotations":[{}]}]', 'incomplete_annotation'],
])('%s fails with code %s', (body, code) => {
  expect(() => decode(body)).toThrow(expect.objectContaining({ name: 'DecodeError', code }))
})

test('tags are a null-prototype object: any key is just a key', () => {
  const { tags } = span('"tags":{"__proto__":"a","toString":"b"}')
  expect(Object.getPrototypeOf(tags)).toBeNull()
  expect(Object.entries(tags!)).toEqual([
    ['__proto__', 'a'],
    ['toString', 'b'],
  ])
  expect(({} as Record<string, unknown>).a).toBeUndefined()
})

test('times beyond 2^53 become the nearest double', () => {
  expect(span('"timestamp":9007199254740993').timestamp).toBe(9007199254740992)
  expect(encodeJsonV2([span('"timestamp":9223372036854775807')])).toContain('"timestamp":9223372036854775807')
})

/** Anything a normalised span can be, with the characters that escapes are about. */
function randomSpans(seed: number): Span[] {
  const random = seededRandom(seed)
  const text = () =>
    Array.from({ length: 1 + randomInteger(random, 6) }, () =>
      pick(random, ['a', ' ', '"', '\\', '\n', '\u0001', '\u2028', 'é', '😀', '/', '<']),
    ).join('')
  return generateTrace({ spans: 5, verbose: seed % 2 === 0, shared: seed % 3 === 0 }, random).map(one => {
    const copy: Span = { ...one, name: text().toLowerCase() }
    copy.tags = Object.assign(Object.create(null), one.tags, { [text()]: text(), '10': '', '9': text() })
    if (random() < 0.3) delete copy.timestamp
    if (random() < 0.3) delete copy.annotations
    if (random() < 0.3) copy.debug = true
    if (random() < 0.5) copy.remoteEndpoint = { serviceName: 'db', ipv6: '2001:db8::c001', port: 5432 }
    return copy
  })
}

test('what is written is read back, on the fast way and on the lenient one', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const spans = randomSpans(seed)
    const json = encodeJsonV2(spans)
    expect(decode(json)).toEqual(spans)
    // Bytes behind the list are no JSON, so the lenient reader takes over; it never looks at them.
    expect(decode(`${json} x`)).toEqual(spans)
    expect(() => JSON.parse(json)).not.toThrow()
  }
})

test('a body cut off anywhere is refused with a DecodeError', () => {
  const json = encodeJsonV2(randomSpans(5).slice(0, 2))
  for (let length = 1; length < json.length; length++) {
    expect(() => decode(json.slice(0, length))).toThrow(DecodeError)
  }
})

describe('requireFormat', () => {
  const check = (format: 'JSON_V1' | 'JSON_V2', json: string) => () => requireFormat(format, utf8.encode(json))
  test.each([
    ['JSON_V2', '[{"binaryAnnotations":[]}]', 'Expected a JSON_V2 encoded list, but received: JSON_V1\n'],
    ['JSON_V1', '[{"localEndpoint":{}}]', 'Expected a JSON_V1 encoded list, but received: JSON_V2\n'],
    ['JSON_V1', '[{"tags":{}}]', 'Expected a JSON_V1 encoded list, but received: JSON_V2\n'],
    ['JSON_V2', '{}', 'Expected a JSON_V2 encoded list\n'],
    ['JSON_V2', '', 'Expected a JSON_V2 encoded list\n'],
  ] as const)('%s %s', (format, json, message) => {
    expect(check(format, json)).toThrow(message)
  })
  test('passes what fits', () => {
    expect(check('JSON_V2', '\n[{"tags":{"yAnnotations":""},"y":1}]')).toThrow()
    expect(check('JSON_V2', '[{"tags":{}}]')).not.toThrow()
    expect(check('JSON_V1', '[{"binaryAnnotations":[]}]')).not.toThrow()
  })
})
