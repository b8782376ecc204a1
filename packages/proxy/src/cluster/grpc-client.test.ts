import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type GrpcService, loadBootstrap } from '@hopscope/envoy-config'
import { afterEach, expect, test } from 'vitest'
import { createClock } from '../clock.ts'
import { Runtime } from '../runtime.ts'
import { Stats } from '../stats/stats.ts'
import { Timers } from '../timers.ts'
import { socketTransports } from '../transport/socket-transport.ts'
import { ClusterManager } from './cluster-manager.ts'
import { createGrpcClient } from './grpc-client.ts'

const closers: (() => unknown)[] = []
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close()
})

interface Server {
  server: Http2Server
  port: number
  sessions: ServerHttp2Session[]
}

async function serve(answer: (stream: ServerHttp2Stream, message: Buffer) => void): Promise<Server> {
  const server = createServer()
  const sessions: ServerHttp2Session[] = []
  server.on('session', session => sessions.push(session))
  server.on('stream', stream => {
    const chunks: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => answer(stream, Buffer.concat(chunks)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port, sessions }
}

const succeed = (stream: ServerHttp2Stream) =>
  stream.respond({ ':status': 200, 'grpc-status': '0' }, { endStream: true })

/** A client of one cluster `c` at a port; more of the cluster in `fields`. */
async function setUp(port: number, fields = '') {
  const loaded = loadBootstrap({
    yaml: `
static_resources:
  clusters:
  - name: c
    connect_timeout: 1s
    http2_protocol_options: {}
    load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${port}}}}}]}]}
    ${fields}`,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { snapshot, node } = loaded.bootstrap
  const stats = new Stats()
  const clock = createClock()
  const timers = new Timers(clock)
  const clusters = new ClusterManager({
    stats,
    runtime: new Runtime([]),
    clock,
    timers,
    nextConnectionId: () => 1,
    transports: socketTransports,
    random: () => 0,
    locality: node.locality,
    eventLog: () => ({ write() {} }) as never,
  })
  await clusters.apply(snapshot.clusters, snapshot.clusterManager)
  const client = createGrpcClient({ clusters, stats, clock, timers })
  closers.push(() => {
    client.close()
    clusters.close()
    timers.close()
  })
  const service: GrpcService = { cluster: 'c', authority: 'c', initialMetadata: [], skipEnvoyHeaders: false }
  const call = (message = 'x') => client.call(service, '/p.S/M', [], Buffer.from(message))
  const stat = (name: string) =>
    (stats.counters.get(`cluster.c.${name}`) ?? stats.gauges.get(`cluster.c.${name}`))?.value
  return { call, stat, clusters, snapshot }
}

test('calls share one connection, each with its own message and status', async () => {
  const { port } = await serve((stream, message) => {
    const status = message.subarray(5).toString()
    stream.respond({ ':status': 200, 'grpc-status': status }, { endStream: true })
  })
  const { call, stat } = await setUp(port)
  expect(await Promise.all([call('0'), call('3'), call('14')])).toEqual([0, 3, 14])
  expect(await call('7')).toBe(7)
  expect([stat('upstream_cx_total'), stat('upstream_cx_active'), stat('upstream_rq_total')]).toEqual([1, 1, 4])
  expect([stat('upstream_rq_active'), stat('upstream_rq_pending_active')]).toEqual([0, 0])
})

test('a server that asks to leave gets no new calls, and answers those it has', async () => {
  const answers: (() => void)[] = []
  const { port, sessions } = await serve(stream => {
    if (answers.length > 0) succeed(stream)
    else answers.push(() => succeed(stream))
  })
  const { call, stat } = await setUp(port)
  const first = call()
  await expect.poll(() => answers.length).toBe(1)
  sessions[0]!.goaway()
  // The goaway is heard before the answer of a later call.
  await expect.poll(() => call().then(() => stat('upstream_cx_total'))).toBe(2)
  answers[0]!()
  expect(await first).toBe(0)
})

test('a connection that breaks is UNAVAILABLE for what was on it, and another is made', async () => {
  let calls = 0
  const { port, sessions } = await serve(stream => {
    if (++calls === 1) sessions[0]!.destroy()
    else succeed(stream)
  })
  const { call, stat } = await setUp(port)
  expect(await call()).toBe(14)
  expect(await call()).toBe(0)
  expect(stat('upstream_cx_destroy_with_active_rq')).toBe(1)
  expect([stat('upstream_rq_503'), stat('upstream_rq_200'), stat('upstream_cx_total')]).toEqual([1, 1, 2])
})

test('circuit breakers bound what waits and what is under way', async () => {
  const held: ServerHttp2Stream[] = []
  const { port } = await serve(stream => held.push(stream))
  const thresholds = 'circuit_breakers: {thresholds: [{max_pending_requests: 2, max_requests: 1}]}'
  const { call, stat } = await setUp(port, thresholds)
  const [first, ...others] = [call(), call(), call()]
  expect(await Promise.all(others)).toEqual([14, 14])
  await expect.poll(() => held.length).toBe(1)
  succeed(held[0]!)
  expect(await first).toBe(0)
  expect([stat('upstream_rq_pending_overflow'), stat('upstream_rq_active_overflow')]).toEqual([1, 1])
})

test('the connection of a host that is gone ends', async () => {
  const { port, sessions } = await serve(succeed)
  const other = await serve(succeed)
  const { call, stat, clusters, snapshot } = await setUp(port)
  await call()
  const cluster = snapshot.clusters.get('c')!
  const moved = structuredClone(cluster)
  moved.loadAssignment.endpoints[0]!.lbEndpoints[0]!.address.port = other.port
  await clusters.apply(new Map([['c', moved]]), snapshot.clusterManager)
  expect(await call()).toBe(0)
  expect(other.sessions).toHaveLength(1)
  await call()
  await expect.poll(() => sessions[0]!.destroyed).toBe(true)
  expect(stat('upstream_cx_active')).toBe(1)
})

test('the last of `max_requests_per_connection` calls takes the connection with it', async () => {
  const { port } = await serve(succeed)
  const { call, stat } = await setUp(port, 'max_requests_per_connection: 2')
  for (let i = 0; i < 5; i++) expect(await call()).toBe(0)
  expect([stat('upstream_cx_total'), stat('upstream_cx_max_requests')]).toEqual([3, 2])
})

test('nobody there, and no such cluster', async () => {
  const { server, port } = await serve(succeed)
  server.close()
  const { call, stat, clusters, snapshot } = await setUp(port)
  expect(await call()).toBe(14)
  expect([stat('upstream_cx_connect_fail'), stat('upstream_cx_active')]).toEqual([1, 0])
  await clusters.apply(new Map(), snapshot.clusterManager)
  expect(await call()).toBe(14)
})

test('requests of clients cannot go there', async () => {
  const { port } = await serve(succeed)
  const { clusters } = await setUp(port)
  expect([clusters.get('c'), clusters.ofHttp2('c')?.name]).toEqual([undefined, 'c'])
})
