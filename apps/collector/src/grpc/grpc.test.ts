import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Client, credentials, Metadata, type Server, type ServiceError, status } from '@grpc/grpc-js'
import { MemoryStore, StoreError } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Admission } from '../admission.ts'
import { BodyStock } from '../body-stock.ts'
import { readConfig } from '../config.ts'
import type { Context } from '../context.ts'
import { CollectorMetrics } from '../metrics.ts'
import { RequestTimer } from '../request-timer.ts'
import { createServer } from '../server.ts'
import { TraceFeed } from '../trace-feed.ts'
import { createOtlpGrpcServer, listenGrpc } from './otlp-server.ts'

let app: FastifyInstance
let otlp: Server
let store: MemoryStore
let metrics: CollectorMetrics
const clients: Client[] = []
let port: number
let otlpPort: number

beforeEach(async () => {
  const read = readConfig([], {})
  if (read === 'help') throw new Error('help')
  store = new MemoryStore()
  metrics = new CollectorMetrics()
  const feed = new TraceFeed(store)
  const context: Context = {
    config: read.config,
    store: feed.observe(),
    feed,
    metrics,
    admission: new Admission(64 * 1024 * 1024),
    bodies: new BodyStock(),
    timer: new RequestTimer(),
    warn: () => {},
    startedAt: new Date(),
  }
  app = createServer(context)
  await app.listen({ port: 0, host: '127.0.0.1' })
  port = (app.server.address() as AddressInfo).port
  otlp = createOtlpGrpcServer(context)
  otlpPort = await listenGrpc(otlp, '127.0.0.1:0')
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  otlp.forceShutdown()
  await app.close()
})

/** A call of a client that others wrote; → the answer, or what it is told. */
function call(
  to: number,
  path: string,
  message: Buffer,
  options: { compressed?: boolean } = {},
): Promise<Buffer | ServiceError> {
  const client = new Client(
    `127.0.0.1:${to}`,
    credentials.createInsecure(),
    options.compressed ? { 'grpc.default_compression_algorithm': 2 } : {},
  )
  clients.push(client)
  const asIs = (bytes: Buffer) => bytes
  return new Promise(resolve => {
    client.makeUnaryRequest(path, asIs, asIs, message, new Metadata(), (error, value) => resolve(error ?? value!))
  })
}
const REPORT = '/zipkin.proto3.SpanService/Report'
const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** One span: trace id 1, id 2, name `a`. */
const ZIPKIN = hex('0a17 0a080000000000000001 1a080000000000000002 2a0161')
/** The same with an OTLP trace id of 16 bytes. */
const OTLP_SPAN = hex('0a10000000000000000000000000000000ab 12080000000000000002 2a0161')
const nest = (...messages: Buffer[]): Buffer => {
  const all = Buffer.concat(messages)
  return Buffer.concat([Buffer.from([0x12, all.length]), all])
}
const otlpRequest = (...spans: Buffer[]): Buffer => {
  const resource = nest(...spans.map(span => nest(span)))
  return Buffer.concat([Buffer.from([0x0a, resource.length]), resource])
}

describe('zipkin.proto3.SpanService/Report', () => {
  it.each([false, true])('stores before it answers (compressed: %s)', async compressed => {
    expect(await call(port, REPORT, ZIPKIN, { compressed })).toEqual(Buffer.alloc(0))
    expect(await store.getTrace('0000000000000001')).toMatchObject([{ id: '0000000000000002', name: 'a' }])
    expect(metrics.grpc).toMatchObject({ messages: 1, spans: 1, accepted: 1, stored: 1, bytes: ZIPKIN.length })
  })
  it('takes an empty list', async () => {
    expect(await call(port, REPORT, Buffer.alloc(0))).toEqual(Buffer.alloc(0))
  })
  it('refuses what it cannot read, as zipkin-server does', async () => {
    const error = (await call(port, REPORT, ZIPKIN.subarray(0, -1))) as ServiceError
    expect([error.code, error.details]).toEqual([
      status.INTERNAL,
      'Truncated: length 23 > bytes available 22 reading List<Span> from proto3',
    ])
    expect(metrics.grpc).toMatchObject({ messages: 1, messagesDropped: 1, accepted: 0 })
  })
  it('is to be tried again when the store is full', async () => {
    store.accept = () => Promise.reject(new StoreError('full', 'the disk is full'))
    expect(await call(port, REPORT, ZIPKIN)).toMatchObject({ code: status.UNAVAILABLE, details: 'the disk is full' })
    expect(metrics.grpc).toMatchObject({ accepted: 1, dropped: 1, stored: 0 })
  })
  it('refuses a bomb', async () => {
    const bomb = await call(port, REPORT, Buffer.alloc(11 * 1024 * 1024), { compressed: true })
    expect(bomb).toMatchObject({ code: status.RESOURCE_EXHAUSTED })
  })
  it('does not know another method', async () => {
    expect(await call(port, '/zipkin.proto3.SpanService/Nope', ZIPKIN)).toMatchObject({ code: status.UNIMPLEMENTED })
  })
})

