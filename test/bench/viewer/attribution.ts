/**
 * Is a delay shown where it was? `node test/bench/viewer/attribution.ts [envoy]`: two sidecars (ours, or the real Envoy) with
 * verbose spans, an application behind them, and between them a relay of bytes:
 *
 *     caller → [client's egress, fault filter] → relay → [orders' ingress, fault filter] → orders
 *
 * A delay is put into one of the four at a time, in turn, and every span of orders is moved by ±500 ms before its trace is
 * read. Printed is by how much each part of the hop differs from that part without any delay, beside what was put in.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type HopParts, hopsFromTrace, type Span } from '@hopscope/model'

const DELAY_MS = 100
const ROUNDS = 25
const SKEWS_MS = [-500, 0, 500]
const PLACES = ['none', 'egressProxy', 'wire', 'ingressProxy', 'app'] as const
type Place = (typeof PLACES)[number]
const PARTS: readonly (keyof HopParts)[] = ['egressProxy', 'wire', 'ingressProxy', 'app']

const folder = mkdtempSync(join(tmpdir(), 'attribution-'))
const processes: ChildProcess[] = []
const traces = new Map<string, Span[]>()
/** What was really waited, ms; a filter waits what it is told. */
const waited = new Map<string, number>()

const sink = createServer((incoming, response) => {
  const chunks: Buffer[] = []
  incoming.on('data', chunk => chunks.push(chunk))
  incoming.on('end', () => {
    for (const span of JSON.parse(Buffer.concat(chunks).toString()) as Span[]) {
      traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), span])
    }
    response.writeHead(202).end()
  })
})
const app = createServer((incoming, response) => {
  incoming.resume()
  const began = performance.now()
  const answer = () => {
    if (incoming.headers['x-slow'] === 'app')
      waited.set(`${incoming.headers['x-b3-traceid']}`, performance.now() - began)
    response.end('ok')
  }
  if (incoming.headers['x-slow'] === 'app') setTimeout(answer, DELAY_MS)
  else answer()
})
let ingressPort = 0
const relay = createTcpServer(socket => {
  const onward = connect(ingressPort, '127.0.0.1')
  let last = Promise.resolve()
  socket.on('data', chunk => {
    const isSlow = /x-slow: wire/i.test(chunk.toString('latin1'))
    const id = /x-b3-traceid: (\w+)/i.exec(chunk.toString('latin1'))?.[1]
    last = last.then(async () => {
      const began = performance.now()
      if (isSlow) await new Promise(resolve => setTimeout(resolve, DELAY_MS))
      onward.write(chunk)
      if (isSlow && id) waited.set(id, performance.now() - began)
    })
  })
  onward.on('data', chunk => socket.write(chunk))
  for (const end of [socket, onward]) {
    end.on('error', () => undefined)
    end.on('close', () => (end === socket ? onward : socket).destroy())
  }
})

