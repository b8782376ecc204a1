import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type App, startApp } from './start-app.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(closing.splice(0).map(close => close()))
})

async function service(env: Record<string, string> = {}): Promise<App & { url: string }> {
  const app = startApp('service', { env: { LISTEN_ADDR: '127.0.0.1:0', ...env } })
  closing.push(() => {
    app.signal('SIGTERM')
    return app.ended
  })
  const [, url] = await app.saw(/listening on (\S+)/)
  return { ...app, url: url! }
}

/** A server that keeps the headers of what it receives. */
async function recorder(
  status = 200,
): Promise<{ authority: string; received: { url: string; headers: IncomingHttpHeaders }[] }> {
  const received: { url: string; headers: IncomingHttpHeaders }[] = []
  const server: Server = createServer((request, response) => {
    received.push({ url: request.url!, headers: request.headers })
    response.writeHead(status).end('{"from":"recorder"}')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { authority: `127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

const B3 = {
  'x-request-id': 'r-1',
  'x-b3-traceid': '463ac35c9f6413ad48485a3953bb6124',
  'x-b3-spanid': 'a2fb4a1d1a96d312',
  'x-b3-sampled': '1',
}

describe('the httpbin subset', () => {
  it('shows what it received, as httpbin does', async () => {
    const { url } = await service()
    const get = await fetch(`${url}/get?a=1&a=2&b=x`, { headers: { 'x-b3-traceid': '12', 'user-agent': 'test' } })
    const text = await get.text()
    const shown = JSON.parse(text)
    expect(shown.args).toEqual({ a: ['1', '2'], b: 'x' })
    expect(shown.headers).toMatchObject({ 'X-B3-Traceid': '12', 'User-Agent': 'test', Host: new URL(url).host })
    expect(shown.url).toBe(`${url}/get?a=1&a=2&b=x`)
    expect(shown.origin).toBe('127.0.0.1')
    expect(Object.keys(shown)).toEqual(['args', 'headers', 'origin', 'url'])
    expect(text).toMatch(/^\{\n {2}"args"/)

    const headers = await (await fetch(`${url}/headers`)).json()
    expect(Object.keys(headers)).toEqual(['headers'])
  })

  it('shows bodies: JSON, forms, bytes', async () => {
    const { url } = await service()
    const send = async (method: string, type: string, body: string | Uint8Array<ArrayBuffer>) =>
      (await fetch(`${url}/anything/x`, { method, headers: { 'content-type': type }, body })).json()
    expect(await send('PUT', 'application/json', '{"q":[1]}')).toMatchObject({
      method: 'PUT',
      data: '{"q":[1]}',
      json: { q: [1] },
    })
    expect(await send('POST', 'application/x-www-form-urlencoded', 'a=b&c=1&c=2')).toMatchObject({
      data: '',
      form: { a: 'b', c: ['1', '2'] },
      json: null,
    })
    expect(await send('POST', 'application/json', 'not json')).toMatchObject({ data: 'not json', json: null })
    expect((await send('POST', 'image/png', new Uint8Array([0xff, 0]))).data).toBe(
      'data:application/octet-stream;base64,/wA=',
    )
  })

  it('answers /status, /delay, /bytes and /stream', async () => {
    const { url } = await service()
    expect((await fetch(`${url}/status/503`)).status).toBe(503)
    expect((await fetch(`${url}/status/204:1`)).status).toBe(204)
    expect((await fetch(`${url}/status/99`)).status).toBe(400)

    const started = performance.now()
    expect((await fetch(`${url}/delay/0.2`)).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThanOrEqual(199)
    expect((await fetch(`${url}/delay/soon`)).status).toBe(400)

    const bytes = async () => Buffer.from(await (await fetch(`${url}/bytes/32?seed=5`)).arrayBuffer()).toString('hex')
    expect(await bytes()).toHaveLength(64)
    expect(await bytes()).toBe(await bytes())

    const stream = await fetch(`${url}/stream/3`)
    expect(stream.headers.get('transfer-encoding')).toBe('chunked')
    const lines = (await stream.text()).trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line).id)).toEqual([0, 1, 2])
  })
})

describe('gates and sequences', () => {
  it('holds requests until they are released, as many as asked for', async () => {
    const { url } = await service()
    let answered = 0
    const held = [1, 2, 3].map(() =>
      fetch(`${url}/gate/a`).then(response => {
        answered++
        return response.json()
      }),
    )
    expect(await (await fetch(`${url}/gate/a/waiting?count=3`)).json()).toEqual({ gate: 'a', waiting: 3 })
    expect(answered).toBe(0)
    expect(await (await fetch(`${url}/gate/a/release?count=2`)).json()).toEqual({ gate: 'a', released: 2 })
    await Promise.all(held.slice(0, 2))
    expect(answered).toBe(2)
    expect(await (await fetch(`${url}/gate/b/release`)).json()).toEqual({ gate: 'b', released: 0 })
    expect(await (await fetch(`${url}/gate/a/release`)).json()).toEqual({ gate: 'a', released: 1 })
    expect(await held[2]).toEqual({ gate: 'a', released: true })
  })

  it('forgets a held request whose caller went away, and counts it', async () => {
    const { url } = await service()
    const caller = new AbortController()
    const held = fetch(`${url}/gate/a`, { signal: caller.signal }).catch(error => error.name)
    await fetch(`${url}/gate/a/waiting`)
    caller.abort()
    expect(await held).toBe('AbortError')
    await expect.poll(async () => (await (await fetch(`${url}/health`)).json()).client_gone).toBe(1)
    expect(await (await fetch(`${url}/gate/a/release`)).json()).toMatchObject({ released: 0 })
  })

  it('holds one of a sequence at its gate', async () => {
    const { url } = await service()
    const turn = async () => (await fetch(`${url}/seq?codes=503,201@hold`)).status
    expect(await turn()).toBe(503)
    const held = turn()
    await fetch(`${url}/gate/hold/waiting`)
    await fetch(`${url}/gate/hold/release`)
    expect(await held).toBe(201)
    expect((await fetch(`${url}/seq?codes=200,abc@hold`)).status).toBe(400)
  })

  it('is unhealthy when it is told to be', async () => {
    const { url } = await service()
    await fetch(`${url}/health/fail`)
    expect((await fetch(`${url}/health`)).status).toBe(503)
    expect((await fetch(`${url}/`)).status).toBe(200)
    await fetch(`${url}/health/ok`)
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok', requests: 1 })
  })

  it('gives what is left of a deadline to its upstreams', async () => {
    const upstream = await service()
    const { url } = await service({
      UPSTREAM_URIS: `${upstream.url}/headers`,
      TIMING_50_PERCENTILE: '30ms',
      FORWARD_DEADLINE: 'yes',
    })
    const answer = await fetch(url, { headers: { 'x-envoy-expected-rq-timeout-ms': '5000' } })
    const { upstream_calls: calls } = (await answer.json()) as {
      upstream_calls: { body: { headers: Record<string, string> } }[]
    }
    const left = Number(calls[0]!.body.headers['X-Envoy-Expected-Rq-Timeout-Ms'])
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(4970)
  })

  it('gives the codes of a sequence in turn, and begins again', async () => {
    const { url } = await service()
    const status = async (query: string, headers = {}) => (await fetch(`${url}/seq?${query}`, { headers })).status
    const turn: number[] = []
    for (let i = 0; i < 4; i++) turn.push(await status('codes=503,429,200'))
    expect(turn).toEqual([503, 429, 200, 503])
    expect(await status('codes=503,429,200&id=other')).toBe(503)
    const a = { 'x-request-id': 'a' }
    const b = { 'x-request-id': 'b' }
    expect([
      await status('codes=500,200&per=request', a),
      await status('codes=500,200&per=request', b),
      await status('codes=500,200&per=request', a),
    ]).toEqual([500, 500, 200])
    expect(await status('codes=503,x')).toBe(400)
  })
})

describe('a service at work', () => {
  it('asks its upstreams through the outbound address, under their own host, with the trace headers', async () => {
    const { authority, received } = await recorder()
    const { url } = await service({
      NAME: 'shop',
      UPSTREAM_URIS: 'http://stock/items?x=1,/checkout=http://pay/',
      OUTBOUND_ADDR: authority,
    })
    const answer = await (await fetch(`${url}/`, { headers: { ...B3, 'x-other': '1' } })).json()
    expect(answer).toMatchObject({
      name: 'shop',
      code: 200,
      upstream_calls: [{ uri: 'http://stock/items?x=1', code: 200, body: { from: 'recorder' } }],
    })
    expect(received).toHaveLength(1)
    expect(received[0]).toMatchObject({ url: '/items?x=1', headers: { host: 'stock', ...B3 } })
    expect(received[0]!.headers).not.toHaveProperty('x-other')

    await fetch(`${url}/checkout/now`)
    expect(received.slice(1).map(request => request.headers.host)).toEqual(['stock', 'pay'])
  })

  it.each([
    ['none', []],
    ['request-id', ['x-request-id']],
    ['all', Object.keys(B3)],
  ])('forwards with FORWARD=%s just %j', async (forward, names) => {
    const { authority, received } = await recorder()
    const { url } = await service({ UPSTREAM_URIS: `http://${authority}/`, FORWARD: forward })
    await fetch(url, { headers: B3 })
    expect(
      Object.keys(received[0]!.headers)
        .filter(name => name in B3)
        .sort(),
    ).toEqual([...names].sort())
  })

  it('keeps as many calls in flight as it has workers', async () => {
    const upstream = await service()
    const gated = `${upstream.url}/gate/g`
    const { url } = await service({ UPSTREAM_URIS: [gated, gated, gated].join(','), UPSTREAM_WORKERS: '2' })
    const answer = fetch(url)
    expect(await (await fetch(`${gated}/waiting?count=2`)).json()).toMatchObject({ waiting: 2 })
    expect(await (await fetch(`${gated}/release`)).json()).toMatchObject({ released: 2 })
    expect(await (await fetch(`${gated}/waiting`)).json()).toMatchObject({ waiting: 1 })
    await fetch(`${gated}/release`)
    expect((await answer).status).toBe(200)
  })

  it('cancels its calls when its own caller goes away', async () => {
    const upstream = await service()
    const { url } = await service({ UPSTREAM_URIS: `${upstream.url}/gate/g` })
    const caller = new AbortController()
    const call = fetch(url, { signal: caller.signal }).catch(() => undefined)
    await fetch(`${upstream.url}/gate/g/waiting`)
    caller.abort()
    await call
    await expect.poll(async () => (await (await fetch(`${upstream.url}/health`)).json()).client_gone).toBe(1)
  })

  it('fails every n-th request, and says 500 when an upstream failed or is not there', async () => {
    const flaky = await service({ ERROR_EVERY: '2', ERROR_CODE: '503' })
    const { url } = await service({ UPSTREAM_URIS: `${flaky.url}/` })
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push((await fetch(url)).status)
    expect(statuses).toEqual([200, 500, 200, 500])

    flaky.signal('SIGTERM')
    await flaky.ended
    const answer = await (await fetch(url)).json()
    expect(answer.upstream_calls[0]).toMatchObject({
      code: 0,
      error: expect.stringMatching(/ECONNREFUSED|UND_ERR_SOCKET/),
    })
  })

  it('resets the connection when told so', async () => {
    const { url } = await service({ ERROR_EVERY: '1', ERROR_TYPE: 'reset' })
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  it('works one at a time behind its lock', async () => {
    const { url } = await service({ LOCK: '1', TIMING_50_PERCENTILE: '50ms' })
    const started = performance.now()
    await Promise.all([fetch(url), fetch(url), fetch(url)])
    expect(performance.now() - started).toBeGreaterThanOrEqual(149)
  })
})

describe('the process', () => {
  it('ends on SIGTERM at once, even with a request in flight', async () => {
    const app = await service()
    const held = fetch(`${app.url}/gate/a`).catch(() => 'cut')
    await fetch(`${app.url}/gate/a/waiting`)
    app.signal('SIGTERM')
    // Nobody lets it go.
    expect(await app.ended).toEqual({ code: 0, signal: null })
    expect(await held).toBe('cut')
  })

  it('tells its variables when it is asked, and starts nothing', async () => {
    const asked = startApp('service', { argv: ['--help'] })
    expect(await asked.ended).toEqual({ code: 0, signal: null })
    expect(asked.output()).toMatch(/UPSTREAM_URIS/)
    const wrong = startApp('service', { argv: ['--port=1'] })
    expect((await wrong.ended).code).toBe(64)
    expect(wrong.output()).toMatch(/^service: unexpected argument --port=1/)
  })

  it('tells a wrong variable, and a taken port, in one line', async () => {
    const wrong = startApp('service', { env: { ERROR_RATE: 'often' } })
    expect(await wrong.ended).toMatchObject({ code: 64 })
    expect(wrong.output()).toBe('service: ERROR_RATE: "often" is not a number from 0 to 1\n')

    const { url } = await service()
    const taken = startApp('service', { env: { LISTEN_ADDR: new URL(url).host } })
    expect(await taken.ended).toMatchObject({ code: 1 })
    expect(taken.output()).toBe(
      `service: LISTEN_ADDR: port ${new URL(url).port} of 127.0.0.1 is taken by another process\n`,
    )
  })
})

describe('with the OpenTelemetry SDK', () => {
  it('joins the trace it is called in, and its calls are children of its own span', async () => {
    const spans: ZipkinSpan[] = []
    const collector = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', chunk => {
        body += chunk
      })
      request.on('end', () => {
        spans.push(...JSON.parse(body))
        response.writeHead(202).end()
      })
    })
    await new Promise<void>(resolve => collector.listen(0, '127.0.0.1', resolve))
    closing.push(async () => {
      collector.closeAllConnections()
      await new Promise(resolve => collector.close(resolve))
    })
    const { authority, received } = await recorder()
    const app = await service({
      NAME: 'otel-app',
      TRACING: 'sdk',
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}/api/v2/spans`,
      UPSTREAM_URIS: 'http://stock/',
      OUTBOUND_ADDR: authority,
    })
    expect((await fetch(app.url, { headers: B3 })).status).toBe(200)
    await expect.poll(() => spans.length).toBeGreaterThanOrEqual(3)

    const server = spans.find(span => span.kind === 'SERVER')
    const client = spans.find(span => span.kind === 'CLIENT')
    expect(server).toMatchObject({
      traceId: B3['x-b3-traceid'],
      parentId: B3['x-b3-spanid'],
      localEndpoint: { serviceName: 'otel-app' },
    })
    const work = spans.find(span => span.kind === undefined)
    expect(work).toMatchObject({ name: 'ask upstreams', traceId: B3['x-b3-traceid'], parentId: server!.id })
    expect(client).toMatchObject({ traceId: B3['x-b3-traceid'], parentId: work!.id })
    // The sidecar behind it gets the application's own span as parent, once, and the request id as it came.
    expect(received[0]!.headers).toMatchObject({
      'x-b3-traceid': B3['x-b3-traceid'],
      'x-b3-spanid': client!.id,
      'x-b3-sampled': '1',
      'x-request-id': 'r-1',
    })

    app.signal('SIGTERM')
    expect(await app.ended).toEqual({ code: 0, signal: null })
  })
})

interface ZipkinSpan {
  traceId: string
  id: string
  parentId?: string
  kind?: string
  localEndpoint: { serviceName: string }
}
