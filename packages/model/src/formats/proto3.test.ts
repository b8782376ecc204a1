import protobuf from 'protobufjs'
import { describe, expect, test } from 'vitest'
import type { Kind, Span } from '../span.ts'
import { generateTrace } from '../testing/generate-trace.ts'
import { pick, type Random, randomHex, randomInteger, seededRandom } from '../testing/random.ts'
import { DecodeError, decodeJsonV2, decodeProto3, encodeJsonV2 } from './index.ts'

// The other reader of the same bytes: zipkin.proto by protobufjs.
const List = protobuf
  .parse(`
    syntax = "proto3";
    message Span {
      bytes trace_id = 1; bytes parent_id = 2; bytes id = 3; int32 kind = 4; string name = 5; fixed64 timestamp = 6;
      uint64 duration = 7; Endpoint local_endpoint = 8; Endpoint remote_endpoint = 9; repeated Annotation annotations = 10;
      map<string, string> tags = 11; bool debug = 12; bool shared = 13; repeated string later = 99;
    }
    message Endpoint { string service_name = 1; bytes ipv4 = 2; bytes ipv6 = 3; int32 port = 4; fixed32 later = 9; }
    message Annotation { fixed64 timestamp = 1; string value = 2; sint64 later = 3; }
    message ListOfSpans { repeated Span spans = 1; }
  `)
  .root.lookupType('ListOfSpans')

const KINDS: readonly (Kind | undefined)[] = [undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER']
const bytesOf = (hex: string) => Buffer.from(hex, 'hex')

function encode(spans: readonly Span[], later: () => object = () => ({})): Uint8Array {
  const endpoint = (value: Span['localEndpoint']) =>
    value && { ...later(), ...value, ipv4: value.ipv4 && Buffer.from(value.ipv4.split('.').map(Number)) }
  return List.encode(
    List.fromObject({
      spans: spans.map(span => ({
        ...span,
        traceId: bytesOf(span.traceId),
        id: bytesOf(span.id),
        parentId: span.parentId && bytesOf(span.parentId),
        kind: KINDS.indexOf(span.kind),
        localEndpoint: endpoint(span.localEndpoint),
        remoteEndpoint: endpoint(span.remoteEndpoint),
        annotations: span.annotations?.map(annotation => ({ ...annotation, ...later() })),
        tags: span.tags && { ...span.tags },
      })),
    }),
  ).finish()
}

function randomSpan(random: Random): Span {
  const text = () =>
    pick(random, ['', 'a', 'GET /é', '日本 😀', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(65), '\ufeffbom'])
  const id = randomHex(random, 16)
  const json = {
    traceId: randomHex(random, pick(random, [16, 32])),
    id,
    ...(random() < 0.5 && { parentId: randomHex(random, 16) }),
    ...(random() < 0.7 && { kind: pick(random, KINDS.slice(1)) }),
    name: text(),
    timestamp: randomInteger(random, 2 ** 50),
    duration: randomInteger(random, pick(random, [2, 200, 2 ** 31, 2 ** 52])),
    localEndpoint: {
      serviceName: text(),
      ipv4: pick(random, ['1.2.3.4', '255.0.0.255']),
      port: randomInteger(random, 65_536),
    },
    remoteEndpoint: { serviceName: text() },
    annotations: Array.from({ length: randomInteger(random, 3) }, () => ({
      timestamp: 1 + randomInteger(random, 2 ** 50),
      value: `v${text()}`,
    })),
    tags: Object.fromEntries(Array.from({ length: randomInteger(random, 4) }, (_, i) => [`k${i}${text()}`, text()])),
    debug: random() < 0.2,
    shared: random() < 0.2,
  }
  // What the JSON reader makes of it is what is meant.
  return decodeJsonV2(Buffer.from(JSON.stringify([json])))[0]!
}

test('what protobufjs writes is read as it was meant', () => {
  const random = seededRandom(5)
  for (let i = 0; i < 500; i++) {
    const spans = Array.from({ length: 1 + randomInteger(random, 3) }, () => randomSpan(random))
    expect(decodeProto3(encode(spans))).toEqual(spans)
  }
})
test('fields of the future are passed over, within endpoints and annotations too', () => {
  const spans = generateTrace({ spans: 50 }, seededRandom(9))
  expect(decodeProto3(encode(spans, () => ({ later: 7 })))).toEqual(spans)
})
test('JSON and protobuf of a mesh are the same spans', () => {
  const spans = generateTrace({ spans: 200 }, seededRandom(2))
  expect(encodeJsonV2(decodeProto3(encode(spans)))).toBe(encodeJsonV2(spans))
})
test('a tag may be called __proto__', () => {
  const entry = (key: string, value: string) => {
    const bytes = Buffer.concat([
      Buffer.from([0x0a, key.length]),
      Buffer.from(key),
      Buffer.from([0x12, value.length]),
      Buffer.from(value),
    ])
    return Buffer.concat([Buffer.from([0x5a, bytes.length]), bytes])
  }
  const span = Buffer.concat([
    Buffer.from('0a080000000000000001', 'hex'),
    Buffer.from('1a080000000000000001', 'hex'),
    entry('__proto__', 'p'),
    entry('a', 'b'),
  ])
  const { tags } = decodeProto3(Buffer.concat([Buffer.from([0x0a, span.length]), span]))[0]!
  expect(Object.entries(tags!)).toEqual([
    ['__proto__', 'p'],
    ['a', 'b'],
  ])
  expect(Object.getPrototypeOf(tags)).toBe(null)
})
describe('damaged bodies', () => {
  test('cut off anywhere within a span, are refused', () => {
    const bytes = encode(generateTrace({ spans: 3 }, seededRandom(4)).slice(0, 1))
    for (let length = 1; length < bytes.length; length++) {
      expect(() => decodeProto3(bytes.subarray(0, length)), String(length)).toThrow(DecodeError)
    }
  })
  test('with any byte another one, are read or refused, and nothing else happens', () => {
    const bytes = encode(generateTrace({ spans: 3 }, seededRandom(4)))
    const random = seededRandom(8)
    for (let i = 0; i < 5_000; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[randomInteger(random, damaged.length)] = randomInteger(random, 256)
      try {
        for (const { traceId, id } of decodeProto3(damaged))
          expect(traceId.length + id.length).toBeGreaterThanOrEqual(32)
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
  })
})
