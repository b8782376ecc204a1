import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { hopsFromTrace } from '../hop.ts'
import type { Span } from '../span.ts'
import { generateTrace } from '../testing/generate-trace.ts'
import { seededRandom } from '../testing/random.ts'
import { decodeJaegerJson, decodeOtlpJson, encodeOtlpJson } from './index.ts'

/** Who called whom, how long, and whether it failed: what must survive. */
function callsOf(spans: readonly Span[]): string[] {
  return hopsFromTrace(spans)
    .map(hop => {
      const main = hop.call ?? hop.server ?? hop.spans[0]!
      return `${hop.form} ${hop.caller} ${hop.callee} ${main.name} ${main.timestamp} ${main.duration} ${main.tags?.error ?? ''}`
    })
    .sort()
}

describe('OTLP JSON, written and read again', () => {
  const fixtures = new URL('../testing/fixtures/', import.meta.url)
  const envoy = readdirSync(fixtures).filter(file => file.startsWith('envoy-'))
  const reread = (spans: readonly Span[]) => decodeOtlpJson(new TextEncoder().encode(encodeOtlpJson(spans)))

  test.each(envoy)('has the calls of the real Envoy: %s', file => {
    const spans = JSON.parse(readFileSync(new URL(file, fixtures), 'utf8')) as Span[]
    const { spans: again, rejected } = reread(spans)
    expect(rejected).toBe(0)
    expect(again).toHaveLength(spans.length)
    expect(callsOf(again)).toEqual(callsOf(spans))
  })
  test.each([true, false])('has the calls of a mesh (shared: %s)', shared => {
    const spans = generateTrace({ spans: 400, shared, verbose: true, errorRate: 0.2 }, seededRandom(2))
    const { spans: again } = reread(spans)
    expect(new Set(again.map(({ id }) => id)).size).toBe(spans.length)
    expect(callsOf(again)).toEqual(callsOf(spans))
    expect(again.map(({ tags }) => tags?.['guid:x-request-id']).sort()).toEqual(
      spans.map(({ tags }) => tags?.['guid:x-request-id']).sort(),
    )
  })
  test('keeps a parent that is not there, and makes ids of odd ones', () => {
    const { spans, rejected } = reread([
      { traceId: 'file', id: 'root', timestamp: 1, name: 'a' },
      { traceId: 'file', id: '000000000000000b', parentId: '000000000000000a', timestamp: 2, duration: 5 },
    ])
    expect(rejected).toBe(0)
    expect(spans.find(({ timestamp }) => timestamp === 2)).toMatchObject({ parentId: '000000000000000a', duration: 5 })
  })
})

describe('Jaeger JSON', () => {
  const span = (more: object) => ({
    traceID: '1f',
    spanID: 'a',
    operationName: 'get',
    startTime: 10,
    duration: 5,
    ...more,
  })
  test('is read as its UI saves it', () => {
    const { spans, rejected } = decodeJaegerJson({
      data: [
        {
          traceID: '1f',
          spans: [
            span({ processID: 'p1', tags: [{ key: 'span.kind', type: 'string', value: 'client' }] }),
            span({
              spanID: 'b',
              processID: 'p2',
              references: [
                { refType: 'FOLLOWS_FROM', traceID: '1f', spanID: 'c' },
                { refType: 'CHILD_OF', traceID: '1f', spanID: 'a' },
              ],
              tags: [
                { key: 'span.kind', value: 'server' },
                { key: 'error', type: 'bool', value: true },
                { key: 'n', type: 'int64', value: 7 },
              ],
              logs: [
                { timestamp: 12, fields: [{ key: 'event', value: 'retry' }] },
                {
                  timestamp: 11,
                  fields: [
                    { key: 'a', value: 'x' },
                    { key: 'b', value: 1 },
                  ],
                },
              ],
            }),
            { spanID: 'without a trace' },
          ],
          processes: {
            p1: {
              serviceName: 'Shop',
              tags: [
                { key: 'ip', value: '10.0.0.1' },
                { key: 'zone', value: 'z' },
              ],
            },
            p2: { serviceName: 'stock' },
          },
        },
      ],
    })
    expect(rejected).toBe(1)
    expect(spans).toMatchObject([
      {
        traceId: '000000000000001f',
        id: '000000000000000a',
        kind: 'CLIENT',
        name: 'get',
        timestamp: 10,
        duration: 5,
        localEndpoint: { serviceName: 'shop', ipv4: '10.0.0.1' },
        tags: { zone: 'z' },
      },
      {
        id: '000000000000000b',
        parentId: '000000000000000a',
        kind: 'SERVER',
        annotations: [
          { timestamp: 11, value: '{"a":"x","b":"1"}' },
          { timestamp: 12, value: 'retry' },
        ],
        tags: { error: 'true', n: '7' },
      },
    ])
  })
  test('of something else is refused by name', () => {
    expect(() => decodeJaegerJson({ data: [{ services: [] }] })).toThrow('data[0]: expected a trace')
  })
})
