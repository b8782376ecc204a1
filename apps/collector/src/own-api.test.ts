import type { AddressInfo } from 'node:net'
import type { ListedTrace, Span } from '@hopscope/model'
import { COLUMNS_CONTENT_TYPE, decodeColumns, tableSpans } from '@hopscope/model/columns'
import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { MemoryStore } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admission } from './admission.ts'
import { BodyStock } from './body-stock.ts'
import { readConfig } from './config.ts'
import { CollectorMetrics } from './metrics.ts'
import { RequestTimer } from './request-timer.ts'
import { createServer } from './server.ts'
import { TraceFeed } from './trace-feed.ts'

let app: FastifyInstance
let store: MemoryStore

beforeEach(() => {
  const read = readConfig([], {})
  if (read === 'help') throw new Error('help')
  store = new MemoryStore()
  const feed = new TraceFeed(store)
  app = createServer({
    config: read.config,
    store: feed.observe(),
    feed,
    metrics: new CollectorMetrics(),
    admission: new Admission(64 * 1024 * 1024),
    bodies: new BodyStock(),
    timer: new RequestTimer(),
    warn: () => {},
    startedAt: new Date(),
  })
})
afterEach(() => app.close())

const NOW = 1_700_000_000_000
const span = (traceId: number, ms: number, rest: Partial<Span> = {}): Span => ({
  traceId: traceId.toString(16).padStart(16, '0'),
  id: '0000000000000001',
  timestamp: ms * 1_000,
  duration: 1_000,
  localEndpoint: { serviceName: 'shop' },
  ...rest,
})
const post = async (spans: readonly Span[]) => {
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/api/v2/spans',
    payload: JSON.stringify(spans),
    headers: { 'content-type': 'application/json' },
  })
  expect(statusCode).toBe(202)
}
const search = async (parameters: Record<string, string>) => {
  const query = new URLSearchParams({ endTs: String(NOW), lookback: '100000', ...parameters })
  const response = await app.inject(`/api/hopscope/v1/search?${query}`)
  return { status: response.statusCode, body: response.body }
}
const pages = async (parameters: Record<string, string>) => {
  const all: string[][] = []
  for (let cursor = ''; all.length < 200; ) {
    const { body } = await search({ ...parameters, ...(cursor ? { cursor } : {}) })
    const { traces, next } = JSON.parse(body) as { traces: ListedTrace[]; next?: string }
    all.push(traces.map(({ traceId }) => traceId))
    if (next === undefined) return all
    cursor = next
  }
  throw new Error('no end')
}

