import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, Pair, skipReason, statusAndBody, statusOnly, tracesView, whole } from './pair.ts'

let pair: Pair
const TIMESTAMP = 1_600_000_000_000_000

describe.skipIf(skipReason)(`HTTP beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start()
  })
  afterAll(() => pair?.close())

  it.each(['/', '/zipkin', '/?serviceName=x', '/zipkin?a=b', '/favicon.ico'])('redirects %s', async path => {
    await pair.same(path)
  })

  it.each([
    '/nope',
    '/api/v2/services/',
    '/health/',
    '/api/v2/trace/',
    '/API/v2/services',
    '/api/v2',
    '/config.json',
    '/zipkin/health',
    '/zipkin/foo',
    '/zipkin/traces',
    '/zipkin/dependency/',
    '/api/v1/nothing',
    '/zipkin/api/v2/nothing',
  ])('does not know %s', async path => {
    expect((await pair.same(path)).status).toBe(404)
  })

  it.each(['//api/v2/services', '/api/v2/%73ervices', '/api/v2/services?x=a%20b'])('finds %s', async path => {
    await pair.same(path)
  })

  it.each([
    '/api/v2/../v2/services',
    '/api/v2/%2e%2e/v2/services',
    '/api/v2/trace/..',
    '/api/v2/trace/1%2F..',
    '/zipkin/..',
    '/zipkin/..%2f..%2fetc/passwd',
    '/api/v2/trace/1%00',
    '/api/v2/trace/1%0a',
    '/api/v2/trace/1%7F',
    '/api/v2/services?x=%00',
    '/api/v2/services?x=%1b',
  ])('refuses %s', async path => {
    await pair.same(path, statusOnly)
  })

  it.each([
    '/api/v2/trace/...',
    '/api/v2/trace/.',
    '/api/v2/trace/1%2F2',
    '/api/v2/trace/1%09',
    '/api/v2/./services',
    '/api/v2/services%3Bx',
    '/api/v2/spans?serviceName=a%0Ab',
    '/api/v2/spans?serviceName=%1f',
  ])('takes %s as it is', async path => {
    await pair.same(path)
  })

  it.each(['/api/v2/trace/%zz', '/api/v2/services?x=%zz'])('refuses the escape in %s', async path => {
    await pair.same(path)
  })

  it.each([
    ['POST', '/api/v2/services'],
    ['PUT', '/api/v2/spans'],
    ['DELETE', '/api/v2/trace/a'],
    ['POST', '/zipkin/api/v2/spans'],
    ['PUT', '/zipkin/'],
    ['POST', '/zipkin/config.json'],
    ['TRACE', '/api/v2/services'],
    ['TRACE', '/zipkin/'],
    ['OPTIONS', '/api/v2/services'],
    ['POST', '/health'],
  ])('refuses %s %s', async (method, path) => {
    await pair.same({ method, path }, statusAndBody)
  })

  it.each([
    ['GET', '/api/v2/services'],
    ['GET', '/health'],
    ['GET', '/nope'],
    ['GET', '/api/v2/traces?limit=0'],
    ['POST', '/api/v2/spans'],
  ])('lets any origin read %s %s', async (method, path) => {
    await pair.same({ method, path, headers: { origin: 'http://example.com' } }, corsView)
  })

  it.each(['/api/v2/spans', '/api/v2/traces', '/zipkin/', '/nope'])('answers a preflight of %s', async path => {
    const headers = { origin: 'http://example.com', 'access-control-request-method': 'POST' }
    await pair.same({ method: 'OPTIONS', path, headers })
  })

  it.each([
    '/zipkin/',
    '/zipkin/index.html',
    '/zipkin/traces/463ac35c9f6413ad',
    '/zipkin/dependency',
    '/zipkin/traceViewer',
  ])('opens the page %s', async path => {
    await pair.same(path, pageView)
    await pair.same(`${path}?serviceName=web&lookback=15m`, pageView)
  })

  it('lets browsers keep what a page loads', async () => {
    const pages = await pair.send({ path: '/zipkin/' })
    for (const [index, { body }] of pages.entries()) {
      const script = /src="(?:\.\/|\/zipkin\/)([^"]+\.js)"/.exec(body)?.[1]
      const answers = await pair.send({ path: `/zipkin/${script}` })
      const { status, headers } = answers[index]!
      expect([status, headers['cache-control']?.replace('public, ', '')]).toEqual([200, 'max-age=31536000'])
    }
  })

  it('has an icon where it says that it is', async () => {
    const { headers } = await pair.same('/favicon.ico')
    expect((await pair.same(headers.location!, statusOnly)).status).toBe(200)
  })

  it.each(['/zipkin/', '/info'])('answers 304 to who has %s already', async path => {
    for (const [index, { headers }] of (await pair.send({ path })).entries()) {
      const again = await pair.send({ path, headers: { 'if-none-match': headers.etag! } })
      expect(again[index]!.status).toBe(304)
    }
  })

  it.each(['/health', '/info', '/metrics', '/prometheus', '/api/v2/services', '/zipkin/config.json'])(
    'gives %s the content type of zipkin-server',
    async path => {
      await pair.same(path, ({ status, headers }) => [status, headers['content-type']])
    },
  )

  it.each(['/actuator/info', '/actuator/prometheus', '/actuator/health'])('has the alias %s', async path => {
    await pair.same(path, ({ status, headers }) => [status, headers['content-type']])
  })

  it('has the keys of zipkin-server in /metrics, and otlp besides', async () => {
    const [zipkin, hopscope] = (await pair.send({ path: '/metrics' })).map(({ body }) => Object.keys(JSON.parse(body)))
    expect(hopscope!.filter(key => !key.endsWith('.otlp')).sort()).toEqual(zipkin!.sort())
  })

  it('times the same requests under the same labels', async () => {
    for (const path of [
      '/api/v2/trace/feed',
      '/api/v2/traces?limit=0',
      '/zipkin/api/v2/services',
      '/api/nope',
      '/health',
    ]) {
      await pair.send({ path })
    }
    await pair.send({ method: 'POST', path: '/api/v2/spans', body: '[]' })
    const labels = ({ body }: Answer): string[] =>
      [...body.matchAll(/^http_server_requests_seconds_count\{(.*)\}/gm)]
        .map(([, text]) =>
          [...text!.matchAll(/(method|status|uri)="[^"]*"/g)]
            .map(([pair]) => pair)
            .sort()
            .join(','),
        )
        .sort()
    const [zipkin, hopscope] = (await pair.send({ path: '/prometheus' })).map(labels)
    expect(zipkin!.length).toBeGreaterThan(3)
    expect(hopscope).toEqual(zipkin)
  })

  it('shows the same config.json', () => pair.same('/zipkin/config.json'))

  it('answers 304 to who has config.json already', async () => {
    const answers = await pair.send({ path: '/zipkin/config.json' })
    for (const [index, { headers }] of answers.entries()) {
      expect(headers.etag).toBeTruthy()
      expect(headers['last-modified']).toBeTruthy()
      const again = await pair.send({ path: '/zipkin/config.json', headers: { 'if-none-match': headers.etag! } })
      expect(again[index]!.status).toBe(304)
    }
  })

  it('is as healthy, but for the name of the store', () =>
    pair.same('/health', ({ status, headers, body }) => [
      status,
      headers['content-type'],
      body.replace(/"[^"]*Storage\{.*\}"/, '"STORE"'),
    ]))

  it('has the same actuator alias', () =>
    pair.same('/actuator/health', ({ status, headers }) => [status, headers['content-type']]))

  it('says its version where clients look', async () => {
    await pair.same('/info', ({ status, headers, body }) => [
      status,
      headers['content-type'],
      typeof JSON.parse(body).zipkin.version,
    ])
  })

  it('offers Prometheus every collector metric that zipkin-server has', async () => {
    const [zipkin, hopscope] = await pair.send({ path: '/prometheus' })
    const names = (text: string): string[] => [
      ...new Set(text.match(/^(zipkin_collector_\w+|http_server_requests_seconds_(count|sum|max))/gm)),
    ]
    expect(names(zipkin.body).length).toBeGreaterThan(8)
    expect(names(hopscope.body)).toEqual(expect.arrayContaining(names(zipkin.body)))
    expect(hopscope.headers['content-type']).toBe(zipkin.headers['content-type'])
  })

  it('caches name lists once there are more than three services', async () => {
    const services = ['n1', 'n2', 'n3', 'n4']
    await pair.same('/api/v2/services')
    for (const [index, serviceName] of services.entries()) {
      const traceId = `ca${index}`
      await pair.store(
        [{ traceId, id: '1', timestamp: TIMESTAMP, name: 'x', localEndpoint: { serviceName } }],
        [traceId],
      )
      // The header of /spans follows the last /services.
      await pair.same('/api/v2/spans?serviceName=n1')
      await pair.same('/api/v2/services')
      await pair.same('/api/v2/spans?serviceName=n1')
      await pair.same('/api/v2/remoteServices?serviceName=n1')
    }
  })

  it('compresses long answers for those who ask', async () => {
    const spans = Array.from({ length: 40 }, (_, i) => ({
      traceId: 'c0de',
      id: (i + 1).toString(16),
      timestamp: TIMESTAMP + i,
      tags: { filler: 'x'.repeat(40) },
    }))
    await pair.store(spans, ['c0de'])
    const view = (answer: Answer): unknown => [answer.headers['content-encoding'], tracesView(answer)]
    await pair.same({ path: '/api/v2/trace/c0de', headers: { 'accept-encoding': 'gzip' } }, view)
    await pair.same({ path: '/api/v2/trace/c0de' }, view)
    await pair.same({ path: '/api/v2/services', headers: { 'accept-encoding': 'gzip' } }, whole)
  })
})

describe.skipIf(skipReason)(`other settings beside zipkin-server${skipReason ? ` (${skipReason})` : ''}`, () => {
  beforeAll(async () => {
    pair = await Pair.start({
      STRICT_TRACE_ID: 'false',
      AUTOCOMPLETE_KEYS: 'env, method',
      ZIPKIN_QUERY_ALLOWED_ORIGINS: 'http://a.example,http://b.example',
      ZIPKIN_QUERY_NAMES_MAX_AGE: '60',
      ZIPKIN_UI_ENVIRONMENT: 'staging',
      ZIPKIN_UI_QUERY_LIMIT: '50',
      ZIPKIN_UI_LOGS_URL: 'http://logs.example/{traceId}',
      ZIPKIN_UI_DEPENDENCY_LOW_ERROR_RATE: '0.1',
      COLLECTOR_SAMPLE_RATE: '0.5',
    })
  })
  afterAll(() => pair?.close())

  it('joins trace ids of two widths when they are lenient', async () => {
    const spans = ['463ac35c9f6413ad0000000000000abc', '0000000000000abc'].map((traceId, index) => ({
      traceId,
      id: String(index + 1),
      timestamp: TIMESTAMP + index,
      localEndpoint: { serviceName: `s${index}` },
      tags: { [`t${index}`]: 'x' },
    }))
    await pair.store(spans, ['abc', '463ac35c9f6413ad0000000000000abc'])
    await pair.waitFor('/api/v2/trace/abc', ({ body }) => JSON.parse(body).length === 2)
    const window = `endTs=${TIMESTAMP / 1000 + 10}&lookback=20`
    await pair.same('/api/v2/trace/abc', tracesView)
    await pair.same('/api/v2/trace/463ac35c9f6413ad0000000000000abc', tracesView)
    await pair.same('/api/v2/traceMany?traceIds=abc,463ac35c9f6413ad0000000000000abc', tracesView)
    await pair.same(`/api/v2/traces?${window}&annotationQuery=t0+and+t1`, tracesView)
    await pair.same(`/api/v2/traces?${window}&serviceName=s0&annotationQuery=t1`, tracesView)
  })

  it('samples the same traces', async () => {
    const ids = Array.from({ length: 60 }, (_, i) =>
      ((BigInt(i + 1) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn).toString(16),
    )
    const spans = ids.flatMap((traceId, i) => [
      { traceId, id: '1', timestamp: TIMESTAMP + 1_000_000, ...(i % 20 === 0 ? { debug: true } : {}) },
    ])
    await pair.same({ method: 'POST', path: '/api/v2/spans', body: JSON.stringify(spans) })
    await pair.store([{ traceId: 'abd', id: '1', timestamp: TIMESTAMP + 1_000_000 }], ['abd'])
    const answer = await pair.same(
      `/api/v2/traces?endTs=${TIMESTAMP / 1000 + 1500}&lookback=1000&limit=100`,
      tracesView,
    )
    const kept = JSON.parse(answer.body).length
    expect(kept).toBeGreaterThan(15)
    expect(kept).toBeLessThan(50)
  })

  it('offers values of the tags it was told to', async () => {
    await pair.store(
      [
        {
          traceId: 'ab1',
          id: '1',
          timestamp: TIMESTAMP,
          localEndpoint: { serviceName: 'web' },
          tags: { env: 'prod', method: 'GET', other: 'x' },
        },
        { traceId: 'ab1', id: '2', timestamp: TIMESTAMP, tags: { env: 'dev' } },
        { traceId: 'ab1', id: '3', timestamp: TIMESTAMP, localEndpoint: { serviceName: 'web' }, tags: { env: 'dev2' } },
      ],
      ['ab1'],
    )
    for (const path of [
      'autocompleteKeys',
      'autocompleteValues?key=env',
      'autocompleteValues?key=method',
      'autocompleteValues?key=other',
    ]) {
      await pair.same(`/api/v2/${path}`)
    }
  })

  it.each(['http://a.example', 'http://c.example'])('answers origin %s by its list', async origin => {
    await pair.same({ path: '/api/v2/services', headers: { origin } }, corsView)
    await pair.same({
      method: 'OPTIONS',
      path: '/api/v2/spans',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
  })

  it('shows its settings in config.json', () => pair.same('/zipkin/config.json'))
})

function corsView(answer: Answer): unknown {
  const { headers, status } = answer
  return [
    status,
    headers.vary,
    Object.entries(headers)
      .filter(([name]) => name.startsWith('access-control-'))
      .sort(),
  ]
}

/** A page is each server's own; how it may be kept is not. */
function pageView({ status, headers }: Answer): unknown {
  return [status, headers['content-type'], headers['cache-control']]
}
