import { afterEach, describe, expect, it } from 'vitest'
import { call, REPORT } from './grpc-call.ts'
import { type Answer, Pair, skipReason, statusAndBody, statusOnly, tracesView } from './pair.ts'
import { encodeProto3 } from './proto3-writer.ts'

const TIMESTAMP = 1_600_000_000_000_000
const SPAN = {
  traceId: 'a1',
  id: '1',
  kind: 'CLIENT',
  name: 'get',
  timestamp: TIMESTAMP,
  localEndpoint: { serviceName: 'web' },
  remoteEndpoint: { serviceName: 'app' },
  tags: { env: 'prod' },
}
const WINDOW = `endTs=${TIMESTAMP / 1000 + 10}&lookback=1000`
const ROUTES = [
  '/',
  '/zipkin',
  '/zipkin/',
  '/zipkin/config.json',
  '/zipkin/traces/a1',
  '/favicon.ico',
  '/api/v2/services',
  '/zipkin/api/v2/services',
  '/api/v2/spans?serviceName=web',
  '/api/v2/remoteServices?serviceName=web',
  `/api/v2/traces?${WINDOW}`,
  '/api/v2/trace/a1',
  '/api/v2/traceMany?traceIds=a1,a2',
  `/api/v2/dependencies?${WINDOW}`,
  '/api/v2/autocompleteKeys',
  '/api/v2/autocompleteValues?key=env',
  '/info',
  '/metrics',
  '/prometheus',
]

let pair: Pair | undefined

/** Each has an environment of its own, and both servers start for it. */
const STARTED = { timeout: 150_000 }

