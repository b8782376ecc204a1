import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { MemoryStore, StoreError } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admission } from './admission.ts'
import { BodyStock } from './body-stock.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { CollectorMetrics } from './metrics.ts'
import { RequestTimer } from './request-timer.ts'
import { createOtlpServer, createServer } from './server.ts'
import { TraceFeed } from './trace-feed.ts'

function configOf(environment: Record<string, string> = {}, argv: string[] = []): Config {
  const read = readConfig(argv, environment)
  if (read === 'help') throw new Error('help')
  return read.config
}

let app: FastifyInstance
let store: MemoryStore
let warnings: string[]

function open(environment: Record<string, string> = {}, create = createServer): FastifyInstance {
  store = new MemoryStore()
  warnings = []
  const feed = new TraceFeed(store)
  const config = configOf(environment)
  app = create({
    config,
    store: feed.observe(),
    feed,
    metrics: new CollectorMetrics(),
    admission: new Admission(config.maxPendingBytes),
    bodies: new BodyStock(),
    timer: new RequestTimer(),
    warn: line => warnings.push(line),
    startedAt: new Date(),
  })
  return app
}
beforeEach(() => {
  open()
})
afterEach(() => app.close())

const SPAN = '[{"traceId":"1","id":"1","timestamp":1600000000000000,"localEndpoint":{"serviceName":"web"}}]'
const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/api/v2/spans',
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  })
const counters = async (): Promise<Record<string, number>> => (await app.inject('/metrics')).json()

describe('POST /api/v2/spans', () => {
  it('shows a span as soon as it is answered', async () => {
    const { statusCode, body } = await post(gzipSync(SPAN), { 'content-encoding': 'gzip' })
    expect([statusCode, body]).toEqual([202, ''])
    expect((await app.inject('/api/v2/trace/1')).json()).toHaveLength(1)
  })

  it('says 503 and why when spans cannot be stored, and counts them as dropped', async () => {
    store.accept = () => Promise.reject(new StoreError('full', '/data/spans.db cannot grow: the disk is full'))
    const { statusCode, body } = await post(SPAN)
    expect([statusCode, body]).toEqual([503, '/data/spans.db cannot grow: the disk is full'])
    expect(warnings).toEqual(['POST /api/v2/spans: /data/spans.db cannot grow: the disk is full'])
    const after = await counters()
    expect(after['counter.zipkin_collector.spans_dropped.http']).toBe(1)
    expect(after['counter.zipkin_collector.messages_dropped.http']).toBe(0)
  })

  it.each([
    ['application/x-protobuf', {}, 400, /^Truncated: length \d+ > bytes available \d+ reading List<Span> from proto3$/],
    ['application/json', { 'content-encoding': 'br' }, 415, /Content-Encoding br is not supported; gzip is/],
    ['application/json', { 'content-encoding': 'gzip' }, 400, /Input is not in the GZIP format/],
  ])('answers %s %j with %i', async (contentType, headers, status, text) => {
    const answer = await post(SPAN, { 'content-type': contentType, ...headers })
    expect(answer.statusCode).toBe(status)
    expect(answer.body).toMatch(text)
    expect((await counters())['counter.zipkin_collector.messages_dropped.http']).toBe(1)
  })
})

