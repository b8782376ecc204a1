import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { freePorts } from '../../free-ports.ts'
import type { Case, Step } from './case.ts'
import { RawClient } from './client.ts'
import { bootstrap, type Ports } from './config.ts'
import { FullListener } from './full-listener.ts'
import { GrpcCollector } from './grpc-collector.ts'
import { mask } from './mask.ts'
import { NameServer } from './name-server.ts'
import { type ProgramName, startProgram } from './program.ts'
import { readOtlpSpans, readZipkinSpans } from './protobuf-spans.ts'
import { unpack } from './unpack.ts'
import { NEVER_ACCEPTS, ok, Upstream, type UpstreamRequest } from './upstream.ts'

/** All that can be seen of a program while a case runs. */
export interface Observation {
  answers: { head: string[]; body: string; framing: string }[][]
  /** Connections that the program closed while its answers were waited for. */
  closed: boolean[]
  admin: { status: number; type: string | null; body: string }[]
  upstream: Record<string, UpstreamRequest[]>
  /** What changed, zero changes left out. */
  stats: Record<string, number>
  accessLog: string[]
  spans: Record<string, unknown>[]
  /** Lines of event logs, without their times. */
  events: string[]
  /** Heads of the requests that brought them, equal ones once. */
  reports: string[][]
}

/** The stats that a request can move; the process's own (server, runtime, dns cache, admin) are not compared. */
const STATS_IN_SCOPE = /^(http\.in\.|cluster\.(?!zipkin\.)|listener\.(?!admin\.)|tracing\.|vhost\.|limiter\.)/

/** How long what must come is waited for, ms: it comes at once, but for a machine that has other things to do. */
const PATIENCE = 20_000