describe.skipIf(skipReason)(`switches beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, STARTED, () => {
  afterEach(async () => {
    await pair?.close()
    pair = undefined
  })

  it('QUERY_ENABLED=false: takes spans, answers no query, shows no page', async () => {
    pair = await Pair.start({ QUERY_ENABLED: 'false' })
    await pair.same(post([SPAN]), statusAndBody)
    for (const path of ROUTES) await pair.same(path, statusOnly)
    expect((await pair.same('/health', statusOnly)).status).toBe(200)
  })

  it('UI_ENABLED=false, COLLECTOR_GRPC_ENABLED=false: queries alone', async () => {
    pair = await Pair.start({ UI_ENABLED: 'false', COLLECTOR_GRPC_ENABLED: 'false' })
    await pair.store([SPAN], ['a1'])
    for (const path of ROUTES) await pair.same(path, statusOnly)
    await pair.same('/metrics', transports)
    await pair.same({ method: 'POST', path: '/zipkin.proto3.SpanService/Report' }, statusOnly)
  })

  it('COLLECTOR_HTTP_ENABLED=false, ZIPKIN_UI_BASEPATH: no spans in, pages of another place', async () => {
    pair = await Pair.start({ COLLECTOR_HTTP_ENABLED: 'false', ZIPKIN_UI_BASEPATH: '/proxied' })
    for (const path of ['/api/v2/spans', '/api/v1/spans']) {
      await pair.same({ ...post([SPAN]), path }, statusAndBody)
      await pair.same({
        method: 'OPTIONS',
        path,
        headers: { origin: 'http://a', 'access-control-request-method': 'POST' },
      })
    }
    for (const path of ROUTES) await pair.same(path, statusOnly)
    await pair.same('/proxied/', statusOnly)
    await pair.same('/metrics', transports)
    await pair.same('/zipkin/', ({ body }) => /<base href="([^"]*)"/.exec(body)?.[1])
    await pair.same('/zipkin/', ({ body }) => /src="\.\//.test(body))
  })

  it('SEARCH_ENABLED=false: by id and links alone', async () => {
    pair = await Pair.start({ SEARCH_ENABLED: 'false', AUTOCOMPLETE_KEYS: 'env' })
    await pair.store([SPAN], ['a1'])
    for (const path of ROUTES.filter(path => path.includes('/api/v2'))) await pair.same(path, tracesView)
    await pair.same('/zipkin/config.json')
  })

  it('STORAGE_TYPE=mem, MEM_MAX_SPANS, QUERY_LOOKBACK: the oldest traces go', async () => {
    pair = await Pair.start({ STORAGE_TYPE: 'mem', MEM_MAX_SPANS: '6', QUERY_LOOKBACK: '5000' })
    // One at a time: what is stored together goes together, and their order decides.
    for (const n of [2, 3, 1]) {
      const traceId = `b${n}`
      const spans = [1, 2].map(id => ({
        ...SPAN,
        traceId,
        id: String(id),
        timestamp: TIMESTAMP + n * 1_000_000,
        localEndpoint: { serviceName: `s${n}` },
      }))
      await pair.store(spans, [traceId])
    }
    await pair.store([{ ...SPAN, traceId: 'b4', timestamp: TIMESTAMP + 9_000_000 }], ['b4'])
    await pair.waitFor('/api/v2/trace/b1', ({ status }) => status === 404)
    const now = TIMESTAMP / 1000 + 9_000
    for (const path of [
      '/api/v2/services',
      '/api/v2/trace/b1',
      '/api/v2/trace/b2',
      `/api/v2/traces?endTs=${now}`,
      `/api/v2/dependencies?endTs=${now}`,
    ]) {
      await pair.same(path, tracesView)
    }
    // A list of more than there is room for is taken, and leaves nothing.
    const many = Array.from({ length: 7 }, (_, i) => ({ ...SPAN, traceId: `c${i}`, timestamp: TIMESTAMP + 20_000_000 }))
    await pair.same(post(many), statusAndBody)
    await pair.waitFor('/api/v2/trace/b4', ({ status }) => status === 404)
    await pair.same('/api/v2/services', statusAndBody)
    await pair.same(`/api/v2/traces?endTs=${now + 20_000}&lookback=90000`, tracesView)
  })

  it('SELF_TRACING_ENABLED: requests as spans of zipkin-server', async () => {
    pair = await Pair.start({
      SELF_TRACING_ENABLED: 'true',
      SELF_TRACING_TRACES_PER_SECOND: '0',
      AUTOCOMPLETE_KEYS: 'env',
    })
    await pair.waitForBoth({ path: '/health', headers: { b3: '0' } }, ({ body }) => body.includes('"Traced{'))
    const traceIds = SELF_TRACED.map((_, index) => `bad${(index + 1).toString(16).padStart(29, '0')}`)
    for (const [index, one] of SELF_TRACED.entries()) {
      const request = typeof one === 'string' ? { path: one, headers: {} } : one
      await pair.send({ ...request, headers: { ...request.headers, b3: `${traceIds[index]}-000000000000abcd-1` } })
    }
    const isWhole = ({ status, body }: Answer): boolean => status === 200 && body.includes('"SERVER"')
    for (const traceId of traceIds) {
      const read = { path: `/api/v2/trace/${traceId}`, headers: { b3: '0' } }
      const [zipkin, hopscope] = await pair.waitForBoth(read, isWhole)
      expect(selfTraceView(hopscope), traceId).toEqual(selfTraceView(zipkin))
    }
    const reports = [encodeProto3([{ traceId: '00000000000000e1', id: '01' }]), Buffer.from([0x0a, 0x20, 0x01])]
    for (const [index, report] of reports.entries()) {
      const traceId = `9c0${index}`.padStart(16, '0')
      const codes = await Promise.all(
        pair.ports.map(port => call(port, REPORT, report, { b3: `${traceId}-000000000000abcd-1` })),
      )
      expect(codes[1]).toEqual(codes[0])
      const read = { path: `/api/v2/trace/${traceId}`, headers: { b3: '0' } }
      const [zipkin, hopscope] = await pair.waitForBoth(read, isWhole)
      expect(selfTraceView(hopscope), traceId).toEqual(selfTraceView(zipkin))
    }
    await pair.same('/metrics', transports)
  })
})

const SELF_TRACED: (string | ReturnType<typeof post>)[] = [
  '/api/v2/services',
  '/zipkin/api/v2/services',
  '/api/v2/spans?serviceName=web',
  '/api/v2/remoteServices?serviceName=web',
  '/api/v2/traces?limit=1',
  '/api/v2/traces?limit=0',
  '/api/v2/trace/a1',
  '/api/v2/trace/feed',
  '/api/v2/traceMany?traceIds=a1,a2',
  `/api/v2/dependencies?${WINDOW}`,
  '/api/v2/autocompleteKeys',
  '/api/v2/autocompleteValues?key=env',
  '/api/v2/nope',
  post([SPAN]),
  post([{ traceId: 'a1' }]),
]

/** Spans of a server itself, as those of another run and machine are. */
function selfTraceView({ body }: Answer): unknown {
  const spans = JSON.parse(body) as Record<string, unknown>[]
  const fields = spans.map(({ id, timestamp, duration, localEndpoint, remoteEndpoint, annotations, ...rest }) => ({
    ...rest,
    ...(rest.kind === 'SERVER' && { id }),
    service: (localEndpoint as { serviceName: string }).serviceName,
    caller: (remoteEndpoint as { ipv4: string } | undefined)?.ipv4,
    events: (annotations as { value: string }[] | undefined)?.map(({ value }) => value),
  }))
  return fields.sort((a, b) => ((a as { name?: string }).name! < (b as { name?: string }).name! ? -1 : 1))
}

/** What /metrics counts, but for OTLP. */
function transports({ body }: Answer): string[] {
  const keys = Object.keys(JSON.parse(body))
  return keys.filter(key => key.includes('.messages.') && !key.endsWith('.otlp')).sort()
}

function post(spans: object[]): { method: string; path: string; headers: Record<string, string>; body: string } {
  return {
    method: 'POST',
    path: '/api/v2/spans',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(spans),
  }
}