describe('limits', () => {
  it('does not write an answer that is too large, and says how to ask for less', async () => {
    open({ HOPSCOPE_MAX_RESULT_SPANS: '3' })
    const at = Date.now() * 1000 - 5_000_000
    for (let i = 1; i <= 4; i++) await post(`[{"traceId":"${i}","id":"1","timestamp":${at + i}}]`)
    const { statusCode, body } = await app.inject('/api/v2/traces')
    expect([statusCode, body]).toEqual([
      413,
      'The answer has more than 3 spans; HOPSCOPE_MAX_RESULT_SPANS allows 3: ask for less',
    ])
    expect((await app.inject('/api/v2/traces?limit=3')).json()).toHaveLength(3)
    await post(`[${[1, 2, 3, 4].map(id => `{"traceId":"b","id":"${id}"}`)}]`)
    const one = await app.inject('/api/v2/trace/b')
    expect([one.statusCode, one.body]).toEqual([
      413,
      'The answer has more than 3 spans; HOPSCOPE_MAX_RESULT_SPANS allows 3: ask for less',
    ])
    const columns = await app.inject('/api/hopscope/v1/trace/b/columns')
    expect([columns.statusCode, columns.json()]).toMatchObject([413, { code: 'too_large' }])
  })

  it('refuses more spans than one request may have, and keeps none of them', async () => {
    open({ HOPSCOPE_MAX_REQUEST_SPANS: '2' })
    const spans = (count: number) => `[${Array.from({ length: count }, (_, i) => `{"traceId":"a","id":"${i + 1}"}`)}]`
    const { statusCode, body } = await post(spans(3))
    expect([statusCode, body]).toEqual([413, '3 spans in one request; HOPSCOPE_MAX_REQUEST_SPANS allows 2'])
    expect(await store.getTrace('000000000000000a')).toEqual([])
    expect((await post(spans(2))).statusCode).toBe(202)
  })

  it('says 503, and when to come again, while too many messages are under way', async () => {
    open({ HOPSCOPE_MAX_PENDING_BYTES: '100' })
    const { accept } = store
    const arrived = Promise.withResolvers<void>()
    const stored = Promise.withResolvers<void>()
    store.accept = spans => {
      arrived.resolve()
      return stored.promise.then(() => accept.call(store, spans))
    }
    // An injected request is sent when it is waited for.
    const first = post(SPAN).then(answer => answer.statusCode)
    await arrived.promise
    const { statusCode, headers } = await post(SPAN)
    expect([statusCode, headers['retry-after']]).toEqual([503, '1'])
    stored.resolve()
    expect(await first).toBe(202)
    store.accept = accept
    expect((await post(SPAN)).statusCode).toBe(202)
  })

  it('counts every span once: accepted = stored + rejected + dropped', async () => {
    open({ COLLECTOR_SAMPLE_RATE: '0.5' })
    const hex = (i: number) =>
      ((BigInt(i + 1) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn).toString(16).padStart(16, '0')
    for (let i = 0; i < 40; i++) await post(`[{"traceId":"${hex(i)}","id":"1"},{"traceId":"${hex(i + 99)}","id":"1"}]`)
    await post('[{"traceId":"1"}]')
    const { accept } = store
    store.accept = () => Promise.reject(new StoreError('full', 'full'))
    await post('[{"traceId":"1","id":"1","debug":true}]')
    store.accept = accept
    const otlp = {
      resourceSpans: [
        {
          scopeSpans: [
            { spans: [{ traceId: '00' }, { traceId: `0${'0'.repeat(30)}1`, spanId: `0${'0'.repeat(14)}1` }] },
          ],
        },
      ],
    }
    await app.inject({ method: 'POST', url: '/v1/traces', payload: otlp })
    const text = (await app.inject('/prometheus')).body
    const counted = (name: string, transport: string) =>
      Number(new RegExp(`hopscope_collector_spans_${name}_total{transport="${transport}"} (\\d+)`).exec(text)![1])
    for (const [transport, total] of [
      ['http', 81],
      ['otlp', 2],
      ['grpc', 0],
    ] as const) {
      const [accepted, stored, rejected, dropped] = ['accepted', 'stored', 'rejected', 'dropped'].map(name =>
        counted(name, transport),
      )
      expect(accepted, transport).toBe(total)
      expect(stored! + rejected! + dropped!, transport).toBe(total)
    }
    expect(counted('rejected', 'otlp')).toBe(1)
    expect(counted('stored', 'http')).toBe(store.stats().spans - counted('stored', 'otlp'))
    expect(counted('dropped', 'http')).toBeGreaterThan(10)
  })
})

describe('POST /v1/traces', () => {
  const span = (fields: object = {}) => ({
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    name: 'I am a span',
    kind: 2,
    startTimeUnixNano: '1600000000000000000',
    endTimeUnixNano: '1600000000001000000',
    ...fields,
  })
  const request = (...spans: object[]) => ({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'web' } }] },
        scopeSpans: [{ spans }],
      },
    ],
  })
  const send = (payload: string | Buffer, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/v1/traces',
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    })

  it.each([
    ['on the port of Zipkin', createServer],
    ['on its own port', createOtlpServer],
  ])('stores spans %s', async (_name, create) => {
    open({}, create)
    const { statusCode, headers, body } = await send(gzipSync(JSON.stringify(request(span()))), {
      'content-encoding': 'gzip',
    })
    expect([statusCode, headers['content-type'], body]).toEqual([200, 'application/json', '{}'])
    expect(await store.getTrace('5b8efff798038103d269b633813fc60c')).toMatchObject([
      { name: 'i am a span', kind: 'SERVER', duration: 1000, localEndpoint: { serviceName: 'web' } },
    ])
  })

  it('keeps the good spans and says how many were not', async () => {
    const { statusCode, body } = await send(JSON.stringify(request(span(), span({ spanId: '' }))))
    expect(statusCode).toBe(200)
    const { partialSuccess } = JSON.parse(body)
    expect(partialSuccess.rejectedSpans).toBe('1')
    expect(partialSuccess.errorMessage).not.toBe('')
    expect(store.stats().spans).toBe(1)
    expect((await counters())['counter.zipkin_collector.spans_dropped.otlp']).toBe(1)
  })

  it('reads protobuf and answers in it', async () => {
    const field = (number: number, bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes])
    const good = Buffer.concat([
      field(1, Buffer.from('5b8efff798038103d269b633813fc60c', 'hex')),
      field(2, Buffer.from('eee19b7ec3c1b174', 'hex')),
      field(5, Buffer.from('name')),
    ])
    const bad = field(1, Buffer.from('00', 'hex'))
    // ResourceSpans.scope_spans = 2, ScopeSpans.spans = 2
    const body = field(1, field(2, Buffer.concat([field(2, good), field(2, bad)])))
    const answer = await send(body, { 'content-type': 'application/x-protobuf' })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('application/x-protobuf')
    // partial_success = 1 { rejected_spans = 1: 1, error_message = 2 }
    expect([...answer.rawPayload.subarray(0, 1), ...answer.rawPayload.subarray(2, 5)]).toEqual([0x0a, 0x08, 1, 0x12])
    expect(store.stats().spans).toBe(1)
  })

  it.each([
    ['not JSON', 'application/json', '{'],
    ['a list', 'application/json', '[]'],
    ['no protobuf', 'application/x-protobuf', '\u000a\u00ff'],
  ])('refuses %s with a google.rpc.Status', async (_name, contentType, payload) => {
    const answer = await send(payload, { 'content-type': contentType })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe(contentType)
    if (contentType === 'application/json')
      expect(answer.json()).toMatchObject({ code: 3, message: expect.any(String) })
    else expect(answer.rawPayload[0]).toBe(0x08)
  })

  it('names the two content types it takes', async () => {
    const answer = await send('x', { 'content-type': 'text/plain' })
    expect(answer.statusCode).toBe(415)
    expect(answer.body).toMatch(/application\/json or application\/x-protobuf/)
  })
})

