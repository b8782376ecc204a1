// Sealing alone: node test/bench/store/seal.ts [--segments 12] [--logs FOLDER] [--store FOLDER]
// Writes logs as a collector does under the load of test/bench/ingest, once, and makes a segment of each, on this thread and
// nothing beside it. --logs keeps the logs for the next run; --store names another checkout's packages/store, to compare with.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { EMPTY, Head } from '../../../packages/store/src/segments/head.ts'
import { encodeHeader, encodeRecord } from '../../../packages/store/src/segments/log-record.ts'
import { Scanners } from '../../../packages/store/src/segments/scanners.ts'
import { meshBodies, renew } from '../ingest/mesh-bodies.ts'

const { values } = parseArgs({
  options: { segments: { type: 'string', default: '12' }, logs: { type: 'string' }, store: { type: 'string' } },
})
const SPANS = 65_536
/** Bodies that share one write of the log at full load, about. */
const BODIES_PER_RECORD = 7

const store = values.store ?? new URL('../../../packages/store', import.meta.url).pathname
const modules = join(resolve(store), 'src/segments')
const { SegmentWriter } = (await import(
  join(modules, 'segment-writer.ts')
)) as typeof import('../../../packages/store/src/segments/segment-writer.ts')
const { openDatabase } = (await import(
  join(modules, 'database.ts')
)) as typeof import('../../../packages/store/src/segments/database.ts')

const scratch = mkdtempSync(join(tmpdir(), 'hopscope-seal-'))
const logs = values.logs ?? join(scratch, 'logs')
mkdirSync(logs, { recursive: true })
const count = Number(values.segments)
writeLogs(count)

const file = join(scratch, 'spans.db')
const database = openDatabase(file)
const writer = new SegmentWriter(database, [])
const perSegment: number[] = []
const whole = process.cpuUsage()
let spans = 0
for (let number = 1; number <= count; number++) {
  const log = join(scratch, `spans.db-log-${number}`)
  copyFileSync(logOf(number), log)
  const before = process.threadCpuUsage()
  const meta = writer.seal(log, number, statSync(log).size)
  const { user, system } = process.threadCpuUsage(before)
  spans += meta.spans
  perSegment.push((user + system) / meta.spans)
}
const { user, system } = process.cpuUsage(whole)
const second = perSegment.slice(Math.floor(count / 2)).sort((a, b) => a - b)
const sum = perSegment.reduce((sum, one) => sum + one, 0) / count
database.pragma('wal_checkpoint(truncate)')
database.close()
console.log(
  [
    `CPU-s a million: this thread ${sum.toFixed(2)} in all`,
    `${second[Math.floor(second.length / 2)]!.toFixed(2)} [${second[0]!.toFixed(2)}-${second.at(-1)!.toFixed(2)}] when warm`,
    `all threads ${((user + system) / spans).toFixed(2)}`,
    `${(statSync(file).size / spans).toFixed(1)} bytes a span`,
  ].join(', '),
)
rmSync(scratch, { recursive: true })

function logOf(number: number): string {
  return join(logs, `log-${number}`)
}

/** Bodies go on from one log to the next, so traces are cut as they are in a collector. */
function writeLogs(count: number): void {
  if (existsSync(logOf(count))) return
  const bodies = meshBodies(300)
  let next = 0
  for (let number = 1; number <= count; number++) {
    const head = new Head()
    const scanner = new Scanners(head).of('json')
    const records = [encodeHeader(number)]
    let from = EMPTY
    while (head.spanCount < SPANS) {
      for (let i = 0; i < BODIES_PER_RECORD; i++, next++) {
        const body = bodies[next % bodies.length]!
        renew(body, 1 + Math.floor(next / bodies.length), next * 400)
        scanner.scan(body.bytes, 1_000_000)
      }
      records.push(encodeRecord(head, from))
      from = head.mark()
    }
    writeFileSync(logOf(number), Buffer.concat(records))
    head.free()
  }
}