describe('search', () => {
  it('lists traces with the facts of their calls', async () => {
    await post([span(1, NOW - 5, { kind: 'CLIENT', tags: { 'upstream_cluster.name': 'db', 'retry.count': '2' } })])
    const { traces } = JSON.parse((await search({ q: 'hop=shop->db attempt>2 untraced' })).body)
    expect(traces).toMatchObject([{ rootService: 'shop', spanCount: 1, hops: 1, retries: 2, untraced: 1 }])
    expect(JSON.parse((await search({ q: '-untraced' })).body).traces).toEqual([])
  })

  it('says what cannot be read', async () => {
    const problem = async (parameters: Record<string, string>) => {
      const { status, body } = await search(parameters)
      return { status, ...JSON.parse(body) }
    }
    expect(await problem({ q: 'servce=x' })).toMatchObject({ status: 400, code: 'bad_query', path: 'q' })
    expect(await problem({ cursor: 'x' })).toMatchObject({ status: 400, code: 'bad_cursor', path: 'cursor' })
    expect(await problem({ limit: '-1' })).toEqual({
      status: 400,
      code: 'bad_parameter',
      message: 'Expected a whole number from 1, got -1',
      path: 'limit',
    })
  })

  it.each([1, 7, 1_000])('gives every trace once, page after page of %d', async limit => {
    // many of one millisecond, and some that reach over several
    const spans: Span[] = []
    for (let i = 0; i < 60; i++) spans.push(span(i + 1, NOW - 10))
    for (let i = 0; i < 40; i++) spans.push(span(100 + i, NOW - 50 - i))
    for (let i = 0; i < 20; i++) {
      spans.push(
        span(200 + i, NOW - 40),
        span(200 + i, NOW - 80 - i, { id: '0000000000000002', parentId: '0000000000000001' }),
      )
    }
    await post(spans)
    const all = await pages({ limit: String(limit) })
    expect(all.every(page => page.length <= limit)).toBe(true)
    expect(all.flat()).toHaveLength(120)
    expect(new Set(all.flat()).size).toBe(120)
  })

  it('is not moved by what arrives meanwhile', async () => {
    await post(Array.from({ length: 10 }, (_, i) => span(i + 1, NOW - 100 - i)))
    const { traces, next } = JSON.parse((await search({ limit: '5' })).body)
    await post([span(99, NOW - 1)])
    const rest = JSON.parse((await search({ limit: '5', cursor: next })).body)
    expect([...traces, ...rest.traces].map(({ traceId }: ListedTrace) => Number.parseInt(traceId, 16))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ])
  })

  it('goes on behind thousands that are unlike the query', async () => {
    const many = Array.from({ length: 5_000 }, (_, i) => span(i + 1, NOW - 10 - i))
    for (let i = 0; i < many.length; i += 1_000) await post(many.slice(i, i + 1_000))
    await post([span(9_999, NOW - 9_000, { kind: 'CLIENT', remoteEndpoint: { serviceName: 'db' } })])
    const all = await pages({ q: 'hop=shop->db' })
    expect(all.flat()).toHaveLength(1)
    expect(all.length).toBeGreaterThan(1)
  })
})

describe('links', () => {
  it('have the percentiles and the tries of their calls', async () => {
    const call = (i: number, duration: number, tries: number): Span[] => [
      span(i, NOW - 10, { kind: 'CLIENT', duration, ...(tries > 0 ? { tags: { 'retry.count': String(tries) } } : {}) }),
      span(i, NOW - 10, { kind: 'SERVER', shared: true, duration, localEndpoint: { serviceName: 'price' } }),
    ]
    await post(Array.from({ length: 100 }, (_, i) => call(i + 1, (i + 1) * 1_000, i % 10 === 0 ? 2 : 0)).flat())
    const response = await app.inject(`/zipkin/api/hopscope/v1/links?endTs=${NOW}&lookback=1000`)
    expect(response.json()).toEqual({
      links: [
        { parent: 'shop', child: 'price', callCount: 100, triesPerCall: 1.2, p50: 50_000, p95: 95_000, p99: 99_000 },
      ],
      sampled: 100,
      traces: 100,
    })
    expect((await app.inject(`/api/hopscope/v1/links?endTs=5&lookback=1`)).json()).toEqual({
      links: [],
      sampled: 0,
      traces: 0,
    })
  })
})