/** `patience`: for each thing that must come; less where it is not to come. */
export async function observe(
  name: ProgramName,
  test: Case,
  environment: Readonly<Record<string, string>> = {},
  patience = PATIENCE,
): Promise<Observation> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  const upstreams: Record<string, Upstream | FullListener> = {}
  const spans: Record<string, unknown>[] = []
  let collector: Server | undefined
  let grpcCollector: GrpcCollector | undefined
  let names: NameServer | undefined
  try {
    for (const [cluster, behaviour] of Object.entries(test.upstreams ?? { app: ok() })) {
      upstreams[cluster] = behaviour === NEVER_ACCEPTS ? await FullListener.open() : await Upstream.open(behaviour)
    }
    const upstreamPorts = Object.fromEntries(Object.entries(upstreams).map(([name, { port }]) => [name, port]))
    const sockets: Record<string, string> = {
      dead: join(folder, 'dead.sock'),
      // Where nobody listens but the program, if its file says so.
      listener: join(folder, 'listener.sock'),
      abstract: `@${basename(folder)}`,
    }
    for (const [name, behaviour] of Object.entries(test.sockets ?? {})) {
      sockets[name] = join(folder, `${name}.sock`)
      upstreams[name] = await Upstream.open(behaviour, sockets[name])
    }
    const reports = new Map<string, string[]>()
    names = test.names && (await NameServer.open(test.names))
    const opened = await openCollector(spans, reports)
    collector = opened.server
    grpcCollector = await GrpcCollector.open(spans, reports, test.grpcCollector ?? { grpc: 0 })
    const [listener, admin, dead] = (await freePorts(3)) as [number, number, number]
    const ports: Ports = {
      listener,
      admin,
      dead,
      collector: opened.port,
      grpcCollector: grpcCollector.port,
      ...(names === undefined ? {} : { names: names.port }),
      upstream: upstreamPorts,
      sockets,
      eventLog: join(folder, 'events.log'),
      folder,
    }
    for (const [path, text] of Object.entries(test.files ?? {})) {
      const at = join(folder, path)
      mkdirSync(dirname(at), { recursive: true })
      writeFileSync(at, text)
    }
    const logFile = join(folder, 'access.log')
    const options = typeof test.config === 'function' ? test.config(ports) : (test.config ?? {})
    const configFile = join(folder, 'envoy.json')
    const file = bootstrap(options, ports, logFile)
    writeFileSync(configFile, JSON.stringify(test.change?.(file) ?? file))

    const program = await startProgram(name, configFile, admin, test.args, { ...test.environment, ...environment })
    try {
      const before = await readStats(admin)
      const observation: Observation = {
        answers: [],
        closed: [],
        admin: [],
        upstream: {},
        stats: {},
        accessLog: [],
        spans: [],
        events: [],
        reports: [],
      }
      const connections = new Map<string, RawClient>()
      for (const step of test.steps) {
        const together = Array.isArray(step) ? step : [step]
        const results = await Promise.all(together.map(one => play(one, ports, connections, names, patience)))
        for (const result of results) {
          if (result === undefined) continue
          if ('status' in result) observation.admin.push(result)
          else {
            observation.answers.push(result.answers)
            observation.closed.push(result.closed)
          }
        }
      }
      const sends = test.steps.flat().filter(step => 'send' in step).length
      for (const [what, wanted, count] of [
        ['lines of the access log', test.logLines ?? sends, () => readLines(logFile).length],
        ['spans', test.spans ?? 0, () => spans.length],
        ['events', test.events ?? 0, () => readLines(ports.eventLog!).length],
      ] as const) {
        await settle(() => count() >= wanted, patience)
        // It passes all the same, late: its number is to be mended.
        if (count() < wanted && name === 'envoy')
          console.warn(`${test.name}: Envoy has ${count()} ${what}, the case waits for ${wanted}`)
      }
      // Read while the client's connections are still open: their end would race with the reading.
      observation.stats = changes(before, await restingStats(admin))
      for (const client of connections.values()) client.destroy()
      observation.accessLog = readLines(logFile)
      observation.events = readEvents(ports.eventLog!)
      observation.spans = spans
      observation.reports = [...reports.values()]
      for (const [cluster, upstream] of Object.entries(upstreams))
        observation.upstream[cluster] = [...upstream.requests]
      if (test.compressed) unpack(observation)
      return mask(observation, ports, sentBytes(test))
    } finally {
      await program.stop()
    }
  } finally {
    for (const upstream of Object.values(upstreams)) await upstream.close()
    collector?.closeAllConnections()
    collector?.close()
    grpcCollector?.close()
    names?.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Played = { answers: Observation['answers'][number]; closed: boolean } | Observation['admin'][number] | undefined

async function play(
  step: Step,
  ports: Ports,
  connections: Map<string, RawClient>,
  names: NameServer | undefined,
  patience: number,
): Promise<Played> {
  if ('names' in step) {
    names!.names = step.names
    return undefined
  }
  if ('wait' in step) {
    await new Promise(resolve => setTimeout(resolve, step.wait))
    return undefined
  }
  if ('settled' in step) {
    if (step.settled === 'stats') {
      await restingStats(ports.admin)
      return undefined
    }
    // What a worker posts there before it answers is done before a connection that is made after the answer is heard.
    await (await fetch(`http://127.0.0.1:${ports.admin}/ready`)).text()
    return undefined
  }
  if ('until' in step) {
    await statLine(step.until, ports.admin, step.of, patience)
    return undefined
  }
  if ('admin' in step) {
    const answer = await fetch(`http://127.0.0.1:${ports.admin}${step.admin}`, { method: step.method ?? 'GET' })
    return { status: answer.status, type: answer.headers.get('content-type'), body: await answer.text() }
  }
  const client =
    connections.get(step.on ?? '') ??
    (await RawClient.open(step.to === undefined ? ports.listener : ports.sockets![step.to]!))
  const already = client.result().messages.length
  connections.set(step.on ?? `anonymous ${connections.size}`, client)
  const parts = Array.isArray(step.send) ? step.send : [step.send]
  for (const [index, part] of parts.entries()) {
    if (index > 0) await new Promise(resolve => setTimeout(resolve, step.pause ?? 20))
    client.send(part)
  }
  if (step.after === 'half-close') client.halfClose()
  const before = client.result().messages.slice(0, already).filter(isFinal).length
  await client.receive(before + (step.answers ?? 1), step.patience ?? patience)
  const { messages, rest, closed } = client.result()
  if (step.after === 'close') client.destroy()
  const fresh = messages.slice(already).map(({ head, body, framing }) => ({ head, body, framing }))
  if (rest !== '') fresh.push({ head: ['(unfinished)'], body: rest, framing: 'none' })
  return { answers: fresh, closed }
}

function isFinal(message: { head: string[] }): boolean {
  return !/^HTTP\/1\.[01] 1\d\d /.test(message.head[0] ?? '')
}

function sentBytes(test: Case): string {
  return test.steps
    .flat()
    .map(step => ('send' in step ? [step.send].flat().join('') : ''))
    .join('')
}

async function settle(done: () => boolean, patience: number): Promise<void> {
  const deadline = Date.now() + patience
  while (!done() && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 10))
}

