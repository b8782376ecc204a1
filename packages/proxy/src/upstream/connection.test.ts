import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClock } from '../clock.ts'
import { createClusterStats } from '../cluster/cluster-stats.ts'
import { Host } from '../cluster/host.ts'
import { BytesMeter } from '../http/bytes-meter.ts'
import { Stats } from '../stats/stats.ts'
import { Timers } from '../timers.ts'
import { socketTransports } from '../transport/socket-transport.ts'
import { type ConnectionOwner, UpstreamConnection } from './connection.ts'
import type { Pool } from './pool.ts'

let server: Server
let connection: UpstreamConnection
let events: string[]
/** What the upstream says to each request. */
let answer: string
let connected: Promise<void>

beforeEach(async () => {
  events = []
  server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(answer))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const clock = createClock()
  const endpoint = { ip: '127.0.0.1', port, isPipe: false, hostname: '', weight: 1, priority: 0, locality: { region: '', zone: '', subZone: '' }, healthStatus: 'UNKNOWN' as const, healthCheck: { port: 0, hostname: '', disabled: false }, metadata: new Map() } // biome-ignore format: one line
  connected = new Promise(resolve => {
    const owner: ConnectionOwner = {
      onConnected: () => resolve(),
      onConnectFailed: () => events.push('not connected'),
      onFree: () => events.push('free'),
      onClosed: () => events.push('closed'),
      onRequestDone: () => {},
    }
    connection = new UpstreamConnection(
      {
        host: new Host(endpoint, () => undefined as unknown as Pool),
        stats: createClusterStats(new Stats(), 'a'),
        clock,
        timers: new Timers(clock),
        transports: socketTransports,
        nextConnectionId: () => 1,
        connectTimeout: 1000,
        idleTimeout: 0,
        maxRequests: 0,
        maxDuration: 0,
        requestStyle: { properCaseHeaders: false, fullUrl: false },
        responseLimits: { headersCount: 100 },
        bufferLimit: 1024,
      },
      owner,
    )
  })
  await connected
})

afterEach(() => {
  connection.close()
  server.close()
})

/** Sends a request; the end of its response, or why there is none. */
function request(onHead: () => void = () => {}): Promise<string> {
  return new Promise(done => {
    connection.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n', false, {
      bytes: new BytesMeter(),
      onInformational() {},
      onHead,
      onData() {},
      onEnd: () => done('ended'),
      onReset: reason => done(reason),
      onDrain() {},
    })
    connection.endRequest()
  })
}

test('a connection takes one request after the other', async () => {
  answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
  expect([await request(), await request(), events]).toEqual(['ended', 'ended', ['free', 'free']])
})

test('a response that ends while its client takes no more does not leave the connection deaf', async () => {
  answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
  expect(await request(() => connection.pauseReading())).toBe('ended')
  expect(await request()).toBe('ended')
})

test.each([
  ['the upstream says so', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'],
  ['bytes follow that no one asked for', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n'],
])('it is closed after a response when %s', async (_name, text) => {
  answer = text
  expect(await request()).toBe('ended')
  await new Promise(resolve => setImmediate(resolve))
  expect(events).toContain('closed')
})
