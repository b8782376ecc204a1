import type { Route, Tracing, ZipkinConfig } from '@hopscope/envoy-config'
import { afterEach, expect, test } from 'vitest'
import type { AsyncRequest } from '../cluster/async-client.ts'
import { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'
import { StreamInfo } from '../stream-info.ts'
import { createHttpTracer } from './create-http-tracer.ts'
import type { AttemptOutcome } from './http-tracer.ts'
import { createSpanReporters, type SpanReporters } from './span-reporters.ts'
import type { HttpTracerConfig } from './tracing-services.ts'

const zipkin: ZipkinConfig = {
  type: 'zipkin',
  collectorCluster: 'zipkin',
  collectorEndpoint: '/api/v2/spans',
  collectorHostname: 'zipkin',
  format: 'json',
  headersToAdd: [],
  traceId128bit: false,
  timestampTraceIds: false,
  splitSpans: false,
  sharedSpanContext: true,
  w3cPropagation: false,
}
const everything: Tracing = {
  clientSampling: 100,
  randomSampling: 100,
  overallSampling: 100,
  verbose: false,
  maxPathTagLength: 256,
  customTags: [],
  spawnUpstreamSpan: false,
  operation: '',
  upstreamOperation: '',
  noContextPropagation: false,
  provider: zipkin,
}

interface Wanted {
  tracing?: Partial<Tracing>
  zipkin?: Partial<ZipkinConfig>
  direction?: HttpTracerConfig['direction']
  runtime?: Record<string, number>
  random?: () => number
  status?: number
}

const open: SpanReporters[] = []
afterEach(() => Promise.all(open.splice(0).map(reporters => reporters.close(0))))

function setUp(wanted: Wanted = {}) {
  const stats = new Stats()
  const values = new Map(Object.entries({ 'tracing.zipkin.min_flush_spans': 1, ...wanted.runtime }))
  const runtime = new Runtime([{ name: 's', kind: 'static', values }])
  const posts: AsyncRequest[] = []
  const node = { id: 'n1', cluster: 'front', locality: { region: '', zone: 'za', subZone: '' } }
  const reporters = createSpanReporters({
    node,
    stats,
    runtime,
    asyncClient: {
      ask: () => () => {},
      async send(request) {
        posts.push(request)
        return { status: wanted.status ?? 202 }
      },
    },
  })
  open.push(reporters)
  const tracing = { ...everything, ...wanted.tracing }
  if (tracing.provider !== undefined) tracing.provider = { ...zipkin, ...wanted.zipkin }
  const tracer = createHttpTracer(
    { tracing, statPrefix: 'p', direction: wanted.direction ?? 'INBOUND' },
    { node, stats, runtime, random: wanted.random ?? (() => 0), reporters, environment: { REGION: 'eu' } },
  )
  /** All that were sent; those behind a report that is under way follow its answer. */
  const spans = async () => {
    await reporters.close(0)
    return posts.flatMap(post => JSON.parse(Buffer.from(post.body).toString()))
  }
  return { tracer, stats, spans, posts, reporters }
}

function request(fields: Record<string, string> = {}, route?: Partial<Route>) {
  const headers = new RequestHeaders()
  headers.method = 'GET'
  headers.path = '/foo?x=1'
  headers.authority = 'shop:8080'
  headers.append('x-request-id', 'c6ab84a2-0376-469c-b010-b497afddb91e')
  for (const [name, value] of Object.entries(fields)) headers.set(name, value)
  const info = new StreamInfo()
  info.startTime = 1_795_450_263_020_383
  info.startInstant = 1000
  info.endInstant = 1027.705
  info.requestHeaders = headers
  info.downstreamDirectRemoteAddress = '127.0.0.1:51802'
  info.responseCode = 200
  if (route !== undefined) info.route = route as Route
  return { headers, info }
}

const outcome: AttemptOutcome = {
  at: 1026,
  upstreamAddress: '127.0.0.1:29905',
  statusCode: 200,
  responseFlags: '',
  responseHeaders: undefined,
  canceled: false,
  firstUpstreamTxByte: 1008,
  lastUpstreamTxByte: 1008,
  firstUpstreamRxByte: 1024,
  lastUpstreamRxByte: 1025,
}

const b3of = (headers: RequestHeaders) =>
  Object.fromEntries([...headers].filter(([name]) => /b3|traceparent/.test(name)))

test('an ingress root: SERVER, shared, its trace id is its own id', async () => {
  const { tracer, spans } = setUp()
  const { headers, info } = request({ 'user-agent': 'curl' })
  const span = tracer.begin(info, headers)
  expect(headers.get('x-request-id')).toBe('c6ab84a2-0376-969c-b010-b497afddb91e')
  info.clusterName = 'b'
  info.clusterObservabilityName = 'b-alt'
  info.bytesSent = 377
  const attempt = span.beginAttempt({ clusterName: 'b-alt', number: 1 }, 1001)
  const upstream = headers.clone()
  attempt.inject(upstream)
  attempt.finish?.(outcome)
  span.finish(info)
  const [root] = await spans()
  expect(root).toEqual({
    traceId: root.id,
    id: expect.stringMatching(/^[0-9a-f]{16}$/),
    kind: 'SERVER',
    name: 'shop:8080',
    timestamp: 1_795_450_263_020_383,
    duration: 27_705,
    localEndpoint: { ipv4: expect.any(String), port: 0, serviceName: 'front' },
    annotations: [{ timestamp: 1_795_450_263_048_088, value: 'ss' }],
    tags: {
      node_id: 'n1',
      zone: 'za',
      'guid:x-request-id': 'c6ab84a2-0376-969c-b010-b497afddb91e',
      'http.url': 'http://shop:8080/foo?x=1',
      'http.method': 'GET',
      downstream_cluster: '-',
      user_agent: 'curl',
      'http.protocol': 'HTTP/1.1',
      'peer.address': '127.0.0.1',
      request_size: '0',
      response_size: '377',
      component: 'proxy',
      upstream_cluster: 'b',
      'upstream_cluster.name': 'b-alt',
      'http.status_code': '200',
      response_flags: '-',
    },
    shared: true,
  })
  expect(info.traceId).toBe(root.traceId)
  expect(info.spanId).toBe('')
  expect(b3of(upstream)).toEqual({ 'x-b3-traceid': root.traceId, 'x-b3-spanid': root.id, 'x-b3-sampled': '1' })
})

const incoming = {
  'x-b3-traceid': '463ac35c9f6413ad',
  'x-b3-spanid': 'a2fb4a1d1a96d312',
  'x-b3-parentspanid': '0020000000000001',
}

test.each([
  ['ingress joins', { direction: 'INBOUND' }, 'SERVER', 'a2fb4a1d1a96d312', '0020000000000001', true],
  [
    'ingress without sharing is a child',
    { direction: 'INBOUND', zipkin: { sharedSpanContext: false } },
    'SERVER',
    'new',
    'a2fb4a1d1a96d312',
    undefined,
  ],
  ['egress is a CLIENT child', { direction: 'OUTBOUND' }, 'CLIENT', 'new', 'a2fb4a1d1a96d312', undefined],
  [
    'with spans of attempts egress joins, too',
    { direction: 'OUTBOUND', tracing: { spawnUpstreamSpan: true } },
    'SERVER',
    'a2fb4a1d1a96d312',
    '0020000000000001',
    true,
  ],
] as const)('%s', async (_, wanted, kind, id, parentId, shared) => {
  const { tracer, spans } = setUp(wanted as Wanted)
  const { headers, info } = request(incoming)
  tracer.begin(info, headers).finish(info)
  const [span] = await spans()
  expect(span).toMatchObject({
    traceId: '463ac35c9f6413ad',
    kind,
    parentId,
    annotations: [{ value: kind === 'SERVER' ? 'ss' : 'cr' }],
  })
  expect(span.shared).toBe(shared)
  if (id === 'new') expect([incoming['x-b3-spanid'], incoming['x-b3-parentspanid']]).not.toContain(span.id)
  else expect(span.id).toBe(id)
})

test('each attempt has a span of its own, as Envoy fills it', async () => {
  const { tracer, spans } = setUp({ direction: 'OUTBOUND', tracing: { spawnUpstreamSpan: true, verbose: true } })
  const { headers, info } = request()
  info.lastDownstreamRxByte = 1000.05
  const span = tracer.begin(info, headers)
  info.clusterName = 'bad'
  const first = span.beginAttempt({ clusterName: 'badalt', number: 1 }, 1001)
  first.inject(headers)
  const injected = b3of(headers)
  first.finish?.({
    ...outcome,
    statusCode: 0,
    responseFlags: 'UF',
    resetReason: 'remote connection failure',
    firstUpstreamTxByte: Number.NaN,
    lastUpstreamTxByte: Number.NaN,
    firstUpstreamRxByte: Number.NaN,
    lastUpstreamRxByte: Number.NaN,
  })
  const second = span.beginAttempt({ clusterName: 'badalt', number: 2 }, 1002)
  second.finish?.(outcome)
  span.finish(info)
  const [failed, retried, root] = await spans()
  expect(failed).toEqual({
    traceId: root.traceId,
    parentId: root.id,
    id: injected['x-b3-spanid'],
    kind: 'CLIENT',
    name: 'router badalt egress',
    timestamp: 1_795_450_263_021_383,
    duration: 25_000,
    localEndpoint: root.localEndpoint,
    annotations: [{ timestamp: 1_795_450_263_046_383, value: 'cr' }],
    tags: {
      'http.protocol': '-',
      upstream_address: '127.0.0.1:29905',
      'peer.address': '127.0.0.1:29905',
      component: 'proxy',
      upstream_cluster: 'bad',
      'upstream_cluster.name': 'badalt',
      'http.status_code': '0',
      response_flags: 'UF',
      error: 'true',
      'error.reason': 'remote connection failure',
    },
  })
  expect(injected['x-b3-parentspanid']).toBe(root.id)
  expect(retried.tags['retry.count']).toBe('1')
  expect(retried.annotations.map((a: { value: string }) => a.value)).toEqual([
    'first_upstream_tx_byte_sent',
    'last_upstream_tx_byte_sent',
    'first_upstream_rx_byte_received',
    'last_upstream_rx_byte_received',
    'cr',
  ])
  expect(root.annotations.map((a: { value: string }) => a.value)).toEqual(['last_downstream_rx_byte_received', 'ss'])
})

test.each([
  ['the incoming flag beats the decision: yes', { 'x-b3-sampled': '1' }, { randomSampling: 0 }, 1, '4'],
  ['the incoming flag beats the decision: no', { 'x-b3-sampled': '0' }, {}, 0, '9'],
  ['a kept nibble forces', { 'x-request-id': 'c6ab84a2-0376-a69c-b010-b497afddb91e' }, { randomSampling: 0 }, 1, 'a'],
  [
    'overall sampling vetoes even that',
    { 'x-request-id': 'c6ab84a2-0376-a69c-b010-b497afddb91e' },
    { overallSampling: 0 },
    0,
    '4',
  ],
  ['a client asks', { 'x-client-trace-id': 'me' }, { randomSampling: 0 }, 1, 'b'],
  ['a service asks', { 'x-envoy-force-trace': 'true' }, { randomSampling: 0 }, 1, 'a'],
  ['nobody asks', {}, { randomSampling: 0 }, 0, '4'],
  // 0xc6ab84a2 % 10000 is 9378
  ['random sampling above the stable value', {}, { randomSampling: 93.79 }, 1, '9'],
  ['random sampling at the stable value', {}, { randomSampling: 93.78 }, 0, '4'],
] as const)('%s', async (_, fields, tracing, reported, nibble) => {
  const { tracer, spans, stats } = setUp({ tracing })
  const { headers, info } = request(fields)
  tracer.begin(info, headers).finish(info)
  expect(await spans()).toHaveLength(reported)
  expect(headers.get('x-request-id')![14]).toBe(nibble)
  const counter = { '4': 'not_traceable', '9': 'random_sampling', a: 'service_forced', b: 'client_enabled' }[nibble]
  expect(stats.counter(`http.p.tracing.${counter}`).value).toBe(1)
})

test('a request id that is none leaves everything as it is', () => {
  for (const id of ['zzzzzzzz-0376-469c-b010-b497afddb91e', 'short']) {
    const { tracer, stats } = setUp()
    const { headers, info } = request({ 'x-request-id': id })
    tracer.begin(info, headers)
    expect(headers.get('x-request-id')).toBe(id)
    expect(stats.counter('http.p.tracing.not_traceable').value).toBe(1)
  }
})

test('runtime and route override the percentages', async () => {
  const off = setUp({ runtime: { 'tracing.random_sampling': 0 } })
  const a = request()
  off.tracer.begin(a.info, a.headers).finish(a.info)
  expect(await off.spans()).toHaveLength(0)

  const on = setUp({ tracing: { randomSampling: 0 } })
  const b = request({}, { tracing: { ...everything, randomSampling: 100 } })
  on.tracer.begin(b.info, b.headers).finish(b.info)
  expect(await on.spans()).toHaveLength(1)
})

test('a malformed B3 header: no span, no header is touched, no trace id', async () => {
  const { tracer, spans } = setUp()
  const { headers, info } = request({ b3: 'nonsense', 'x-b3-traceid': 'zz' })
  const span = tracer.begin(info, headers)
  span.beginAttempt({ clusterName: 'b', number: 1 }, 1001).inject(headers)
  span.finish(info)
  expect(b3of(headers)).toEqual({ b3: 'nonsense', 'x-b3-traceid': 'zz' })
  expect(await spans()).toEqual([])
  expect(info.traceId).toBe('')
})

test('the caller is answered in its own style', () => {
  const { tracer } = setUp()
  const single = request({ b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-d', 'x-b3-sampled': '0' })
  tracer.begin(single.info, single.headers).beginAttempt({ clusterName: 'b', number: 1 }, 1).inject(single.headers)
  expect(b3of(single.headers)).toEqual({ b3: '463ac35c9f6413ad-a2fb4a1d1a96d312-1', 'x-b3-sampled': '0' })

  const w3c = setUp({ zipkin: { w3cPropagation: true } })
  const parent = request({ traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' })
  w3c.tracer.begin(parent.info, parent.headers).beginAttempt({ clusterName: 'b', number: 1 }, 1).inject(parent.headers)
  expect(b3of(parent.headers)).toEqual({
    'x-b3-traceid': '0af7651916cd43dd8448eb211c80319c',
    'x-b3-spanid': 'b7ad6b7169203331',
    'x-b3-sampled': '0',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
  })
})

const decorator = { operation: 'op', propagate: true }

test('decorators on the way out: told upstream, taken from the response', async () => {
  const { tracer, spans } = setUp({ direction: 'OUTBOUND' })
  const { headers, info } = request({}, { decorator })
  const span = tracer.begin(info, headers)
  expect(headers.get('x-envoy-decorator-operation')).toBe('op')
  const response = new ResponseHeaders(['x-envoy-decorator-operation', 'theirs'])
  span.onResponseHeaders(response)
  expect(response.has('x-envoy-decorator-operation')).toBe(false)
  span.finish(info)
  expect((await spans())[0].name).toBe('theirs')
})

test('decorators on the way in: told to the client, unless the client named the operation', async () => {
  const { tracer, spans } = setUp()
  const plain = request({}, { decorator })
  const span = tracer.begin(plain.info, plain.headers)
  const response = new ResponseHeaders()
  span.onResponseHeaders(response)
  expect(response.get('x-envoy-decorator-operation')).toBe('op')
  span.finish(plain.info)

  const named = request({ 'x-envoy-decorator-operation': 'asked' }, { decorator })
  const second = tracer.begin(named.info, named.headers)
  expect(named.headers.has('x-envoy-decorator-operation')).toBe(false)
  const untouched = new ResponseHeaders()
  second.onResponseHeaders(untouched)
  expect(untouched.size).toBe(0)
  second.finish?.(named.info)
  expect((await spans()).map(s => s.name)).toEqual(['op', 'asked'])
})

test('without a provider the request id is rewritten and decorators work, there is no span', () => {
  const { provider: _, ...tracing } = everything
  const stats = new Stats()
  const { tracer: reference } = setUp()
  expect(reference).toBeDefined()
  const tracer = createHttpTracer(
    { tracing, statPrefix: 'p', direction: 'OUTBOUND' },
    {
      node: { id: '', cluster: '', locality: { region: '', zone: '', subZone: '' } },
      stats,
      runtime: new Runtime([]),
      random: () => 0,
      reporters: open[0]!,
    },
  )
  const { headers, info } = request({}, { decorator })
  const span = tracer.begin(info, headers)
  span.beginAttempt({ clusterName: 'b', number: 1 }, 1).inject(headers)
  span.finish(info)
  expect(headers.get('x-request-id')![14]).toBe('9')
  expect(headers.get('x-envoy-decorator-operation')).toBe('op')
  expect(b3of(headers)).toEqual({})
})

test('custom tags: of every kind, over built-in ones, never empty', async () => {
  const { tracer, spans } = setUp({
    tracing: {
      customTags: [
        { tag: 'team', type: 'literal', value: 'größe' },
        { tag: 'region', type: 'environment', name: 'REGION', defaultValue: 'none' },
        { tag: 'tenant', type: 'request_header', name: 'X-Tenant', defaultValue: '' },
        { tag: 'missing', type: 'request_header', name: 'x-missing', defaultValue: '' },
        { tag: 'component', type: 'request_header', name: 'x-missing', defaultValue: 'mine' },
        { tag: 'user_agent', type: 'request_header', name: 'x-missing', defaultValue: '' },
      ],
    },
  })
  const { headers, info } = request({ 'x-tenant': 'acme', 'user-agent': 'curl' })
  tracer.begin(info, headers).finish(info)
  const { tags } = (await spans())[0]
  expect(tags).toMatchObject({ team: 'größe', region: 'eu', tenant: 'acme', component: 'mine', user_agent: 'curl' })
  expect(tags).not.toHaveProperty('missing')
})

test('only a 202 is a report sent', async () => {
  for (const [status, name] of [
    [202, 'reports_sent'],
    [200, 'reports_dropped'],
    [503, 'reports_dropped'],
  ] as const) {
    const { tracer, stats, posts } = setUp({ status })
    const { headers, info } = request()
    tracer.begin(info, headers).finish(info)
    await expect.poll(() => stats.counter(`tracing.zipkin.${name}`).value).toBe(1)
    expect(stats.counter('tracing.zipkin.spans_sent').value).toBe(1)
    expect(posts[0]).toMatchObject({ cluster: 'zipkin', path: '/api/v2/spans', host: 'zipkin', timeout: 5000 })
  }
})