describe('latency', () => {
  const latency = async (parameters: Record<string, string>) => {
    const query = new URLSearchParams({ endTs: String(NOW), lookback: '999', buckets: '2', ...parameters })
    const response = await app.inject(`/api/hopscope/v1/latency?${query}`)
    return { status: response.statusCode, ...response.json() }
  }
  beforeEach(async () => {
    // 100 in the older half of the second before NOW, 1..100 ms; 10 in the newer, all of 7 ms, all failed
    const call = (i: number, ms: number, duration: number, tags?: Record<string, string>): Span[] => [
      span(i, ms, { kind: 'CLIENT', name: 'out', duration, remoteEndpoint: { serviceName: 'price' } }),
      span(i, ms, {
        kind: 'SERVER',
        shared: true,
        name: 'get',
        duration: duration - 500,
        localEndpoint: { serviceName: 'price' },
        ...(tags && { tags }),
      }),
    ]
    for (let i = 1; i <= 90; i++) await post(call(i, NOW - 900, i * 1_000))
    for (let i = 91; i <= 100; i++) await post(call(i, NOW - 100, 7_000, { error: '' }))
  })
  it('of a service is that of what it answers', async () => {
    expect(await latency({ serviceName: 'PRICE' })).toEqual({
      status: 200,
      count: 100,
      errors: 10,
      p50: 39_500,
      p90: 79_500,
      p95: 84_500,
      p99: 88_500,
      max: 89_500,
      sampled: false,
      buckets: [
        { from: NOW - 999, count: 90, errors: 0, p50: 44_500, p90: 80_500, p95: 85_500, p99: 89_500, max: 89_500 },
        { from: NOW - 499, count: 10, errors: 10, p50: 6_500, p90: 6_500, p95: 6_500, p99: 6_500, max: 6_500 },
      ],
    })
    expect(await latency({ serviceName: 'shop' })).toMatchObject({ count: 0, errors: 0 })
  })
  it('of a span name, and of a hop', async () => {
    expect(await latency({ serviceName: 'shop', spanName: 'out' })).toMatchObject({
      count: 100,
      errors: 0,
      max: 90_000,
    })
    expect(await latency({ hop: 'shop->price' })).toMatchObject({ count: 100, errors: 10, max: 90_000 })
    expect(await latency({ hop: 'price->shop' })).toMatchObject({ count: 0 })
  })
  it('reads traces from all over a bucket that has too many', async () => {
    // The newer half is ten times as slow as the older.
    const many = Array.from({ length: 600 }, (_, i) =>
      span(1_000 + i, NOW - 999 + i, { kind: 'SERVER', duration: i < 300 ? 1_000 : 10_000 }),
    )
    await post(many)
    const { count, p50, sampled, ...rest } = await latency({ serviceName: 'shop', buckets: '1' })
    expect(sampled).toBe(true)
    expect(count).toBeGreaterThanOrEqual(20)
    expect(count).toBeLessThanOrEqual(100)
    expect([p50 === 1_000 || rest.p90 === 1_000, rest.max]).toEqual([true, 10_000])
  })
  it('counts a span once whose trace goes on in the next bucket', async () => {
    await post([
      span(7_000, NOW - 900, { kind: 'SERVER', duration: 1_000, localEndpoint: { serviceName: 'twice' } }),
      span(7_000, NOW - 100, { id: 'f', kind: 'SERVER', duration: 2_000, localEndpoint: { serviceName: 'twice' } }),
    ])
    expect(await latency({ serviceName: 'twice' })).toMatchObject({
      count: 2,
      sampled: false,
      buckets: [
        { count: 1, max: 1_000 },
        { count: 1, max: 2_000 },
      ],
    })
  })
  it('of nothing says what was expected', async () => {
    expect(await latency({})).toMatchObject({ status: 400, code: 'bad_parameter', path: 'serviceName' })
    expect(await latency({ hop: 'shop' })).toMatchObject({ status: 400, code: 'bad_parameter', path: 'hop' })
  })
})

