import { DecodeError, type Span } from '@hopscope/model'
import { decodeOtlpProto, decodeProto3 } from '@hopscope/model/formats'
import { pick, type Random, randomInteger, seededRandom } from '@hopscope/model/testing'
import { describe, expect, it } from 'vitest'
import { Head } from './head.ts'
import { OtlpScanner } from './otlp-scanner.ts'
import { Proto3Scanner } from './proto3-scanner.ts'
import type { Scanner } from './scan.ts'

/** By hand a million, in one run or with several seeds: HOPSCOPE_FUZZ_BODIES=1000000 npm test -- unit wire-scanner */
const BODIES = Number(process.env.HOPSCOPE_FUZZ_BODIES ?? 12_000)
const SEED = Number(process.env.HOPSCOPE_FUZZ_SEED ?? 7)

// Protobuf, written as it may be and as it may not.
const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest > 127 ? (rest % 128) | 0x80 : rest)
    if (rest <= 127) return Buffer.from(bytes)
  }
}
const key = (field: number, wireType: number): Buffer => varint(field * 8 + wireType)
const bytes = (field: number, value: Buffer | string): Buffer => {
  const content = Buffer.from(value as string)
  return Buffer.concat([key(field, 2), varint(content.length), content])
}
const whole = (field: number, value: number): Buffer => Buffer.concat([key(field, 0), varint(value)])
const fixed64 = (field: number, value: bigint): Buffer => {
  const content = Buffer.alloc(8)
  content.writeBigUInt64LE(BigInt.asUintN(64, value))
  return Buffer.concat([key(field, 1), content])
}
const hex = (text: string): Buffer => Buffer.from(text, 'hex')

const TEXTS: (string | Buffer)[] = [
  '',
  'get',
  'GET /',
  'é',
  'İ',
  '😀',
  '\ufeffbom',
  Buffer.from([0xff, 0x41]),
  Buffer.from([0xed, 0xa0, 0x80]),
  Buffer.from([0xe2, 0x82]),
  '\0',
  'error',
  'false',
  'true',
  '__proto__',
  '1',
  'peer.service',
  'server.address',
  'network.peer.address',
  'network.peer.port',
  'service.name',
  '10.0.0.1',
  '80',
  'x'.repeat(200),
]
const text = (random: Random): string | Buffer => pick(random, TEXTS)
const maybe = (random: Random, share: number, make: () => Buffer): Buffer =>
  random() < share ? make() : Buffer.alloc(0)
const several = (random: Random, most: number, make: () => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: randomInteger(random, most + 1) }, make))
const traceIdOf = (random: Random): Buffer =>
  hex(
    pick(random, [
      '00000000000000b1',
      '463ac35c9f6413ad48485a3953bb6124',
      '463ac35c9f6413ad48485a3953bb6124',
      '000000000000000048485a3953bb6124',
      '463ac35c9f6413ad0000000000000000',
    ]),
  )
const ODD_IDS = ['', '00', 'a1', '0000000000000000', '00000000000000000000000000000000', 'ffffffffffffffff']
const idOf = (random: Random): Buffer =>
  hex(
    random() < 0.9 ? pick(random, ['00000000000000a1', '00000000000000a2', 'ffffffffffffffff']) : pick(random, ODD_IDS),
  )
const TIMES = [0n, 1n, 999n, 1000n, 1_700_000_000_000_000n, 2n ** 53n, 2n ** 53n - 1n, 2n ** 63n, 2n ** 64n - 1n]

function shuffled(random: Random, parts: Buffer[]): Buffer {
  if (random() < 0.3) parts.sort(() => random() - 0.5)
  return Buffer.concat(parts)
}