async function statLine(line: string, admin: number, page: string | undefined, patience: number): Promise<void> {
  const deadline = Date.now() + patience
  const text = async () => (await fetch(`http://127.0.0.1:${admin}${page ?? '/stats'}`)).text()
  const isThere = (shown: string) => (page === undefined ? shown.split('\n').includes(line) : shown.includes(line))
  while (!isThere(await text())) {
    if (Date.now() > deadline) throw new Error(`${page ?? '/stats'} never had ${line}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

/** Times are left out. */
function readEvents(file: string): string[] {
  return readLines(file).map(line => {
    const { timestamp: _at, secs_since_last_action: _since, ...event } = JSON.parse(line)
    return JSON.stringify(event)
  })
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'latin1').split('\n').slice(0, -1)
  } catch {
    return []
  }
}

async function readStats(admin: number): Promise<Map<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${admin}/stats`)).text()
  const stats = new Map<string, number>()
  for (const line of text.split('\n')) {
    const match = /^(.+): (\d+)$/.exec(line)
    if (match !== null && STATS_IN_SCOPE.test(match[1]!)) stats.set(match[1]!, Number(match[2]))
  }
  return stats
}

/** What goes on by itself, whoever asks for nothing. */
const NEVER_RESTS = /\.timer_flushed$|\.health_check\./

/** The stats when they have not moved for a moment, in which also what should not come has time to. */
async function restingStats(admin: number): Promise<Map<string, number>> {
  const shown = (stats: Map<string, number>) => JSON.stringify([...stats].filter(([name]) => !NEVER_RESTS.test(name)))
  let last = await readStats(admin)
  for (let readings = 0; ; readings++) {
    await new Promise(resolve => setTimeout(resolve, 120))
    const stats = await readStats(admin)
    if (shown(stats) === shown(last) || readings === 20) return stats
    last = stats
  }
}

function changes(before: Map<string, number>, after: Map<string, number>): Record<string, number> {
  const changed: Record<string, number> = {}
  for (const name of [...after.keys()].sort()) {
    const delta = after.get(name)! - (before.get(name) ?? 0)
    if (delta !== 0) changed[name] = delta
  }
  return changed
}

/** Takes Zipkin's JSON and protobuf, and OTLP's protobuf. */
async function openCollector(
  spans: Record<string, unknown>[],
  reports: Map<string, string[]>,
): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    const { method, url, rawHeaders } = request
    const fields = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []))
    const head = [`${method} ${url}`, ...fields.sort()]
    reports.set(head.join('\n'), head)
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      const isOtlp = url === '/v1/traces'
      const isProto = request.headers['content-type'] === 'application/x-protobuf'
      const read = isOtlp ? readOtlpSpans : readZipkinSpans
      spans.push(...(isProto ? read(body) : JSON.parse(body.toString())))
      response.writeHead(isOtlp ? 200 : 202).end()
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as { port: number }).port }
}