try {
  const sinkPort = await listen(sink)
  const appPort = await listen(app)
  const relayPort = await listen(relay)
  ingressPort = await freePort()
  const egressPort = await freePort()
  await startSidecar('orders', 'INBOUND', ingressPort, appPort, sinkPort, 'ingressProxy')
  await startSidecar('client', 'OUTBOUND', egressPort, relayPort, sinkPort, 'egressProxy')
  for (let i = 0; i < 5; i++) await call(egressPort, 'none')
  const ids = new Map<Place, string[]>(PLACES.map(place => [place, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const place of PLACES) ids.get(place)!.push(await call(egressPort, place))
  }
  const all = [...ids.values()].flat()
  const isWhole = (id: string) => (traces.get(id)?.length ?? 0) >= 2
  for (const deadline = Date.now() + 15_000; !all.every(isWhole) && Date.now() < deadline; ) await sleep(50)
  const missing = all.filter(id => !isWhole(id)).length
  if (missing > 0) throw new Error(`${missing} of ${all.length} traces have no two spans`)

  console.log(
    `${process.argv[2] === 'envoy' ? 'Envoy' : 'Hopscope'}, ${DELAY_MS} ms at a time, medians of ${ROUNDS}, ms`,
  )
  console.log('skew   delay in      put in    egressProxy       wire  ingressProxy        app   off by')
  let worst = 0
  for (const skew of SKEWS_MS) {
    const usual = partsOf(ids.get('none')!, skew)
    for (const place of PLACES.slice(1)) {
      const parts = partsOf(ids.get(place)!, skew)
      const put = median(ids.get(place)!.map(id => waited.get(id) ?? DELAY_MS))
      const differences = PARTS.map(part => parts[part] - usual[part])
      const off = Math.max(...PARTS.map((part, i) => Math.abs(differences[i]! - (part === place ? put : 0))))
      worst = Math.max(worst, off)
      const cells = differences.map(difference => difference.toFixed(2).padStart(11)).join('  ')
      console.log(
        `${String(skew).padStart(4)}   ${place.padEnd(12)} ${put.toFixed(2).padStart(7)}  ${cells}   ${off.toFixed(2)}`,
      )
    }
  }
  console.log(`worst: off by ${worst.toFixed(2)} ms, ${((worst / DELAY_MS) * 100).toFixed(1)} % of what was put in`)
} finally {
  for (const child of processes) child.kill('SIGTERM')
  for (const server of [sink, app]) {
    server.close()
    server.closeAllConnections()
  }
  relay.close()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(0)

function partsOf(ids: readonly string[], skewMs: number): Required<HopParts> {
  const hops = ids.map(id => {
    const moved = traces
      .get(id)!
      .map(span => (span.localEndpoint?.serviceName === 'orders' ? shift(span, skewMs) : span))
    return hopsFromTrace(moved)[0]!.parts
  })
  const of = (part: keyof HopParts) => median(hops.map(parts => (parts[part] ?? Number.NaN) / 1_000))
  return { egressProxy: of('egressProxy'), wire: of('wire'), ingressProxy: of('ingressProxy'), app: of('app') }
}

function shift(span: Span, ms: number): Span {
  const moved: Span = { ...span, timestamp: span.timestamp! + ms * 1_000 }
  if (span.annotations) moved.annotations = span.annotations.map(a => ({ ...a, timestamp: a.timestamp + ms * 1_000 }))
  return moved
}

function call(port: number, place: Place): Promise<string> {
  const traceId = Array.from({ length: 16 }, () => Math.floor(Math.random() * 16).toString(16)).join('')
  const headers = {
    host: 'orders',
    'x-b3-traceid': traceId,
    'x-b3-spanid': traceId,
    'x-b3-sampled': '1',
    'x-slow': place,
  }
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: '/', headers }, response => {
      response.resume()
      response.on('end', () =>
        response.statusCode === 200 ? resolve(traceId) : reject(new Error(`${place}: status ${response.statusCode}`)),
      )
    })
      .on('error', reject)
      .end()
  })
}

async function startSidecar(
  name: string,
  direction: 'INBOUND' | 'OUTBOUND',
  port: number,
  upstream: number,
  collector: number,
  slow: Place,
): Promise<void> {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, bootstrap(name, direction, port, upstream, collector, slow))
  const isEnvoy = process.argv[2] === 'envoy'
  const program = isEnvoy ? process.env.HOPSCOPE_ENVOY : process.execPath
  if (!program) throw new Error('HOPSCOPE_ENVOY does not say where Envoy is')
  const main = fileURLToPath(new URL('../../../apps/sidecar/src/main.ts', import.meta.url))
  const args = isEnvoy ? ['-c', file, '--use-dynamic-base-id', '-l', 'warn'] : [main, '-c', file]
  processes.push(spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
  for (const deadline = Date.now() + 20_000; !(await accepts(port)); await sleep(50)) {
    if (Date.now() > deadline) throw new Error(`the sidecar of ${name} does not listen`)
  }
}

function bootstrap(
  name: string,
  direction: string,
  port: number,
  upstream: number,
  collector: number,
  slow: Place,
): string {
  const manager = {
    '@type': 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'http',
    tracing: {
      verbose: true,
      provider: {
        name: 'envoy.tracers.zipkin',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.config.trace.v3.ZipkinConfig',
          collector_cluster: 'collector',
          collector_endpoint: '/api/v2/spans',
          collector_endpoint_version: 'HTTP_JSON',
        },
      },
    },
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'orders' } }] },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.fault',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
          headers: [{ name: 'x-slow', string_match: { exact: slow } }],
          delay: { fixed_delay: `${DELAY_MS / 1_000}s`, percentage: { numerator: 100 } },
        },
      },
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  }
  const cluster = (clusterName: string, to: number) => ({
    name: clusterName,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: clusterName,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(to) } }] }],
    },
  })
  // JSON is YAML.
  return JSON.stringify({
    node: { id: `${name}-sidecar`, cluster: name },
    layered_runtime: {
      layers: [
        {
          name: 'static',
          static_layer: { 'tracing.zipkin.min_flush_spans': 1, 'tracing.zipkin.flush_interval_ms': 100 },
        },
      ],
    },
    static_resources: {
      listeners: [
        {
          name: direction.toLowerCase(),
          traffic_direction: direction,
          address: socketAddress(port),
          filter_chains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] },
          ],
        },
      ],
      clusters: [cluster('orders', upstream), cluster('collector', collector)],
    },
  })
}

function socketAddress(port: number) {
  return { socket_address: { address: '127.0.0.1', port_value: port } }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function freePort(): Promise<number> {
  const server = createTcpServer()
  const port = await listen(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

function accepts(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function sleep(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
