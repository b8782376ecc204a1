import { DecodeError, type Span } from '@hopscope/model'
import { decodeOtlpJson } from '@hopscope/model/formats'
import { pick, type Random, randomHex, randomInteger, seededRandom } from '@hopscope/model/testing'
import { describe, expect, it } from 'vitest'
import { Head } from './head.ts'
import { OtlpJsonScanner } from './otlp-json-scanner.ts'

/** By hand a million, in one run or with several seeds: HOPSCOPE_FUZZ_BODIES=1000000 npm test -- unit otlp-json-scanner */
const BODIES = Number(process.env.HOPSCOPE_FUZZ_BODIES ?? 8_000)
const SEED = Number(process.env.HOPSCOPE_FUZZ_SEED ?? 11)

/** Scans `body` behind spans that are there already, and compares with the model's decoder. Returns whether it was taken. */
function compare(head: Head, scanner: OtlpJsonScanner, body: Buffer): boolean {
  const before = head.mark()
  const count = scanner.scan(body)
  if (count === undefined) {
    expect(head.mark()).toEqual(before)
    return false
  }
  const show = (): string => body.toString().slice(0, 3000)
  let spans: Span[]
  try {
    const decoded = decodeOtlpJson(body)
    expect(decoded.rejected, show()).toBe(0)
    spans = decoded.spans
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new Error(`taken, where the model says ${error.message}: ${show()}`)
  }
  expect(count, show()).toBe(spans.length)
  for (const [i, span] of spans.entries()) {
    expect(JSON.parse(JSON.stringify(head.span(before.rows + i))), show()).toEqual(JSON.parse(JSON.stringify(span)))
  }
  return true
}

const KEYS = [
  'http.method',
  'error',
  'peer.service',
  'server.address',
  'network.peer.address',
  'network.peer.port',
  'é"',
  '__proto__',
  '',
  'service.name',
  '1',
]
const TEXTS = [
  '',
  'GET',
  'true',
  'false',
  '10.0.0.1',
  '80',
  'a "quoted" one\\',
  'line\nbreak',
  '价格',
  '\ud83d\ude00',
  '\ufeffbom',
  'x'.repeat(300),
  '\0',
]
const VALUES = (random: Random): unknown[] => [
  { stringValue: pick(random, TEXTS) },
  { stringValue: pick(random, TEXTS) },
  { stringValue: pick(random, TEXTS) },
  { intValue: '42' },
  { intValue: -7 },
  { boolValue: random() < 0.5 },
  { doubleValue: 1.5 },
  { arrayValue: { values: [{ stringValue: 'a' }, { intValue: 1 }] } },
  { kvlistValue: { values: [{ key: 'k', value: { stringValue: '}]' } }] } },
  {},
]
const attributes = (random: Random): object[] =>
  Array.from({ length: randomInteger(random, 5) }, () => ({
    key: pick(random, KEYS),
    value: pick(random, VALUES(random)),
  }))

/** Each of these fields in one span of so many. */
function some(random: Random, share: number, fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(() => random() < share))
}

function oddSpan(random: Random): object {
  const start = String(1_700_000_000_000_000_000n + BigInt(randomInteger(random, 1_000_000_000)))
  return {
    traceId: pick(random, [
      randomHex(random, 32),
      `${'0'.repeat(16)}${randomHex(random, 16)}`,
      ...(random() < 0.02 ? ['0'.repeat(32), 'AB'] : []),
    ]),
    spanId: random() < 0.01 ? '0'.repeat(16) : randomHex(random, 16),
    ...some(random, 0.6, { parentSpanId: pick(random, ['', randomHex(random, 16)]) }),
    ...some(random, 0.9, {
      name: pick(random, TEXTS),
      kind: pick(random, [0, 1, 2, 3, 4, 5, 6, 'SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT', 'SPAN_KIND_ODD']),
      startTimeUnixNano: pick(random, [start, start, start, '0', '999', '1000', 5, '99999999999999999999']),
      endTimeUnixNano: pick(random, [start, `${start.slice(0, -3)}999`, '1800000000000000000', '1']),
      attributes: attributes(random),
    }),
    ...some(random, 0.3, {
      traceState: pick(random, ['', 'a=1']),
      droppedAttributesCount: pick(random, [0, 0, 0, 3]),
      events: Array.from({ length: randomInteger(random, 3) }, (_, i) => ({
        timeUnixNano: pick(random, [start, start, `${i}`]),
        ...some(random, 0.9, { name: pick(random, TEXTS) }),
        ...some(random, 0.4, { attributes: attributes(random), droppedAttributesCount: pick(random, [0, 0, 2]) }),
      })),
      droppedEventsCount: 0,
      links: Array.from({ length: randomInteger(random, 3) }, () => ({
        traceId: randomHex(random, 32),
        spanId: randomHex(random, 16),
        ...some(random, 0.3, { attributes: attributes(random) }),
      })),
      droppedLinksCount: 0,
      status: pick(random, [
        {},
        { code: 0 },
        { code: 1 },
        { code: 2, message: pick(random, TEXTS) },
        { code: 'STATUS_CODE_ERROR' },
        { message: 'm' },
      ]),
      flags: 257,
    }),
  }
}

