import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DecodeError, decodeJsonV2, type Span } from '@hopscope/model'
import { generateTrace, pick, type Random, randomInteger, seededRandom } from '@hopscope/model/testing'
import { describe, expect, it } from 'vitest'
import { Head } from './head.ts'
import { JsonKernel } from './json-kernel.ts'
import { JsonScanner } from './json-scanner.ts'
import { KernelScanner } from './kernel-scanner.ts'
import type { Scanner } from './scan.ts'

/** By hand a million, in one run or with several seeds: HOPSCOPE_FUZZ_BODIES=1000000 npm test -- unit json-scanner */
const BODIES = Number(process.env.HOPSCOPE_FUZZ_BODIES ?? 12_000)
const SEED = Number(process.env.HOPSCOPE_FUZZ_SEED ?? 5)

function plain(body: Buffer): Span[] | undefined {
  try {
    return decodeJsonV2(body)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

const wellFormed = (text: string): string => (text.isWellFormed() ? text : text.replace(/\p{Surrogate}/gu, '?'))

/** As a store keeps it: UTF-8 has no lone surrogates. */
function storable(span: Span): Span {
  return JSON.parse(JSON.stringify(span), (_key, value) => {
    if (typeof value === 'string') return wellFormed(value)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    // Two keys may have become one.
    return Object.fromEntries(Object.entries(value).map(([key, of]) => [wellFormed(key), of]))
  })
}

/** Scans `body` behind spans that are there already, and compares with the model's decoder. Returns whether it was taken. */
function compare(head: Head, scanner: Scanner, body: Buffer): boolean {
  const before = head.mark()
  const count = scanner.scan(body)
  if (count === undefined) {
    expect(head.mark()).toEqual(before)
    return false
  }
  const expected = plain(body)
  const show = (): string => body.toString().slice(0, 2000)
  expect(expected, show()).toBeDefined()
  expect(count, show()).toBe(expected!.length)
  for (const [i, span] of expected!.entries()) {
    expect(JSON.parse(JSON.stringify(head.span(before.rows + i))), show()).toEqual(storable(span))
  }
  return true
}

const TEXTS = [
  '',
  'get',
  'GET /',
  'é',
  'İ',
  '😀',
  'a"b',
  'a\\b',
  '\u2028',
  '\ud800',
  '\0',
  '}',
  '{',
  ']',
  'error',
  '__proto__',
  '1',
]

function oddSpan(random: Random): object {
  const text = (): string => pick(random, TEXTS)
  const maybe = <T>(share: number, value: () => T): T | undefined => (random() < share ? value() : undefined)
  const id = (): unknown =>
    pick<unknown>(random, ['00000000000000a1', 'a1', '0000000000000000', '0', 'A1', '', 'ffffffffffffffff', 7, null])
  const time = (): unknown => pick<unknown>(random, [1, 0, -1, 1.5, 1e3, 1700000000000000, 2 ** 53, '5', null, 1e300])
  const endpoint = (): unknown =>
    pick<unknown>(random, [
      { serviceName: text() },
      { serviceName: 'Web', ipv4: '10.0.0.1', port: 80 },
      { ipv4: '10.0.0.300', port: 70000 },
      { ipv6: '::1', port: 0 },
      { serviceName: 'x', other: { a: 1 } },
      {},
      null,
      5,
    ])
  return {
    traceId: pick<unknown>(random, [
      '00000000000000b1',
      '463ac35c9f6413ad48485a3953bb6124',
      '000000000000000048485a3953bb6124',
      '463ac35c9f6413ad0000000000000000',
      'b1',
      id(),
    ]),
    id: random() < 0.8 ? '00000000000000a1' : id(),
    parentId: maybe(0.5, id),
    kind: maybe(0.6, () => pick<unknown>(random, ['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER', 'client', '', null])),
    name: maybe(0.7, text),
    timestamp: maybe(0.7, time),
    duration: maybe(0.5, time),
    localEndpoint: maybe(0.6, endpoint),
    remoteEndpoint: maybe(0.3, endpoint),
    annotations: maybe(0.4, () =>
      Array.from({ length: randomInteger(random, 4) }, () => ({
        timestamp: pick(random, [1, 2, 3, 0]),
        value: text(),
        ...(random() < 0.05 ? { endpoint: {} } : {}),
      })),
    ),
    tags: maybe(0.7, () => {
      const tags: [string, unknown][] = Array.from({ length: randomInteger(random, 5) }, () => [
        text(),
        random() < 0.03 ? 5 : text(),
      ])
      return Object.fromEntries(tags)
    }),
    debug: maybe(0.2, () => random() < 0.5),
    shared: maybe(0.3, () => random() < 0.5),
    ...(random() < 0.02 ? { extra: [] } : {}),
  }
}

/** What a text editor, a network or an attacker does to bytes. */
function mutate(random: Random, body: Buffer): Buffer {
  const bytes = Buffer.from(body)
  const at = randomInteger(random, bytes.length)
  switch (randomInteger(random, 6)) {
    case 0:
      bytes[at] = randomInteger(random, 256)
      return bytes
    case 1:
      return bytes.subarray(0, at)
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + randomInteger(random, 8))])
    case 3: {
      const from = randomInteger(random, bytes.length)
      return Buffer.concat([
        bytes.subarray(0, at),
        bytes.subarray(from, from + randomInteger(random, 60)),
        bytes.subarray(at),
      ])
    }
    case 4:
      bytes[at] = pick(random, [0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x20, 0x0a, 0x30])
      return bytes
    default:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(pick(random, [' ', '\n', ',', '\\u0041', '\\"', '\xff'])),
        bytes.subarray(at),
      ])
  }
}