function proto3Body(random: Random): Buffer {
  const endpoint = (): Buffer =>
    Buffer.concat([
      maybe(random, 0.9, () => bytes(1, pick(random, ['web', 'DB', '', 'é']))),
      maybe(random, 0.5, () => bytes(2, hex(pick(random, ['0a000001', '0a000002', '7f', ''])))),
      maybe(random, 0.2, () => bytes(3, hex(pick(random, ['20010db8000000000000000000000001', '00', ''])))),
      maybe(random, 0.5, () => whole(4, pick(random, [0, 80, 65_535, 65_536]))),
    ])
  const span = (): Buffer =>
    shuffled(random, [
      bytes(1, random() < 0.97 ? traceIdOf(random) : hex(pick(random, ODD_IDS))),
      maybe(random, 0.5, () => bytes(2, idOf(random))),
      bytes(3, idOf(random)),
      maybe(random, 0.7, () => whole(4, randomInteger(random, random() < 0.9 ? 5 : 9))),
      maybe(random, 0.8, () => bytes(5, text(random))),
      maybe(random, 0.8, () => fixed64(6, random() < 0.9 ? 1_700_000_000_000_000n : pick(random, TIMES))),
      maybe(random, 0.6, () => whole(7, pick(random, [0, 1, 127, 128, 300, 70_000, 2 ** 40, 2 ** 53 - 1]))),
      maybe(random, 0.8, () => bytes(8, endpoint())),
      maybe(random, 0.3, () => bytes(9, endpoint())),
      several(random, 2, () =>
        bytes(10, Buffer.concat([fixed64(1, pick(random, [1n, 2n, 3n, 1n, 0n])), bytes(2, text(random))])),
      ),
      several(random, 4, () => {
        const name = random() < 0.95 ? pick(random, ['a', 'b', 'http.method']) : text(random)
        return bytes(11, Buffer.concat([bytes(1, name), maybe(random, 0.9, () => bytes(2, text(random)))]))
      }),
      maybe(random, 0.1, () => whole(12, randomInteger(random, 2))),
      maybe(random, 0.3, () => whole(13, randomInteger(random, 2))),
      maybe(random, 0.02, () => bytes(20, 'unknown')),
    ])
  return several(random, 3, () => bytes(1, span()))
}

function otlpBody(random: Random): Buffer {
  const value = (depth = 0): Buffer => {
    switch (randomInteger(random, depth > 1 || random() < 0.7 ? 4 : 8)) {
      case 0:
      case 1:
        return bytes(1, text(random))
      case 2:
        return whole(2, randomInteger(random, 2))
      case 3:
        return whole(3, pick(random, [0, 1, 200, 2 ** 31, 2 ** 53 - 1, 2 ** 53]))
      case 4:
        return Buffer.concat([key(4, 1), Buffer.from(new Float64Array([pick(random, [0, 1.5, -1, 1e300])]).buffer)])
      case 5:
        return bytes(
          5,
          several(random, 2, () => bytes(1, value(depth + 1))),
        )
      case 6:
        return bytes(
          6,
          several(random, 2, () => bytes(1, attribute(depth + 1))),
        )
      default:
        return random() < 0.5
          ? bytes(7, Buffer.from([1, 2, 255]))
          : Buffer.concat([key(3, 0), Buffer.from('ffffffffffffffffff01', 'hex')])
    }
  }
  const attribute = (depth = 0): Buffer =>
    Buffer.concat([
      bytes(
        1,
        random() < 0.8 ? pick(random, ['a', 'b', 'http.request.method', 'peer.service', 'error']) : text(random),
      ),
      maybe(random, 0.97, () => bytes(2, random() < 0.98 ? value(depth) : '')),
    ])
  const attributes = (field: number, most: number): Buffer => several(random, most, () => bytes(field, attribute()))
  const time = (): bigint =>
    random() < 0.9 ? 1_700_000_000_000_000_000n + BigInt(randomInteger(random, 5000)) : pick(random, TIMES)
  const event = (): Buffer =>
    Buffer.concat([
      maybe(random, 0.95, () => fixed64(1, time())),
      maybe(random, 0.95, () => bytes(2, text(random))),
      maybe(random, 0.4, () => attributes(3, 2)),
      maybe(random, 0.1, () => whole(4, 1)),
    ])
  const span = (): Buffer =>
    shuffled(random, [
      bytes(1, random() < 0.97 ? traceIdOf(random) : hex(pick(random, ODD_IDS))),
      bytes(2, idOf(random)),
      maybe(random, 0.1, () => bytes(3, text(random))),
      maybe(random, 0.5, () => bytes(4, idOf(random))),
      maybe(random, 0.2, () => Buffer.concat([key(16, 5), Buffer.from([1, 1, 0, 0])])),
      maybe(random, 0.8, () => bytes(5, text(random))),
      maybe(random, 0.8, () => whole(6, randomInteger(random, random() < 0.95 ? 6 : 9))),
      maybe(random, 0.9, () => fixed64(7, time())),
      maybe(random, 0.9, () => fixed64(8, time())),
      attributes(9, 4),
      maybe(random, 0.03, () => whole(10, randomInteger(random, 2))),
      several(random, 2, () => bytes(11, event())),
      maybe(random, 0.03, () => whole(12, 1)),
      maybe(random, 0.05, () =>
        bytes(
          13,
          Buffer.concat([
            bytes(1, traceIdOf(random)),
            bytes(2, idOf(random)),
            maybe(random, 0.3, () => bytes(3, text(random))),
            maybe(random, 0.3, () => attributes(4, 2)),
          ]),
        ),
      ),
      maybe(random, 0.4, () =>
        bytes(
          15,
          Buffer.concat([
            maybe(random, 0.5, () => bytes(2, text(random))),
            maybe(random, 0.8, () => whole(3, randomInteger(random, 4))),
          ]),
        ),
      ),
      maybe(random, 0.02, () => bytes(15, whole(3, 2))),
    ])
  const scopeSpans = (): Buffer =>
    shuffled(random, [
      maybe(random, 0.8, () =>
        bytes(
          1,
          Buffer.concat([
            maybe(random, 0.8, () => bytes(1, pick(random, ['scope', '']))),
            maybe(random, 0.5, () => bytes(2, '1.0')),
            maybe(random, 0.1, () => attributes(3, 2)),
          ]),
        ),
      ),
      several(random, 2, () => bytes(2, span())),
      maybe(random, 0.1, () => bytes(3, 'schema')),
    ])
  const resourceSpans = (): Buffer =>
    shuffled(random, [
      maybe(random, 0.9, () =>
        bytes(
          1,
          Buffer.concat([
            maybe(random, 0.8, () => bytes(1, Buffer.concat([bytes(1, 'service.name'), bytes(2, bytes(1, 'Web'))]))),
            maybe(random, 0.3, () => attributes(1, 3)),
          ]),
        ),
      ),
      several(random, 2, () => bytes(2, scopeSpans())),
      maybe(random, 0.1, () => bytes(3, 'schema')),
    ])
  return several(random, 2, () => bytes(1, resourceSpans()))
}

