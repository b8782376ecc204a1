// Ingest, beside zipkin-server: node test/bench/ingest/run.ts [--seconds 4] [--rounds 2] [--connections 16] [--rate SPANS_A_SECOND]
// [--format json|proto3|otlp]: zipkin-server takes no OTLP, and gets JSON then.
// zipkin-server runs too when HOPSCOPE_ZIPKIN_JAR names its jar. Both start fresh, rounds alternate.
// answered/s: by the last answer, which of Hopscope means that the spans are durable, of zipkin-server that they were read.
// stored/s: by the end of what it takes to have them stored: of Hopscope the same, of zipkin-server the end of its work.
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type LoadResult, load } from './load.ts'
import { type BodyFormat, meshBodies } from './mesh-bodies.ts'
import { cpuSeconds, residentMb, type Server, startCollector, startZipkin, stop } from './servers.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '16' },
    rate: { type: 'string' },
    format: { type: 'string', default: 'json' },
  },
})
const ms = Number(values.seconds) * 1000
const connections = Number(values.connections)
const rate = values.rate === undefined ? undefined : Number(values.rate)

const format = values.format as BodyFormat
if (!['json', 'proto3', 'otlp'].includes(format)) throw new Error(`--format ${format}: json, proto3 or otlp is`)
const bodies = meshBodies(300, 1, Date.now(), format)
const zipkinFormat = format === 'otlp' ? 'json' : format
const zipkinBodies = format === 'otlp' ? meshBodies(300) : bodies
const bytes = bodies.reduce((sum, body) => sum + body.bytes.length, 0) / bodies.length
console.log(
  `${format} bodies of 100 spans, ${(bytes / 1024).toFixed(0)} KB each; ${connections} connections; ${values.seconds} s a round`,
)

const data = mkdtempSync(join(tmpdir(), 'hopscope-bench-'))
const jar = process.env.HOPSCOPE_ZIPKIN_JAR
const servers: Server[] = []
try {
  servers.push(await startCollector(data))
  if (jar !== undefined && existsSync(jar)) servers.push(await startZipkin(jar))
  else console.log('zipkin-server: skipped, HOPSCOPE_ZIPKIN_JAR does not name its jar')
  console.log('server         round answered/s  stored/s  CPU-s/M spans   p50 ms   p99 ms   RSS MB  refused')
  for (const server of servers) await send(server, 1500)
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const server of servers) await measure(server, round)
  }
} finally {
  await Promise.all(servers.map(stop))
  const file = join(data, 'spans.db')
  if (existsSync(file)) console.log(`hopscope's file: ${(statSync(file).size / 1024 ** 2).toFixed(0)} MB`)
  rmSync(data, { recursive: true })
}

function send(server: Server, ms: number): Promise<LoadResult> {
  const how = { connections, ms, ...(rate === undefined ? {} : { rate }) }
  return server.name === 'hopscope'
    ? load(server.port, bodies, how, format)
    : load(server.port, zipkinBodies, how, zipkinFormat)
}

async function measure(server: Server, round: number): Promise<void> {
  const before = cpuSeconds(server)
  const begin = performance.now()
  const { seconds, spans, latencies, refused } = await send(server, ms)
  const worked = ((await settled(server)) - begin) / 1000
  const cpu = cpuSeconds(server) - before
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  const columns = [
    server.name.padEnd(14),
    String(round).padStart(5),
    ...[seconds, server.name === 'hopscope' ? seconds : Math.max(worked, seconds)].map(time =>
      Math.round(spans / time)
        .toString()
        .padStart(10),
    ),
    ((cpu * 1e6) / spans).toFixed(1).padStart(14),
    at(0.5).toFixed(1).padStart(8),
    at(0.99).toFixed(1).padStart(8),
    residentMb(server).toFixed(0).padStart(8),
    String(refused).padStart(8),
  ]
  console.log(columns.join(' '))
}

/** zipkin-server answers before it stores: its work goes on after the last answer, and is its work. Returns when it ended. */
async function settled(server: Server): Promise<number> {
  let ended = performance.now()
  for (let quiet = 0, last = cpuSeconds(server), i = 0; quiet < 2 && i < 60; i++) {
    await new Promise(resolve => setTimeout(resolve, 100))
    const now = cpuSeconds(server)
    if (now - last <= 0.02) quiet++
    else {
      quiet = 0
      ended = performance.now()
    }
    last = now
  }
  return ended
}