describe('what is switched off', () => {
  const status = async (url: string): Promise<number> => (await app.inject(url)).statusCode
  it('is not there: the query API', async () => {
    open({ QUERY_ENABLED: 'false' })
    expect(await status('/api/v2/services')).toBe(404)
    expect(await status('/zipkin/')).toBe(404)
    expect(await status('/health')).toBe(200)
    expect((await post(SPAN)).statusCode).toBe(202)
  })
  it('is not there: the viewer', async () => {
    open({ UI_ENABLED: 'false' })
    expect(await status('/')).toBe(404)
    expect(await status('/zipkin/config.json')).toBe(404)
    expect(await status('/zipkin/api/v2/services')).toBe(200)
  })
  it('is not there: collecting', async () => {
    open({ COLLECTOR_HTTP_ENABLED: 'false' })
    expect((await post(SPAN)).statusCode).toBe(404)
    expect(await status('/api/v2/services')).toBe(200)
  })
})

it('is DOWN, with the reason, when its store is', async () => {
  store.check = () => Promise.reject(new StoreError('full', 'the disk is full'))
  const { statusCode, body } = await app.inject('/health')
  expect(statusCode).toBe(503)
  expect(JSON.parse(body)).toEqual({
    status: 'DOWN',
    zipkin: {
      status: 'DOWN',
      details: { 'InMemoryStorage{}': { status: 'DOWN', details: { error: 'the disk is full' } } },
    },
  })
})

