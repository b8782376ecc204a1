import type { Span } from '@hopscope/model'
import { MemoryStore, StoreError } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { Admission } from './admission.ts'
import { BodyStock } from './body-stock.ts'
import { readConfig } from './config.ts'
import type { Context } from './context.ts'
import { CollectorMetrics } from './metrics.ts'
import { rateLimit } from './rate-limit.ts'
import { RequestTimer } from './request-timer.ts'
import { SelfTracing } from './self-tracing.ts'
import { createServer } from './server.ts'
import { TraceFeed } from './trace-feed.ts'

let app: FastifyInstance
let store: MemoryStore
let metrics: CollectorMetrics
let selfTracing: SelfTracing | undefined

/** As `start` wires it. */
function open(environment: Record<string, string>): void {
  const read = readConfig([], environment)
  if (read === 'help') throw new Error('help')
  const { config } = read
  store = new MemoryStore()
  metrics = new CollectorMetrics(config)
  const feed = new TraceFeed(store)
  const observed = feed.observe()
  selfTracing = config.selfTracing && new SelfTracing(observed, metrics.local, config.selfTracing)
  const context: Context = {
    config,
    store: selfTracing?.observe() ?? observed,
    feed,
    metrics,
    admission: new Admission(config.maxPendingBytes),
    bodies: new BodyStock(),
    timer: new RequestTimer(),
    selfTracing,
    warn: () => {},
    startedAt: new Date(),
  }
  app = createServer(context)
}
afterEach(() => app.close())

/** All of them, stored when they are asked for and not before. */
const EVERY = {
  SELF_TRACING_ENABLED: 'true',
  SELF_TRACING_TRACES_PER_SECOND: '0',
  SELF_TRACING_FLUSH_INTERVAL: '3600',
  AUTOCOMPLETE_KEYS: 'env',
}
const SPANS = '[{"traceId":"1","id":"1","timestamp":1600000000000000,"localEndpoint":{"serviceName":"web"}}]'
const post = (payload: string) =>
  app.inject({ method: 'POST', url: '/api/v2/spans', payload, headers: { 'content-type': 'application/json' } })

/** Of every trace of the collector itself: the names of its spans, the SERVER span first. */
async function ownTraces(): Promise<Span[][]> {
  await selfTracing?.close()
  const traces = await store.getTraces({
    endTs: Date.now() + 1000,
    lookback: 60_000,
    limit: 100,
    serviceName: 'zipkin-server',
  })
  return traces.map(spans => spans.toSorted((a, b) => Number(b.kind === 'SERVER') - Number(a.kind === 'SERVER')))
}

