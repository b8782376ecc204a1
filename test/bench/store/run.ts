// Start of a large store: node test/bench/store/run.ts --data FOLDER [--spans 10000000] [--days 29] [--starts 3]
// Makes a store of one day of `spans` and copies it to the days that follow: 29 days of ten million spans are 10 GB and take
// some minutes, once; what is in FOLDER already is used. Then it starts a collector on it and asks the first queries.
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { residentMb, startCollector, stop } from '../ingest/servers.ts'
import { buildStore, DAY_MS } from '../query/build-store.ts'
import { copySegments } from './copy-segments.ts'

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    spans: { type: 'string', default: '10000000' },
    days: { type: 'string', default: '29' },
    starts: { type: 'string', default: '3' },
  },
})
if (values.data === undefined) throw new Error('--data FOLDER is missing: the store is kept in it')
const file = join(values.data, 'spans.db')

if (!existsSync(file)) {
  mkdirSync(values.data, { recursive: true })
  const days = Number(values.days)
  await buildStore(file, Number(values.spans), Date.now() - (days - 1) * DAY_MS)
  copySegments(file, days, day => console.log(`day ${day} of ${days}`))
}
console.log(`file: ${(statSync(file).size / 1e9).toFixed(2)} GB`)

async function timed(path: string, port: number): Promise<{ ms: number; body: string }> {
  const begin = performance.now()
  const answer = await fetch(`http://127.0.0.1:${port}/api/v2/${path}`)
  const body = await answer.text()
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${body}`)
  return { ms: performance.now() - begin, body }
}

for (let start = 0; start < Number(values.starts); start++) {
  const begin = performance.now()
  // Limits as they have to be for a store of this size.
  const server = await startCollector(values.data, { HOPSCOPE_MAX_BYTES: String(2 ** 50), QUERY_TIMEOUT: '1m' })
  const healthy = performance.now() - begin
  const window = `endTs=${Date.now()}&lookback=${DAY_MS}`
  const search = await timed(`traces?${window}&serviceName=service-3&limit=10`, server.port)
  const readable = performance.now() - begin
  const [[span]] = JSON.parse(search.body) as [[{ traceId: string }]]
  const trace = await timed(`trace/${span.traceId}`, server.port)
  const services = await timed('services', server.port)
  const again = await timed(`traces?${window}&serviceName=service-4&limit=10`, server.port)
  console.log(
    [
      `healthy after ${(healthy / 1000).toFixed(2)} s`,
      `first search answered after ${(readable / 1000).toFixed(2)} s`,
      `trace ${trace.ms.toFixed(0)} ms`,
      `services ${services.ms.toFixed(0)} ms`,
      `next search ${again.ms.toFixed(0)} ms`,
      `${residentMb(server).toFixed(0)} MB resident`,
    ].join(', '),
  )
  await stop(server)
}