describe('QUERY_TIMEOUT', () => {
  beforeEach(() => {
    open({ QUERY_TIMEOUT: '5ms', AUTOCOMPLETE_KEYS: 'env' })
    const endless = (signal: AbortSignal | undefined) =>
      new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    store.getTraces = (_request, signal) => endless(signal)
    store.getTrace = (_id, signal) => endless(signal)
    store.getTracesByIds = (_ids, signal) => endless(signal)
    store.getServiceNames = signal => endless(signal)
    store.getSpanNames = (_service, signal) => endless(signal)
    store.getRemoteServiceNames = (_service, signal) => endless(signal)
    store.getAutocompleteValues = (_key, signal) => endless(signal)
    store.getDependencies = (_endTs, _lookback, signal) => endless(signal)
    store.sampleTraces = (_request, _visit, signal) => endless(signal)
  })

  it.each([
    'traces',
    'trace/1',
    'traceMany?traceIds=1,2',
    'services',
    'spans?serviceName=a',
    'remoteServices?serviceName=a',
    'autocompleteValues?key=env',
    'dependencies?endTs=1',
  ])("ends %s in zipkin-server's words", async path => {
    const { statusCode, body, headers } = await app.inject(`/api/v2/${path}`)
    expect([statusCode, body]).toEqual([500, 'RequestTimeoutException'])
    expect(headers['content-type']).toBe('text/plain; charset=utf-8')
  })

  it.each(['search', 'trace/1/columns', 'trace/1/spans/1', 'links', 'latency?serviceName=a'])(
    'ends %s of our own API',
    async path => {
      const answer = await app.inject(`/zipkin/api/hopscope/v1/${path}`)
      expect([answer.statusCode, answer.json()]).toEqual([
        503,
        { code: 'timeout', message: 'The query took longer than QUERY_TIMEOUT, 5 ms' },
      ])
    },
  )
})

describe('configuration', () => {
  it('tells all its problems at once', () => {
    const read = () =>
      readConfig(['--port', 'x'], { COLLECTOR_SAMPLE_RATE: '2', STRICT_TRACE_ID: 'maybe', STORAGE_TYPE: 'mysql' })
    expect(read).toThrow(ConfigError)
    expect(read).toThrow(/--port=x: an integer from 0 to 65535 was expected/)
    expect(read).toThrow(/rate should be between 0 and 1: was 2/)
    expect(read).toThrow(/STRICT_TRACE_ID=maybe: true or false was expected/)
    expect(read).toThrow(/STORAGE_TYPE=mysql: sqlite, mem or clickhouse was expected/)
  })

  it('warns by name of what has no effect', () => {
    const read = readConfig([], { KAFKA_BOOTSTRAP_SERVERS: 'k:9092', ES_HOSTS: 'http://es', PATH: '/bin' })
    expect(read).not.toBe('help')
    expect(read !== 'help' && read.warnings).toEqual([
      'KAFKA_BOOTSTRAP_SERVERS has no effect: spans come over HTTP and gRPC only',
      'ES_HOSTS has no effect: spans are kept in sqlite, in memory or in ClickHouse',
    ])
    const warningsOf = (environment: Record<string, string>): unknown => {
      const other = readConfig([], environment)
      return other !== 'help' && other.warnings
    }
    expect(warningsOf({ MEM_MAX_SPANS: '7' })).toEqual([
      'MEM_MAX_SPANS has no effect: STORAGE_TYPE is sqlite; HOPSCOPE_MAX_SPANS is for sqlite',
    ])
    expect(warningsOf({ MEM_MAX_SPANS: '7', STORAGE_TYPE: 'mem' })).toEqual([])
  })

  it('prefers flags to variables, and takes an empty variable for none', () => {
    expect(configOf({ QUERY_PORT: '1', HOST: '' }, ['--port', '2'])).toMatchObject({ port: 2, host: '127.0.0.1' })
    expect(configOf({ STORAGE_TYPE: 'mem', MEM_MAX_SPANS: '7' })).toMatchObject({ storage: 'mem', maxSpans: 7 })
    expect(configOf({ QUERY_TIMEOUT: '2m' }).queryTimeout).toBe(120_000)
  })
})