function oddRequest(random: Random): object {
  return {
    resourceSpans: Array.from({ length: 1 + randomInteger(random, 2) }, () => ({
      ...some(random, 0.9, {
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: pick(random, ['web', 'Shop', '']) } },
            ...attributes(random),
          ],
        },
      }),
      ...some(random, 0.95, {
        scopeSpans: Array.from({ length: 1 + randomInteger(random, 2) }, () => ({
          ...some(random, 0.7, {
            scope: {
              name: pick(random, TEXTS),
              ...some(random, 0.5, { version: '1.0', attributes: attributes(random) }),
            },
          }),
          ...some(random, 0.95, { spans: Array.from({ length: randomInteger(random, 4) }, () => oddSpan(random)) }),
          ...some(random, 0.3, { schemaUrl: 'https://opentelemetry.io/schemas/1.24.0' }),
        })),
      }),
    })),
  }
}

const SNIPPETS = [
  '"',
  '\\',
  '\\u00e9',
  '\\ud800',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  'null',
  '0',
  '-1',
  '1e3',
  ' ',
  '\n',
  '"kind":3,',
  'true',
  '\x01',
  'é',
  '{}',
  '""',
]

function mutate(random: Random, body: Buffer): Buffer {
  const at = randomInteger(random, body.length + 1)
  const length = pick(random, [0, 0, 1, 1, 2, 10, 40])
  const other = randomInteger(random, body.length + 1)
  const put = pick(random, [Buffer.alloc(0), Buffer.from(pick(random, SNIPPETS)), body.subarray(other, other + 12)])
  return Buffer.concat([body.subarray(0, at), put, body.subarray(at + length)])
}

const attribute = (key: string, value: object): object => ({ key, value })

describe('the scanner of OTLP’s JSON', () => {
  it('takes what exporters send itself', () => {
    const head = new Head()
    const scanner = new OtlpJsonScanner(head)
    const span = {
      traceId: '463ac35c9f6413ad48485a3953bb6124',
      spanId: '00000000000000a1',
      parentSpanId: '00000000000000a0',
      name: 'GET /',
      kind: 3,
      startTimeUnixNano: '1700000000000000123',
      endTimeUnixNano: '1700000000000500000',
      attributes: [
        attribute('http.response.status_code', { intValue: 200 }),
        attribute('server.address', { stringValue: 'stock' }),
        attribute('user', { stringValue: 'a "quoted" one' }),
      ],
      droppedAttributesCount: 0,
      events: [
        { timeUnixNano: '1700000000000100000', name: 'sent', attributes: [], droppedAttributesCount: 0 },
        {
          timeUnixNano: '1700000000000200000',
          name: 'exception',
          attributes: [attribute('message', { stringValue: 'no' })],
        },
      ],
      droppedEventsCount: 0,
      status: { code: 2, message: 'it broke' },
      links: [{ traceId: '463ac35c9f6413ad48485a3953bb6125', spanId: '00000000000000b1', attributes: [] }],
      droppedLinksCount: 0,
      flags: 257,
    }
    const request = {
      resourceSpans: [
        {
          resource: { attributes: [attribute('service.name', { stringValue: 'web' })], droppedAttributesCount: 0 },
          scopeSpans: [
            {
              scope: { name: '@opentelemetry/http', version: '1' },
              spans: [span, { ...span, spanId: '00000000000000a2' }],
            },
          ],
        },
      ],
    }
    expect(compare(head, scanner, Buffer.from(JSON.stringify(request)))).toBe(true)
    expect(head.spanCount).toBe(2)
    // As it is written for people, too.
    expect(compare(head, scanner, Buffer.from(JSON.stringify(request, null, 2)))).toBe(true)
    expect(scanner.scan(Buffer.from(JSON.stringify(request)), 1)).toBeUndefined()
    expect(head.spanCount).toBe(4)
  })

  it('takes or leaves what is odd, as the decoder of the model would take it', () => {
    const random = seededRandom(SEED)
    let head = new Head()
    let scanner = new OtlpJsonScanner(head)
    let taken = 0
    for (let i = 0; i < BODIES; i++) {
      if (i % 500 === 0) {
        head = new Head()
        scanner = new OtlpJsonScanner(head)
      }
      let body = Buffer.from(JSON.stringify(oddRequest(random), null, random() < 0.2 ? 1 : 0))
      for (let changes = randomInteger(random, 3); changes > 0; changes--) {
        body = mutate(random, body) as Buffer<ArrayBuffer>
      }
      if (compare(head, scanner, body)) taken++
    }
    // Enough of both, or this proves nothing.
    expect(taken).toBeGreaterThan(BODIES * 0.1)
    expect(taken).toBeLessThan(BODIES * 0.9)
  }, 600_000_000)
})
