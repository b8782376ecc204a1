import { decodeOtlpProto } from '@hopscope/model/formats'
import { expect, test } from 'vitest'
import { OtlpSpanWriter } from './otlp-span-writer.ts'
import { SpanWriter } from './span-writer.ts'

type Tags = [key: string, value: string][]

interface Written {
  kind: 'SERVER' | 'CLIENT'
  name: string
  annotations: string[]
  tags: Tags
}

const KEYS = ['node_id', 'http.url', 'http.method', 'peer.address', 'response_flags']
const VALUES = ['', 'a', 'GET', 'größe "', 'x'.repeat(130), 'y'.repeat(20_000)]
const ANNOTATIONS = ['first', 'last', 'ss']

/** Of two kinds, which repeat much of the one before: some tags change, some are left out, some come in another order. */
function randomSpans(seed: number): Written[] {
  let state = seed
  const below = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % bound
  }
  let tags: Tags = KEYS.map(key => [key, 'first'])
  return Array.from({ length: 40 }, (_, i) => {
    tags = tags.map(([key, value]) => [key, below(4) === 0 ? VALUES[below(VALUES.length)]! : value])
    if (below(5) === 0) tags = tags.slice(0, below(tags.length + 1))
    if (below(4) === 0) tags = KEYS.map((key, i) => [key, tags[i]?.[1] ?? 'again'])
    return {
      kind: below(3) === 0 ? 'CLIENT' : 'SERVER',
      name: below(4) === 0 ? `other ${i}` : 'name',
      annotations: ANNOTATIONS.slice(below(2), below(ANNOTATIONS.length + 1)),
      tags,
    }
  })
}

const seeds = Array.from({ length: 25 }, (_, i) => i * 7919 + 1)

test.each(seeds)('a batch has what its spans would have each alone, JSON (%d)', seed => {
  const writer = new SpanWriter({})
  const spans = randomSpans(seed)
  for (const [i, { kind, name, annotations, tags }] of spans.entries()) {
    writer.begin({ traceId: '1', id: '2', kind, name, timestamp: 1, duration: i })
    for (const value of annotations) writer.annotation(i, value)
    for (const [key, value] of tags) writer.tag(key, value)
    writer.end({ shared: i % 2 === 0 })
    if (i % 17 === 16) expect(JSON.parse(Buffer.from(writer.take()).toString())).toHaveLength(17)
  }
  const left = JSON.parse(Buffer.from(writer.take()).toString()) as Record<string, unknown>[]
  const expected = spans.map(({ kind, name, annotations, tags }, i) => ({
    ...{ traceId: '1', id: '2', kind, name, timestamp: 1, duration: i, localEndpoint: {} },
    ...(annotations.length === 0 ? {} : { annotations: annotations.map(value => ({ timestamp: i, value })) }),
    ...(tags.length === 0 ? {} : { tags: Object.fromEntries(tags) }),
    ...(i % 2 === 0 ? { shared: true } : {}),
  }))
  expect(left).toEqual(expected.slice(-left.length))
})

test.each(seeds)('a batch has what its spans would have each alone, OTLP (%d)', seed => {
  const writer = new OtlpSpanWriter({ resource: [] })
  const spans = randomSpans(seed)
  const head = { traceId: '1'.repeat(32), id: '2'.repeat(16), traceState: '', parentIsRemote: false }
  for (const [i, { kind, name, annotations, tags }] of spans.entries()) {
    writer.begin({ ...head, kind, name, start: 1, end: 2 })
    for (const [key, value] of tags) writer.tag(key, value)
    for (const value of annotations) writer.event(i, value)
    writer.end({ status: 'none' })
    if (i % 17 === 16) expect(decodeOtlpProto(writer.take()).spans).toHaveLength(17)
  }
  const left = decodeOtlpProto(writer.take()).spans.map(({ kind, name, annotations = [], tags = {} }) => ({
    ...{ kind, name, annotations },
    tags: Object.fromEntries(Object.entries(tags).filter(([key, value]) => KEYS.includes(key) && value !== '')),
  }))
  const expected = spans.map(({ kind, name, annotations, tags }, i) => ({
    ...{ kind, name, annotations: annotations.map(value => ({ timestamp: i, value })) },
    tags: Object.fromEntries(tags.filter(([, value]) => value !== '')),
  }))
  expect(left).toEqual(expected.slice(-left.length))
})