describe.each([JsonScanner, KernelScanner])('%o', Scanner => {
  it('takes what reporters send', () => {
    const random = seededRandom(3)
    const head = new Head()
    const scanner = new Scanner(head)
    for (const shared of [false, true]) {
      const spans = generateTrace({ spans: 60, shared, verbose: true, traceIdLength: shared ? 32 : 16 }, random)
      expect(compare(head, scanner, Buffer.from(JSON.stringify(spans)))).toBe(true)
      expect(compare(head, scanner, Buffer.from(JSON.stringify(spans, null, 2)))).toBe(true)
    }
    expect(compare(head, scanner, Buffer.from(' [ ] \n'))).toBe(true)
  })

  it('takes texts of every length at the very end of a body', () => {
    const head = new Head()
    const scanner = new Scanner(head)
    for (let length = 0; length < 12; length++) {
      const name = 'abcdefghijklm'.slice(0, length)
      for (const rest of [
        `"name":"${name}"`,
        `"tags":{"k":"${name}"}`,
        `"tags":{"${name}":""}`,
        `"duration":${length}`,
      ]) {
        const body = Buffer.from(`[{"traceId":"00000000000000b1","id":"00000000000000a1",${rest}}]`)
        expect(compare(head, scanner, body), body.toString()).toBe(true)
        for (let cut = 1; cut < length + 6; cut++) compare(head, scanner, body.subarray(0, body.length - cut))
      }
    }
  })

  it('leaves what zipkin-server takes for its earlier format', () => {
    const head = new Head()
    const scanner = new Scanner(head)
    const ids = '"traceId":"00000000000000b1","id":"00000000000000a1"'
    for (const rest of [
      '"name":"binaryAnnotations"',
      '"tags":{"binaryAnnotations":""}',
      '"tags":{"k":"yAnnotations"}',
      '"annotations":[{"timestamp":1,"value":"\\n yAnnotations"}]',
      '"localEndpoint":{"serviceName":"yAnnotations"}',
    ]) {
      expect(scanner.scan(Buffer.from(`[{${ids},${rest}}]`)), rest).toBeUndefined()
    }
    for (const text of ['Annotations', 'yannotations', 'yAnnotations ', '\\"yAnnotations\\"']) {
      expect(compare(head, scanner, Buffer.from(`[{${ids},"tags":{"k":"${text}"}}]`)), text).toBe(true)
    }
  })

  it('takes or leaves what is odd, as the decoder of the model would take it', () => {
    const random = seededRandom(SEED)
    let head = new Head()
    let scanner = new Scanner(head)
    let taken = 0
    for (let i = 0; i < BODIES; i++) {
      if (i % 500 === 0) {
        head = new Head()
        scanner = new Scanner(head)
      }
      const isOrdinary = random() < 0.4
      const spans = isOrdinary
        ? generateTrace(
            { spans: 1 + randomInteger(random, 4), shared: random() < 0.5, verbose: random() < 0.3 },
            random,
          )
        : Array.from({ length: 1 + randomInteger(random, 2) }, () => oddSpan(random))
      let body = Buffer.from(JSON.stringify(spans, null, random() < 0.2 ? 1 : 0))
      for (let changes = isOrdinary ? randomInteger(random, 3) : randomInteger(random, 2); changes > 0; changes--) {
        if (body.length > 0) body = mutate(random, body) as Buffer<ArrayBuffer>
      }
      if (compare(head, scanner, body)) taken++
    }
    // Enough of both, or this proves nothing.
    expect(taken).toBeGreaterThan(BODIES * 0.1)
    expect(taken).toBeLessThan(BODIES * 0.9)
  }, 600_000_000)
})

