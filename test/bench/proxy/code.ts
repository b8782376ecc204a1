/**
 * What the proxy's own code costs for a request, without sockets: a transport in memory, one process, µs a request.
 *   node test/bench/proxy/code.ts [--traced [--otlp] [--detailed]] [--requests 20000] [--rounds 15]
 * The fastest round is the figure: everything else only adds to it. For profiles: node --cpu-prof test/bench/proxy/code.ts
 */
import { parseArgs } from 'node:util'
import { loadBootstrap } from '@hopscope/envoy-config'
import { createAccessLogs, createProxy, Runtime, Stats, type Transport, type Transports } from '@hopscope/proxy'
import { bootstrap } from '../../conformance/envoy/harness/config.ts'

const { values } = parseArgs({
  options: {
    traced: { type: 'boolean', default: false },
    otlp: { type: 'boolean', default: false },
    detailed: { type: 'boolean', default: false },
    requests: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '15' },
  },
})

type Handler = Transport['handler']

/** Written to: the other end hears it, within the same turn. */
class MemoryTransport implements Transport {
  handler: Handler
  readonly localAddress = '127.0.0.1:10000'
  readonly remoteAddress = '127.0.0.1:40000'
  readonly unsent = 0
  readonly #onWrite: (data: Uint8Array | string) => void
  constructor(handler: Handler, onWrite: (data: Uint8Array | string) => void) {
    this.handler = handler
    this.#onWrite = onWrite
  }
  write(data: Uint8Array | string): boolean {
    // The system takes bytes: what a text costs to become them is ours.
    this.#onWrite(typeof data === 'string' ? joinInto(data.length, [data]) : data)
    return true
  }
  writeAll(pieces: readonly (Uint8Array | string)[], bytes: number): boolean {
    return this.write(joinInto(bytes, pieces))
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

const joined = Buffer.alloc(1024 * 1024)
function joinInto(bytes: number, pieces: readonly (Uint8Array | string)[]): Buffer {
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') joined.write(piece, at, 'latin1')
    else joined.set(piece, at)
    at += piece.length
  }
  return joined.subarray(0, bytes)
}

const REQUEST = Buffer.from('GET /1k HTTP/1.1\r\nHost: 127.0.0.1:21004\r\n\r\n')
const BODY = Buffer.alloc(1024, 'x')
const RESPONSE = Buffer.concat([
  Buffer.from(
    'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 27 Nov 2026 09:00:00 GMT\r\nContent-Type: text/plain\r\n' +
      'Content-Length: 1024\r\nConnection: keep-alive\r\n\r\n',
  ),
  BODY,
])
const ACCEPTED = Buffer.from('HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n')

let accept: (transport: Transport) => void = () => {}
const NOBODY: Handler = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} }
let posted = 0
const transports: Transports = {
  name: 'socket',
  connect(_ip, port, _mark, handler) {
    const collector = port === 9
    let answering = false
    const transport = new MemoryTransport(handler, data => {
      if (collector) posted += data.length
      if (answering) return
      answering = true
      setImmediate(() => {
        answering = false
        transport.handler.onData(Buffer.from(collector ? ACCEPTED : RESPONSE))
      })
    })
    setImmediate(() => transport.handler.onConnect?.())
    return transport
  },
  connectPipe() {
    throw new Error('there is none')
  },
  listenPipe() {
    throw new Error('there is none')
  },
  async listen(_options, onConnection) {
    accept = onConnection
    return { port: 1, close() {} }
  },
}

const config = bootstrap(
  {
    hcm: { access_log: [] },
    listener: { traffic_direction: 'OUTBOUND' },
    runtime: { tracing: { zipkin: { min_flush_spans: 5 } } },
    ...(values.traced
      ? {
          tracing: {
            ...(values.detailed ? { spawn_upstream_span: true, verbose: true } : {}),
            ...(values.otlp ? { otlp: {} } : {}),
          },
        }
      : {}),
  },
  { listener: 10_000, admin: 2, collector: 9, upstream: { app: 8 }, dead: 1 },
  '/dev/null',
)
const loaded = loadBootstrap({ yaml: JSON.stringify(config) })
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
const stats = new Stats()
const proxy = createProxy({
  node: loaded.bootstrap.node,
  stats,
  runtime: new Runtime(loaded.bootstrap.runtime),
  accessLogs: createAccessLogs({ flushInterval: 10_000, stats, onError() {} }),
  transports,
})
await proxy.apply(loaded.bootstrap.snapshot)

const CONNECTIONS = 32
const requests = Number(values.requests)
let left = 0
let done: () => void = () => {}
const clients = Array.from({ length: CONNECTIONS }, () => {
  const client = new MemoryTransport(NOBODY, () => {
    if (left-- > 0) setImmediate(send)
    else if (left === -CONNECTIONS) done()
  })
  const send = () => client.handler.onData(Buffer.from(REQUEST))
  accept(client)
  return send
})

const times: number[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  const began = process.cpuUsage()
  await new Promise<void>(resolve => {
    done = resolve
    left = requests - CONNECTIONS
    for (const send of clients) send()
  })
  const { user, system } = process.cpuUsage(began)
  times.push((user + system) / requests)
}
times.sort((a, b) => a - b)
console.log(
  `${times[0]!.toFixed(2)} µs a request, median ${times[times.length >> 1]!.toFixed(2)}; ${posted} bytes of spans`,
)
process.exit(0)
