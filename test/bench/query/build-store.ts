import { statSync } from 'node:fs'
import { SegmentStore } from '@hopscope/store/sqlite'
import { meshBodies, renew } from '../ingest/mesh-bodies.ts'

export const DAY_MS = 86_400_000
const SPANS_PER_BODY = 100
const BODIES = 300

/** The bodies of `count` spans, one after the other, spread over the day before `endTs` (ms). */
export async function eachBody(count: number, endTs: number, send: (bytes: Buffer) => Promise<void>): Promise<void> {
  const bodies = meshBodies(BODIES, 1, endTs - DAY_MS)
  const total = Math.ceil(count / SPANS_PER_BODY)
  for (let i = 0; i < total; i++) {
    const body = bodies[i % BODIES]!
    const cycle = Math.floor(i / BODIES)
    renew(body, cycle + 1, Math.floor(((DAY_MS - 60_000) * 1000 * cycle) / Math.ceil(total / BODIES)))
    await send(body.bytes)
  }
}

/** Makes a store of so many spans, as they come in a day, and says what it cost. */
export async function buildStore(file: string, count: number, endTs: number): Promise<void> {
  const store = new SegmentStore({ file })
  const cpu = process.cpuUsage()
  const begin = performance.now()
  let waiting: Promise<void>[] = []
  await eachBody(count, endTs, async bytes => {
    const accepted = store.acceptBody('json', bytes, 1_000_000)
    if (accepted === undefined) throw new Error('the store did not take a body')
    waiting.push(accepted.committed)
    if (waiting.length < 64) return
    await Promise.all(waiting)
    waiting = []
  })
  await Promise.all(waiting)
  await store.settled()
  const { user, system } = process.cpuUsage(cpu)
  const { spans, bytes } = store.stats()
  const perMillion = (user + system) / spans
  console.log(
    `built: ${spans} spans in ${((performance.now() - begin) / 1000).toFixed(0)} s, ${perMillion.toFixed(1)} CPU-s a million, ${(bytes / spans).toFixed(1)} bytes a span`,
  )
  await store.close()
  console.log(`file: ${(statSync(file).size / spans).toFixed(1)} bytes a span`)
}
