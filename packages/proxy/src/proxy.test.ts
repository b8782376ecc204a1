import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { loadBootstrap } from '@hopscope/envoy-config'
import { afterEach, expect, test } from 'vitest'
import { createAccessLogs } from './access-log/create-access-logs.ts'
import { ListenError } from './errors.ts'
import { createProxy, type Proxy as DataPlane } from './proxy.ts'
import { Runtime } from './runtime.ts'
import { Stats } from './stats/stats.ts'
import { chooseTransports } from './transport/choose-transports.ts'
import type { Transports } from './transport/transports.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function upstream(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

async function rawUpstream(handle: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    handle(socket)
  }).listen(0, '127.0.0.1')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise(resolve => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

interface Mesh {
  proxy: DataPlane
  stats: Stats
  port: number
  counter(name: string): number
}

/** A listener in front of cluster `a`; `routes` and `extra` are pieces of Envoy's YAML. */
async function mesh(
  port: number,
  routes = '[{match: {prefix: /}, route: {cluster: a}}]',
  extra = '',
  cluster = '',
  transports?: Transports,
) {
  const loaded = loadBootstrap({
    yaml: `
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          route_config: {name: r, virtual_hosts: [{name: v, domains: ["*"], routes: ${routes}}]}
          http_filters:
          - name: router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          ${extra}
  clusters:
  - name: a
    type: STATIC
    load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ${port}}}}}]}]}
    ${cluster}
`,
  })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const stats = new Stats()
  const { node, runtime, snapshot } = loaded.bootstrap
  const proxy = createProxy({
    node,
    stats,
    runtime: new Runtime(runtime),
    accessLogs: createAccessLogs({ flushInterval: 100, stats, onError() {} }),
    random: () => 0,
    ...(transports === undefined ? {} : { transports }),
  })
  await proxy.apply(snapshot)
  closers.push(() => proxy.close())
  const counter = (name: string): number => stats.counters.get(name)?.value ?? stats.gauges.get(name)?.value ?? 0
  return { proxy, stats, port: proxy.listeners()[0]!.port, counter } satisfies Mesh
}

/** Sends bytes and gives what has come when the connection ends, or `until` is seen. */
function exchange(port: number, bytes: string, until?: string): Promise<string> {
  return new Promise(resolve => {
    let got = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    const done = (): void => {
      socket.destroy()
      resolve(got)
    }
    socket.on('error', done)
    socket.on('close', done)
    socket.on('data', data => {
      got += data.toString('latin1')
      if (until !== undefined && got.includes(until)) done()
    })
  })
}

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`

test('a request reaches the upstream and its response comes back', async () => {
  const { port, counter } = await mesh(
    await upstream((request, response) => {
      response.setHeader('x-seen', `${request.method} ${request.url} ${request.headers.host}`)
      response.end('hello')
    }),
  )
  const answer = await exchange(port, get('/p?q'), 'hello')
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/)
  expect(answer).toContain('x-seen: GET /p?q a\r\n')
  expect(answer).toContain('server: envoy\r\n')
  expect(answer).toMatch(/x-envoy-upstream-service-time: \d+\r\n/)
  expect(counter('cluster.a.upstream_rq_200')).toBe(1)
  expect(counter('http.in.downstream_rq_2xx')).toBe(1)
})

test('pipelined requests are answered in order, over one upstream connection', async () => {
  const { port, counter } = await mesh(await upstream((request, response) => response.end(`<${request.url}>`)))
  const answer = await exchange(port, get('/1') + get('/2') + get('/3', 'Connection: close\r\n'))
  expect(answer.match(/<.*?>/g)).toEqual(['</1>', '</2>', '</3>'])
  expect(counter('cluster.a.upstream_cx_total')).toBe(1)
  expect(counter('cluster.a.upstream_rq_total')).toBe(3)
})

test('a large body goes up and down unchanged, in chunks, past a slow reader', async () => {
  const size = 20 * 1024 * 1024
  const { port } = await mesh(await upstream((request, response) => request.pipe(response)))
  const block = Buffer.alloc(64 * 1024, 'abcdefghijklmnopqrstuvwxyz0123456789')
  const sent = createHash('sha256')
  const received = createHash('sha256')
  const { request } = await import('node:http')
  await new Promise<void>((resolve, reject) => {
    const client = request({ port, host: '127.0.0.1', method: 'POST', path: '/' }, response => {
      response.on('data', chunk => {
        received.update(chunk)
        if (Math.random() < 0.02) {
          response.pause()
          setTimeout(() => response.resume(), 2)
        }
      })
      response.on('end', resolve)
      response.on('error', reject)
    })
    client.on('error', reject)
    let written = 0
    const write = (): void => {
      while (written < size) {
        written += block.length
        sent.update(block)
        if (!client.write(block)) {
          client.once('drain', write)
          return
        }
      }
      client.end()
    }
    write()
  })
  expect(received.digest('hex')).toBe(sent.digest('hex'))
})

test.each([
  { transport: 'handle', retries: '' },
  { transport: 'handle', retries: ', retry_policy: {retry_on: 5xx}' },
  { transport: 'socket', retries: '' },
] as const)(
  'many at once, bodies of many sizes, pipelined: each gets its own bytes back ($transport $retries)',
  async ({ transport, retries }) => {
    // The body comes back in one piece or in two, with its length or in chunks.
    const back = await upstream((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        if (request.url!.endsWith('3')) response.setHeader('content-length', body.length)
        response.write(body.subarray(0, body.length / 3))
        setImmediate(() => response.end(body.subarray(body.length / 3)))
      })
    })
    const routes = `[{match: {prefix: /}, route: {cluster: a${retries}}}]`
    const { port } = await mesh(back, routes, '', '', await chooseTransports(transport))
    const sizes = [0, 1, 90, 700, 1_500, 4_000, 9_000, 20_000, 50_000]
    const body = (client: number, n: number) => `${client}.${n};`.repeat(sizes[(client * 7 + n) % sizes.length]! / 4)
    const clients = Array.from({ length: 24 }, async (_, client) => {
      const all = Array.from({ length: 20 }, (_, n) => body(client, n))
      const requests = all.map((text, n) => {
        const close = n === all.length - 1 ? 'Connection: close\r\n' : ''
        return `POST /${n} HTTP/1.1\r\nHost: a\r\n${close}Content-Length: ${text.length}\r\n\r\n${text}`
      })
      const answer = await exchange(port, requests.join(''))
      expect(bodiesOf(answer)).toEqual(all)
    })
    await Promise.all(clients)
  },
)

/** Of responses one after the other, with a length or in chunks. */
function bodiesOf(text: string): string[] {
  const bodies: string[] = []
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\r\n\r\n', at) + 4
    const length = /content-length: (\d+)/.exec(text.slice(at, end))?.[1]
    at = end
    if (length !== undefined) {
      bodies.push(text.slice(at, at + Number(length)))
      at += Number(length)
      continue
    }
    let body = ''
    for (;;) {
      const line = text.indexOf('\r\n', at)
      const size = Number.parseInt(text.slice(at, line), 16)
      body += text.slice(line + 2, line + 2 + size)
      at = line + 2 + size + 2
      if (!(size > 0)) break
    }
    bodies.push(body)
  }
  return bodies
}

test('a refused upstream is 503 UF after its retries, and says so', async () => {
  const { port, counter } = await mesh(
    1,
    '[{match: {prefix: /}, route: {cluster: a, retry_policy: {retry_on: connect-failure, num_retries: 2}}}]',
  )
  const answer = await exchange(port, get('/'), 'failure')
  expect(answer).toMatch(/^HTTP\/1.1 503/)
  expect(answer).toContain('before headers. retried and the latest reset reason: remote connection failure')
  expect(counter('cluster.a.upstream_rq_retry')).toBe(2)
  expect(counter('cluster.a.upstream_rq_retry_limit_exceeded')).toBe(1)
  expect(counter('cluster.a.upstream_cx_connect_fail')).toBe(3)
})

test('a 503 is tried again, body and all', async () => {
  let tries = 0
  const { port, counter } = await mesh(
    await upstream((request, response) => {
      tries++
      let body = ''
      request.on('data', chunk => (body += chunk))
      request.on('end', () => {
        response.statusCode = tries < 3 ? 503 : 200
        response.end(`try ${tries} ${body}`)
      })
    }),
    '[{match: {prefix: /}, route: {cluster: a, retry_policy: {retry_on: 5xx, num_retries: 3}}}]',
  )
  const answer = await exchange(port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody', 'try 3')
  expect(answer).toMatch(/^HTTP\/1.1 200/)
  expect(answer).toContain('try 3 body')
  expect(counter('cluster.a.retry.upstream_rq_503')).toBe(2)
  expect(counter('cluster.a.upstream_rq_retry_success')).toBe(1)
})

test('the route timeout answers 504 and drops the upstream connection', async () => {
  const { port, counter } = await mesh(
    await upstream(() => {}),
    '[{match: {prefix: /}, route: {cluster: a, timeout: 0.05s}}]',
  )
  const begun = performance.now()
  expect(await exchange(port, get('/'), 'upstream request timeout')).toMatch(/^HTTP\/1.1 504/)
  expect(performance.now() - begun).toBeGreaterThanOrEqual(49)
  expect(counter('cluster.a.upstream_rq_timeout')).toBe(1)
  expect(counter('cluster.a.upstream_cx_destroy_local_with_active_rq')).toBe(1)
})

test('an upstream that breaks off inside the body takes the client connection with it', async () => {
  const { port, counter } = await mesh(
    await rawUpstream(socket => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'))
    }),
    undefined,
    'delayed_close_timeout: 0.02s',
  )
  const answer = await exchange(port, get('/'))
  expect(answer).toMatch(/^HTTP\/1.1 200[\s\S]*abc$/)
  expect(counter('http.in.downstream_rq_tx_reset')).toBe(1)
})

test('surplus bytes of an upstream close its connection; the response stands', async () => {
  const { port, counter } = await mesh(
    await rawUpstream(socket => {
      socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n'))
    }),
  )
  expect(await exchange(port, get('/'), 'ok')).toMatch(/^HTTP\/1.1 200/)
  await exchange(port, get('/'), 'ok')
  expect(counter('cluster.a.upstream_cx_total')).toBe(2)
})

test.each([
  ['two Content-Length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx', 400],
  [
    'Content-Length and chunked',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    400,
  ],
  ['a head of 100 KB', get('/', `x: ${'y'.repeat(100_000)}\r\n`), 431],
  ['NUL in a value', get('/', 'x: a\0b\r\n'), 400],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n', 426],
  ['an unknown transfer encoding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n', 501],
])('%s is refused by the codec', async (_, bytes, status) => {
  const { port, counter } = await mesh(1, undefined, 'delayed_close_timeout: 0.02s')
  const answer = await exchange(port, bytes)
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(answer).toContain('connection: close\r\n')
  expect(counter('http.in.downstream_cx_protocol_error')).toBe(1)
  expect(counter('cluster.a.upstream_cx_total')).toBe(0)
})

test('a client that leaves resets its upstream request', async () => {
  let gone: () => void
  const left = new Promise<void>(resolve => (gone = resolve))
  let socket: Socket
  const { port, counter } = await mesh(
    await upstream((request, _) => {
      request.on('close', () => gone())
      socket.destroy()
    }),
  )
  socket = connect(port, '127.0.0.1', () => socket.write(get('/')))
  socket.on('error', () => {})
  await left
  await expect.poll(() => counter('http.in.downstream_cx_destroy_remote_active_rq')).toBe(1)
  expect(counter('cluster.a.upstream_rq_active')).toBe(0)
})

test('max_pending_requests 0 refuses a cold request', async () => {
  const { port, counter } = await mesh(
    await upstream((_, response) => response.end()),
    undefined,
    '',
    'circuit_breakers: {thresholds: [{max_pending_requests: 0}]}',
  )
  const answer = await exchange(port, get('/'), 'overflow')
  expect(answer).toMatch(/^HTTP\/1.1 503/)
  expect(answer).toContain('x-envoy-overloaded: true\r\n')
  expect(counter('cluster.a.upstream_rq_pending_overflow')).toBe(1)
})

test('a port in use binds nothing and says which', async () => {
  const taken = await rawUpstream(() => {})
  const { proxy } = await mesh(1)
  const [listener] = proxy.listeners()
  const snapshotOf = (port: number) => ({
    listeners: [{ name: 'x', address: { address: '127.0.0.1', port } }] as never,
    clusters: new Map(),
    clusterManager: { localClusterName: '', outlierEventLogPath: '' },
  })
  const failure = await proxy.apply(snapshotOf(taken)).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(ListenError)
  expect((failure as Error).message).toBe(`cannot bind '127.0.0.1:${taken}': Address already in use`)
  expect(proxy.listeners()).toEqual([listener])
})