describe('TraceService/Export', () => {
  it.each([false, true])('stores before it answers (compressed: %s)', async compressed => {
    expect(await call(otlpPort, EXPORT, otlpRequest(OTLP_SPAN), { compressed })).toEqual(Buffer.alloc(0))
    expect(await store.getTrace('00000000000000ab')).toMatchObject([{ id: '0000000000000002', name: 'a' }])
  })
  it('says which spans it left out', async () => {
    const bad = hex('0a0100 12080000000000000002')
    const answer = (await call(otlpPort, EXPORT, otlpRequest(bad, OTLP_SPAN))) as Buffer
    expect(answer.toString()).toContain('trace_id: expected 16 bytes')
    expect(metrics.otlp).toMatchObject({ accepted: 2, stored: 1, rejected: 1, dropped: 0 })
  })
  it('refuses what it cannot read', async () => {
    expect(await call(otlpPort, EXPORT, hex('0aff'))).toMatchObject({ code: status.INVALID_ARGUMENT })
  })
  it('is to be tried again when the store is full', async () => {
    store.accept = () => Promise.reject(new StoreError('full', 'the disk is full'))
    expect(await call(otlpPort, EXPORT, otlpRequest(OTLP_SPAN))).toMatchObject({ code: status.UNAVAILABLE })
  })
})

describe('HTTP/2 without TLS', () => {
  async function get(session: ClientHttp2Session, headers: Record<string, string>, body?: Buffer) {
    const stream = session.request(headers, { endStream: body === undefined })
    if (body) stream.end(body)
    const answer = await new Promise<Record<string, unknown>>(resolve => stream.once('response', resolve))
    let text = ''
    for await (const chunk of stream) text += chunk
    return [answer[':status'], text]
  }
  it('has every route, HTTP/1.1 beside it', async () => {
    const session = connectHttp2(`http://127.0.0.1:${port}`)
    const post = { ':method': 'POST', ':path': '/api/v2/spans' }
    const spans = Buffer.from('[{"traceId":"7","id":"1","localEndpoint":{"serviceName":"web"}}]')
    expect(await get(session, post, spans)).toEqual([202, ''])
    expect(await get(session, { ...post, 'content-encoding': 'gzip' }, gzipSync(spans))).toEqual([202, ''])
    expect(await get(session, { ':path': '/api/v2/services' })).toEqual([200, '["web"]'])
    expect(await get(session, { ':path': '/nope' })).toEqual([404, '404 Not Found'])
    session.close()
    const response = await fetch(`http://127.0.0.1:${port}/api/v2/services`)
    expect(await response.json()).toEqual(['web'])
  })
  it('may be told apart late, and never', async () => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.write('P')
    await new Promise(resolve => setImmediate(resolve))
    socket.write('UT /nope HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    await new Promise(resolve => socket.once('close', resolve))
    expect(text).toContain('HTTP/1.1 404')
    const silent = connect(port, '127.0.0.1')
    await new Promise(resolve => silent.once('connect', resolve))
    const closed = new Promise(resolve => silent.once('close', resolve))
    await app.close()
    await closed
  })
})