/** What a network or an attacker does to bytes. */
function mutate(random: Random, body: Buffer): Buffer {
  const at = randomInteger(random, body.length)
  const changed = Buffer.from(body)
  switch (randomInteger(random, 4)) {
    case 0:
      changed[at] = randomInteger(random, 256)
      return changed
    case 1:
      changed[at]! ^= 1 << randomInteger(random, 8)
      return changed
    case 2:
      return changed.subarray(0, at)
    default: {
      const from = randomInteger(random, body.length)
      return Buffer.concat([
        body.subarray(0, at),
        body.subarray(from, from + randomInteger(random, 40)),
        body.subarray(at),
      ])
    }
  }
}

/** As a store keeps it. */
const stored = (span: Span): unknown => JSON.parse(JSON.stringify(span))

interface Case {
  name: string
  make: (random: Random) => Buffer
  /** undefined: not all of it can be taken. */
  decode: (body: Buffer) => Span[] | undefined
  Scanner: new (head: Head) => Scanner
}

const CASES: Case[] = [
  { name: 'proto3', make: proto3Body, decode: decodeProto3, Scanner: Proto3Scanner },
  {
    name: 'OTLP',
    make: otlpBody,
    decode: body => {
      const { spans, rejected } = decodeOtlpProto(body)
      return rejected === 0 ? spans : undefined
    },
    Scanner: OtlpScanner,
  },
]

describe.each(CASES)('the scanner of $name', ({ make, decode, Scanner }) => {
  it('takes or leaves what comes, as the decoder of the model would take it', () => {
    const random = seededRandom(SEED)
    let head = new Head()
    let scanner = new Scanner(head)
    let taken = 0
    for (let i = 0; i < BODIES; i++) {
      if (i % 500 === 0) {
        head = new Head()
        scanner = new Scanner(head)
      }
      let body = make(random)
      if (random() < 0.3 && body.length > 0) body = mutate(random, body)
      const before = head.mark()
      const count = scanner.scan(body)
      if (count === undefined) {
        expect(head.mark()).toEqual(before)
        continue
      }
      let expected: Span[] | undefined
      try {
        expected = decode(body)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
      const show = (): string => body.toString('hex').slice(0, 4000)
      expect(expected, show()).toBeDefined()
      expect(count, show()).toBe(expected!.length)
      for (const [n, span] of expected!.entries()) {
        expect(stored(head.span(before.rows + n)), show()).toEqual(stored(span))
      }
      taken++
    }
    // Enough of both, or this proves nothing.
    expect(taken).toBeGreaterThan(BODIES * 0.1)
    expect(taken).toBeLessThan(BODIES * 0.9)
  }, 600_000_000)

  it('takes no more spans than it may', () => {
    const random = seededRandom(11)
    const head = new Head()
    const scanner = new Scanner(head)
    for (;;) {
      const body = make(random)
      const count = scanner.scan(body)
      if (count === undefined || count < 2) continue
      const before = head.mark()
      expect(scanner.scan(body, count - 1)).toBeUndefined()
      expect(head.mark()).toEqual(before)
      expect(scanner.scan(body, count)).toBe(count)
      return
    }
  })
})