describe('trace columns', () => {
  it('and the rest of each span are what the trace has', async () => {
    const spans = generateTrace({ spans: 200 }, seededRandom(5))
    const { traceId } = spans[0]!
    for (let i = 0; i < spans.length; i += 50) await post(spans.slice(i, i + 50))
    const response = await app.inject(`/zipkin/api/hopscope/v1/trace/${traceId}/columns`)
    expect(response.headers['content-type']).toBe(COLUMNS_CONTENT_TYPE)
    const decoded = decodeColumns(response.rawPayload)
    const tabled = tableSpans(await store.getTrace(traceId))
    expect(decoded).toMatchObject({ traceId, reported: spans.length, table: { ...tabled.table, ids: {} } })
    const rows = Map.groupBy(tabled.spans, ({ id }) => id)
    for (const [id, ofId] of [...rows].slice(0, 20)) {
      expect((await app.inject(`/api/hopscope/v1/trace/${traceId}/spans/${id}`)).json()).toEqual(ofId)
    }
  })
  it('of what is not there say so', async () => {
    await post([span(1, NOW)])
    const answer = async (path: string) => {
      const { statusCode, body } = await app.inject(`/api/hopscope/v1/trace/${path}`)
      return [statusCode, JSON.parse(body)]
    }
    expect(await answer('2/columns')).toEqual([404, { code: 'not_found', message: 'No trace 0000000000000002' }])
    expect(await answer('1/spans/2')).toEqual([
      404,
      { code: 'not_found', message: 'Trace 1 has no span 0000000000000002' },
    ])
    expect(await answer('X/columns')).toMatchObject([400, { code: 'bad_id', path: 'traceId' }])
    expect(await answer('1/spans/X')).toMatchObject([400, { code: 'bad_id', path: 'spanId' }])
  })
})

describe('stream', () => {
  /** Events as they come, until `enough` says so. `act` may wait for some of them. */
  async function events(
    enough: (text: string) => boolean,
    act: (until: (enough: (text: string) => boolean) => Promise<void>) => Promise<void>,
    query = '',
  ): Promise<string> {
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/api/hopscope/v1/stream${query}`)
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const until = async (enough: (text: string) => boolean) => {
      while (!enough(text)) {
        const { value, done } = await reader.read()
        if (done) break
        text += value
      }
    }
    await act(until)
    await until(enough)
    await reader.cancel()
    return text
  }
  const tracesOf = (text: string): ListedTrace[] =>
    [...text.matchAll(/event: trace\ndata: (.*)\n\n/g)].map(([, data]) => JSON.parse(data!))

  it('tells of a trace when it is stored, and again when it grows', async () => {
    const text = await events(
      text => text.includes('"spanCount":2'),
      async until => {
        await post([span(7, NOW)])
        await until(text => text.includes('"spanCount":1'))
        await post([span(7, NOW, { id: '0000000000000002', parentId: '0000000000000001' })])
      },
    )
    expect(tracesOf(text).map(({ traceId, spanCount }) => [traceId, spanCount])).toEqual([
      ['0000000000000007', 1],
      ['0000000000000007', 2],
    ])
  })

  it('tells of a flood how much was dropped', async () => {
    const flood = Array.from({ length: 3_000 }, (_, i) => span(i + 1, NOW))
    const text = await events(
      text => text.includes('event: dropped') || tracesOf(text).length >= 1_001,
      async () => {
        for (let i = 0; i < flood.length; i += 1_000) await post(flood.slice(i, i + 1_000))
      },
    )
    expect(text).toMatch(/event: dropped\ndata: {"count":\d+}/)
  })

  it('of one trace has its spans, and no others', async () => {
    const spans = generateTrace({ spans: 30 }, seededRandom(2))
    const { traceId } = spans[0]!
    const told = await events(
      text => text.split('event: span').length > spans.length,
      async () => {
        await post([span(1, NOW), ...spans.slice(0, 10)])
        await post([span(2, NOW)])
        await post(spans.slice(10))
      },
      `?traceId=${traceId}`,
    )
    const heard = [...told.matchAll(/event: span\ndata: (.*)\n\n/g)].map(([, data]) => JSON.parse(data!))
    expect(heard).toEqual(await store.getTrace(traceId))
    expect(told).not.toContain('event: trace')
  })

  it('of what is no id is refused', async () => {
    const response = await app.inject('/api/hopscope/v1/stream?traceId=xyz')
    expect([response.statusCode, response.json()]).toEqual([
      400,
      { code: 'bad_id', message: 'xyz should be lower-hex encoded with no prefix', path: 'traceId' },
    ])
  })

  it('ends with the collector', async () => {
    const text = await events(
      () => false,
      async () => {
        void app.close()
      },
    )
    expect(text).toContain('retry')
  })
})