describe('the kernel', () => {
  const spansOf = (count: number): object[] =>
    Array.from({ length: count }, (_, i) => ({
      traceId: '463ac35c9f6413ad48485a3953bb6124',
      id: (i + 1).toString(16).padStart(16, '0'),
      name: `get /${i % 7}`,
      kind: 'CLIENT',
      timestamp: 1_700_000_000_000_000 + i,
      localEndpoint: { serviceName: 'web', ipv4: '10.0.0.1' },
      annotations: [{ timestamp: 5, value: 'a "quoted" one' }],
      tags: { 'http.path': `/${i % 11}`, error: 'é\\' },
      shared: false,
    }))

  it('takes what reporters send itself', () => {
    const kernel = new JsonKernel()
    kernel.use(new Head())
    const first = kernel.textEnd
    expect(kernel.scan(Buffer.from(JSON.stringify(spansOf(100))), 100)).toBe(100)
    const texts: number[] = []
    for (let text = first; text < kernel.textEnd; text = kernel.textAfter(text)) texts.push(text)
    // Seven names, an endpoint, a value, eleven tags and one more.
    expect(texts).toHaveLength(7 + 1 + 1 + 11 + 1)
    expect(kernel.scan(Buffer.from(JSON.stringify(spansOf(100), null, 2)), 100)).toBe(100)
    expect(kernel.scan(Buffer.from(JSON.stringify(spansOf(101))), 100)).toBeUndefined()
    expect(kernel.scan(Buffer.from('[]'), 100)).toBe(0)
  })

  it('was made of the source beside it', async () => {
    const source = readFileSync(new URL('../../assembly/json-kernel.ts', import.meta.url))
    const module = new WebAssembly.Module(readFileSync(new URL('./json-kernel.wasm', import.meta.url)))
    const [hash] = WebAssembly.Module.customSections(module, 'source')
    // node packages/store/assembly/build.ts makes it anew.
    expect(Buffer.from(hash!).toString('hex')).toBe(createHash('sha256').update(source).digest('hex'))
  })

  it('leaves to the scanner what it has no room for', () => {
    const head = new Head()
    const scanner = new KernelScanner(head)
    const tags = (count: number, at: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, `${at}`]))
    const of = (span: object): Buffer => Buffer.from(JSON.stringify([{ ...spansOf(1)[0], ...span }]))
    expect(compare(head, scanner, Buffer.from(JSON.stringify(spansOf(5000))))).toBe(true)
    expect(compare(head, scanner, of({ tags: { long: 'x'.repeat(2 ** 20) } }))).toBe(true)
    expect(
      compare(
        head,
        scanner,
        of({ annotations: Array.from({ length: 20_000 }, (_, i) => ({ timestamp: i + 1, value: 'v' })) }),
      ),
    ).toBe(true)
    // More texts than it keeps, and more tags in one body than it has room for.
    for (let i = 0; i < 4; i++) expect(compare(head, scanner, of({ tags: tags(9_000, i) }))).toBe(true)
    expect(compare(head, scanner, of({ tags: tags(30_000, 9) }))).toBe(true)
    expect(compare(head, scanner, Buffer.from(JSON.stringify(spansOf(10))))).toBe(true)
  })

  it('serves several heads, and forgets what one of them takes back', () => {
    const heads = [new Head(), new Head()]
    const scanners = heads.map(head => new KernelScanner(head))
    const body = Buffer.from(JSON.stringify(spansOf(20)))
    for (let turn = 0; turn < 6; turn++) {
      const head = heads[turn % 2]!
      const mark = head.mark()
      expect(compare(head, scanners[turn % 2]!, body)).toBe(true)
      // As when its log could not be written.
      if (turn < 4) head.rollback(mark)
      expect(compare(head, scanners[turn % 2]!, body)).toBe(true)
    }
  })
})
