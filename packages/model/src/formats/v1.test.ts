import { describe, expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../testing/random.ts'
import { DecodeError, decodeJsonV1, decodeThrift, encodeJsonV2 } from './index.ts'

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const web = { serviceName: 'Web', ipv4: '1.2.3.4' }
const app = { serviceName: 'app', port: 80 }

/** Thrift by hand: type, number, value. */
const field = (type: number, id: number, ...value: number[]) => [type, 0, id, ...value]
const i64 = (value: number) => [0, 0, 0, 0, 0, 0, 0, value]
const text = (value: string) => [0, 0, 0, value.length, ...Buffer.from(value)]
const listOf = (...structs: number[][]) => [12, 0, 0, 0, structs.length, ...structs.flat()]
const ids = [...field(10, 1, ...i64(1)), ...field(10, 4, ...i64(2))]
const host = [...field(11, 3, ...text('web')), ...field(8, 1, 1, 2, 3, 4), 0]
const body = (...fields: number[]) => Uint8Array.from(listOf([...ids, ...fields, 0]))

describe('JSON v1', () => {
  test('of a call both sides become a span', () => {
    const spans = decodeJsonV1(
      json([
        {
          traceId: '1',
          id: '2',
          name: 'GET',
          annotations: [
            { timestamp: 40, value: 'cr', endpoint: web },
            { timestamp: 10, value: 'cs', endpoint: web },
            { timestamp: 20, value: 'sr', endpoint: app },
            { timestamp: 25, value: 'half way', endpoint: app },
            { timestamp: 30, value: 'ss', endpoint: app },
          ],
          binaryAnnotations: [
            { key: 'http.path', value: '/a', endpoint: app },
            { key: 'sa', value: true, endpoint: app },
          ],
        },
      ]),
    )
    const ids = { traceId: '0000000000000001', id: '0000000000000002', name: 'get' }
    const at = { serviceName: 'web', ipv4: '1.2.3.4' }
    expect(spans).toEqual([
      { ...ids, kind: 'CLIENT', timestamp: 10, duration: 30, localEndpoint: at, remoteEndpoint: app },
      {
        ...ids,
        kind: 'SERVER',
        timestamp: 20,
        duration: 10,
        localEndpoint: app,
        annotations: [{ timestamp: 25, value: 'half way' }],
        tags: { 'http.path': '/a' },
        shared: true,
      },
    ])
  })
  test('tags named like what objects inherit are tags', () => {
    const [span] = decodeJsonV1(
      new TextEncoder().encode('[{"traceId":"1","id":"1","binaryAnnotations":[{"key":"__proto__","value":"x"}]}]'),
    )
    expect(Object.entries(span!.tags!)).toEqual([['__proto__', 'x']])
  })
})

describe('thrift', () => {
  test('is read like the JSON', () => {
    const annotation = (time: number, value: string) => [
      ...field(10, 1, ...i64(time)),
      ...field(11, 2, ...text(value)),
      ...field(12, 3, ...host),
      0,
    ]
    const fromThrift = decodeThrift(body(...field(15, 6, ...listOf(annotation(5, 'sr'), annotation(9, 'ss')))))
    const endpoint = { serviceName: 'web', ipv4: '1.2.3.4' }
    const annotations = [
      { timestamp: 5, value: 'sr', endpoint },
      { timestamp: 9, value: 'ss', endpoint },
    ]
    expect(encodeJsonV2(fromThrift)).toBe(encodeJsonV2(decodeJsonV1(json([{ traceId: '1', id: '2', annotations }]))))
  })
  test('fields that are not known are passed over', () => {
    const strange = [
      ...field(2, 90, 1),
      ...field(4, 91, ...i64(3)),
      ...field(6, 92, 0, 1),
      ...field(13, 93, 8, 11, 0, 0, 0, 1, 0, 0, 0, 5, ...text('v')),
      ...field(14, 94, 3, 0, 0, 0, 2, 1, 2),
      ...field(12, 95, ...field(15, 1, 12, 0, 0, 0, 1, 0), 0),
      ...field(8, 3, 0, 0, 0, 5),
    ]
    expect(decodeThrift(body(...strange, ...field(11, 3, ...text('NAME'))))).toMatchObject([{ name: 'name' }])
  })
  test('what nests without end is refused', () => {
    const deep = Array.from({ length: 10_000 }, () => field(12, 50)).flat()
    expect(() => decodeThrift(body(...deep))).toThrow(
      'Malformed: a field nests too deeply reading List<Span> from TBinary',
    )
  })
  test('a list of two milliards of nothing ends with the body', () => {
    expect(() => decodeThrift(body(...field(15, 50, 0, 0x7f, 0xff, 0xff, 0xff)))).toThrow(DecodeError)
    expect(() => decodeThrift(body(...field(13, 50, 0, 0, 0x7f, 0xff, 0xff, 0xff)))).toThrow(DecodeError)
  })
  test('damaged bodies are read or refused, and nothing else happens', () => {
    const bytes = body(
      ...field(11, 3, ...text('name')),
      ...field(
        15,
        8,
        ...listOf([
          ...field(11, 1, ...text('k')),
          ...field(11, 2, ...text('v')),
          ...field(8, 3, 0, 0, 0, 6),
          ...field(12, 4, ...host),
          0,
        ]),
      ),
    )
    const random = seededRandom(3)
    for (let i = 0; i < 5_000; i++) {
      const damaged = Uint8Array.from(bytes)
      damaged[randomInteger(random, damaged.length)] = randomInteger(random, 256)
      try {
        decodeThrift(damaged)
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
  })
})