describe('the viewer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hopscope-viewer-'))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(
    join(folder, 'index.html'),
    '<base href="/zipkin/" /><script src="/zipkin/assets/x.js"></script><link href="./assets/y.css">',
  )
  writeFileSync(join(folder, 'assets', 'x.js'), 'void 0')
  writeFileSync(join(folder, 'favicon.svg'), '<svg/>')
  afterAll(() => rmSync(folder, { recursive: true }))

  it('opens under each of the links that Zipkin made, and nothing else', async () => {
    open({ HOPSCOPE_VIEWER: folder })
    for (const path of ['/zipkin/', '/zipkin/traces/abc', '/zipkin/dependency', '/zipkin/traceViewer']) {
      const { statusCode, headers, body } = await app.inject(path)
      expect([statusCode, headers['cache-control'], body.slice(0, 6)], path).toEqual([200, 'max-age=60', '<base '])
      expect(headers['content-security-policy']).toMatch(/^default-src 'self';/)
      const again = await app.inject({ url: path, headers: { 'if-none-match': headers.etag as string } })
      expect(again.statusCode).toBe(304)
    }
    expect((await app.inject('/zipkin/assets/x.js')).headers['cache-control']).toBe('public, max-age=31536000')
    const icon = await app.inject('/zipkin/favicon.ico')
    expect([icon.statusCode, icon.headers['content-type'], icon.body]).toEqual([200, 'image/svg+xml', '<svg/>'])
    for (const path of ['/zipkin/nope', '/zipkin/traces', '/zipkin/assets/nope.js']) {
      expect((await app.inject(path)).statusCode, path).toBe(404)
    }
    expect((await app.inject('/zipkin/..%2f..%2fetc/passwd')).statusCode).toBe(400)
  })

  it('tells a browser in its own words that a page is not there', async () => {
    open({ HOPSCOPE_VIEWER: folder })
    const visit = async (url: string, accept: string) => {
      const { statusCode, headers, body } = await app.inject({ url, headers: { accept } })
      return [statusCode, headers['content-security-policy'] !== undefined, body.slice(0, 5)]
    }
    expect(await visit('/zipkin/nope', 'text/html,*/*;q=0.8')).toEqual([404, true, '<base'])
    expect(await visit('/zipkin/nope', 'application/json')).toEqual([404, false, '404 N'])
    expect(await visit('/zipkin/api/v2/nope', 'text/html,*/*;q=0.8')).toEqual([404, false, '404 N'])
    expect(await visit('/nope', 'text/html,*/*;q=0.8')).toEqual([404, false, '404 N'])
  })

  it('can live under another path of a proxy', async () => {
    open({ HOPSCOPE_VIEWER: folder, ZIPKIN_UI_BASEPATH: '/tools/traces/' })
    expect((await app.inject('/zipkin/')).body).toBe(
      '<base href="/tools/traces/" /><script src="./assets/x.js"></script><link href="./assets/y.css">',
    )
  })

  it('that is not built says how to build it', async () => {
    open({ HOPSCOPE_VIEWER: join(folder, 'missing') })
    const { statusCode, body } = await app.inject('/zipkin/')
    expect(statusCode).toBe(404)
    expect(body).toContain('npm start')
    expect(body).toContain(join(folder, 'missing'))
  })
})
