// Queries on a store of many spans: node test/bench/query/run.ts [--spans 1000000] [--queries 400] [--data FOLDER]
// The store is made by direct writes (and kept with --data), spread over a day, 65,536 spans a segment; a collector serves it.
// zipkin-server runs beside it with --zipkin-spans N when HOPSCOPE_ZIPKIN_JAR names its jar: in memory, so with fewer.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpuSeconds, residentMb, type Server, startCollector, startZipkin, stop } from '../ingest/servers.ts'
import { buildStore, DAY_MS, eachBody } from './build-store.ts'

const { values } = parseArgs({
  options: {
    spans: { type: 'string', default: '1000000' },
    queries: { type: 'string', default: '400' },
    'zipkin-spans': { type: 'string', default: '0' },
    data: { type: 'string' },
  },
})
const queries = Number(values.queries)
const endTs = Date.now()
const data = values.data ?? mkdtempSync(join(tmpdir(), 'hopscope-bench-'))
const file = join(data, 'spans.db')

interface Query {
  name: string
  path: (i: number) => string
}

async function measure(server: Server, list: Query[]): Promise<void> {
  for (const { name, path } of list) {
    const times: number[] = []
    let bytes = 0
    for (let i = 0; i < queries; i++) {
      const begin = performance.now()
      const answer = await fetch(`http://127.0.0.1:${server.port}${path(i)}`)
      bytes += (await answer.arrayBuffer()).byteLength
      if (answer.status !== 200 && answer.status !== 404) throw new Error(`${path(i)}: ${answer.status}`)
      times.push(performance.now() - begin)
    }
    const first = times[0]!
    times.sort((a, b) => a - b)
    const at = (share: number): string =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(1)
    console.log(
      [
        server.name.padEnd(14),
        name.padEnd(34),
        at(0.5).padStart(8),
        at(0.99).padStart(9),
        first.toFixed(1).padStart(9),
        `${Math.round(bytes / queries)} B`.padStart(12),
      ].join(' '),
    )
  }
}

const window = `endTs=${endTs + 60_000}&lookback=${2 * DAY_MS}`
const service = (i: number): string => `serviceName=service-${1 + (i % 19)}`
const tag = (text: string): string => `annotationQuery=${encodeURIComponent(text)}`

async function tracesOf(server: Server): Promise<{ id: string; guid: string }[]> {
  const found: { id: string; guid: string }[] = []
  for (let i = 0; i < 40; i++) {
    const end = endTs - Math.floor((DAY_MS * i) / 41)
    const path = `/api/v2/traces?endTs=${end}&lookback=${DAY_MS}&limit=3&serviceName=service-${1 + (i % 19)}`
    const traces = (await (await fetch(`http://127.0.0.1:${server.port}${path}`)).json()) as {
      traceId: string
      tags: Record<string, string>
    }[][]
    for (const [span] of traces) found.push({ id: span!.traceId, guid: span!.tags['guid:x-request-id']! })
  }
  return found
}

async function run(server: Server): Promise<void> {
  const traces = await tracesOf(server)
  const some = (i: number): { id: string; guid: string } => traces[(i * 7) % traces.length]!
  await measure(server, [
    { name: 'trace by id', path: i => `/api/v2/trace/${some(i).id}` },
    { name: 'absent trace', path: i => `/api/v2/trace/${(i + 1).toString(16).padStart(16, 'f')}` },
    { name: 'service, 10', path: i => `/api/v2/traces?${window}&${service(i)}&limit=10` },
    { name: 'service, 100', path: i => `/api/v2/traces?${window}&${service(i)}&limit=100` },
    {
      name: 'service + status 503, 10',
      path: i => `/api/v2/traces?${window}&${service(i)}&limit=10&${tag('http.status_code=503')}`,
    },
    {
      name: 'service + min duration 40 ms, 10',
      path: i => `/api/v2/traces?${window}&${service(i)}&limit=10&minDuration=40000`,
    },
    {
      name: 'rare tag (one trace)',
      path: i => `/api/v2/traces?${window}&limit=10&${tag(`guid:x-request-id=${some(i).guid}`)}`,
    },
    { name: 'tag that is not there', path: i => `/api/v2/traces?${window}&limit=10&${tag(`nobody=${i}`)}` },
    { name: 'services', path: () => '/api/v2/services' },
    { name: 'span names', path: i => `/api/v2/spans?${service(i)}` },
    { name: 'dependencies of a day', path: () => `/api/v2/dependencies?${window}` },
  ])
  console.log(
    `${server.name}: ${residentMb(server).toFixed(0)} MB resident, ${cpuSeconds(server).toFixed(1)} s of CPU in all`,
  )
}

const servers: Server[] = []
try {
  if (!existsSync(file)) await buildStore(file, Number(values.spans), endTs)
  const begin = performance.now()
  const collector = await startCollector(data)
  servers.push(collector)
  console.log(`started and healthy in ${((performance.now() - begin) / 1000).toFixed(2)} s`)
  console.log('server         query                                p50 ms    p99 ms  first ms        answer')
  await run(collector)
  const jar = process.env.HOPSCOPE_ZIPKIN_JAR
  const zipkinSpans = Number(values['zipkin-spans'])
  if (zipkinSpans > 0 && jar !== undefined && existsSync(jar)) {
    const zipkin = await startZipkin(jar, { MEM_MAX_SPANS: String(zipkinSpans * 2) })
    servers.push(zipkin)
    await eachBody(zipkinSpans, endTs, async bytes => {
      const url = `http://127.0.0.1:${zipkin.port}/api/v2/spans`
      await fetch(url, { method: 'POST', body: new Uint8Array(bytes), headers: { 'content-type': 'application/json' } })
    })
    console.log(`zipkin-server: ${zipkinSpans} spans`)
    await run(zipkin)
  }
} finally {
  await Promise.all(servers.map(stop))
  if (values.data === undefined) rmSync(data, { recursive: true })
}