describe('self-tracing', () => {
  it.each([
    ['/api/v2/services', ['get /api/v2/services', 'get-service-names']],
    ['/api/v2/spans?serviceName=web', ['get /api/v2/spans', 'get-span-names']],
    ['/api/v2/remoteServices?serviceName=web', ['get /api/v2/remoteservices', 'get-remote-service-names']],
    ['/api/v2/traces', ['get /api/v2/traces', 'get-traces']],
    ['/zipkin/api/v2/trace/1', ['get /zipkin/api/v2/trace/:traceid', 'get-trace']],
    ['/api/v2/traceMany?traceIds=1,2', ['get /api/v2/tracemany', 'get-traces']],
    ['/api/v2/dependencies?endTs=1', ['get /api/v2/dependencies', 'get-dependencies']],
    ['/api/v2/autocompleteKeys', ['get /api/v2/autocompletekeys']],
    ['/api/v2/autocompleteValues?key=env', ['get /api/v2/autocompletevalues', 'get-values']],
    ['/api/v2/nope', ['get /**']],
    ['/api/hopscope/v1/links', ['get /api/hopscope/v1/links', 'get-dependencies']],
  ])('records %s', async (url, names) => {
    open(EVERY)
    await app.inject(url)
    const traces = await ownTraces()
    expect(traces.map(spans => spans.map(({ name }) => name))).toEqual([names])
    const [server, call] = traces[0]!
    expect(server).toMatchObject({ kind: 'SERVER', tags: { 'http.method': 'GET', 'http.path': url.split('?')[0] } })
    expect(server!.annotations!.map(({ value }) => value)).toContain('ws')
    if (call) expect([call.traceId, call.parentId]).toEqual([server!.traceId, server!.id])
  })

  it('records what is stored, and why it was not, and makes no spans of its own reports', async () => {
    open(EVERY)
    expect((await post(SPANS)).statusCode).toBe(202)
    const [spans] = await ownTraces()
    expect(spans!.map(({ name }) => name)).toEqual(['post /api/v2/spans', 'accept-spans'])
    const accept = store.accept.bind(store)
    store.accept = () => Promise.reject(new StoreError('full', 'the disk is full'))
    expect((await post(SPANS)).statusCode).toBe(503)
    store.accept = accept
    const failed = (await ownTraces()).find(([server]) => server!.tags?.error === '503')!
    expect(failed[0]!.tags).toMatchObject({ 'http.status_code': '503', error: '503' })
    expect(failed[1]!.tags).toEqual({ error: 'the disk is full' })
    // Two requests, two spans each, and however often it is asked, no more.
    expect((await ownTraces()).flat()).toHaveLength(4)
    expect(metrics.local).toMatchObject({ messages: 2, accepted: 4, stored: 4, dropped: 0 })
  })

  it('joins whoever calls, and obeys', async () => {
    open(EVERY)
    const ask = (b3: string) => app.inject({ url: '/api/v2/services', headers: { b3 } })
    await ask('463ac35c9f6413ad48485a3953bb6124-0000000000000abc-1-000000000000000a')
    await ask('0')
    await ask('000000000000beef-0000000000000abc-0')
    const traces = await ownTraces()
    expect(traces).toHaveLength(1)
    expect(traces[0]![0]).toMatchObject({
      traceId: '463ac35c9f6413ad48485a3953bb6124',
      id: '0000000000000abc',
      parentId: '000000000000000a',
      shared: true,
    })
    expect(traces[0]![1]).toMatchObject({ parentId: '0000000000000abc' })
  })

  it('traces no page, no metrics, no health', async () => {
    open(EVERY)
    for (const url of ['/health', '/metrics', '/prometheus', '/zipkin/', '/info', '/nope']) await app.inject(url)
    expect(await ownTraces()).toEqual([])
  })

  it('samples by share where that is not 1', async () => {
    open({ ...EVERY, SELF_TRACING_SAMPLE_RATE: '0' })
    await app.inject('/api/v2/services')
    expect(await ownTraces()).toEqual([])
  })

  it('keeps what waits within bounds, and counts what is dropped', async () => {
    open(EVERY)
    const requests = Array.from({ length: 600 }, () => app.inject('/api/v2/services'))
    await Promise.all(requests)
    const stored = (await ownTraces()).flat().length
    const { accepted, dropped } = metrics.local
    expect([accepted, dropped]).toEqual([1200, 200])
    expect(stored).toBeLessThanOrEqual(1000)
  })

  it('says so in /health and /metrics', async () => {
    open(EVERY)
    expect((await app.inject('/health')).body).toContain('"Traced{InMemoryStorage{}}"')
    expect((await app.inject('/metrics')).json()).toHaveProperty(['counter.zipkin_collector.spans.local'])
  })

  it('is off unless it is asked for: the store is called directly, nothing is recorded or told of', async () => {
    open({ SELF_TRACING_TRACES_PER_SECOND: '0' })
    expect(selfTracing).toBeUndefined()
    await post(SPANS)
    await app.inject('/api/v2/services')
    expect((await store.stats()).spans).toBe(1)
    expect((await app.inject('/metrics')).body).not.toContain('local')
  })
})

describe('rateLimit', () => {
  it('lets so many through a second, also when the clock is set back', () => {
    let now = 10_000
    const isLet = rateLimit(2, () => now)
    const three = () => [isLet(), isLet(), isLet()]
    expect(three()).toEqual([true, true, false])
    now = 10_999
    expect(isLet()).toBe(false)
    now = 11_000
    expect(three()).toEqual([true, true, false])
    now = 5_000
    expect(three()).toEqual([true, true, false])
  })
  it('lets all through at 0', () => {
    const isLet = rateLimit(0, () => 0)
    expect(Array.from({ length: 100 }, isLet)).not.toContain(false)
  })
})
