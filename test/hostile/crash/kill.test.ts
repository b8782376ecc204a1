import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Span } from '@hopscope/model'
import { seededRandom } from '@hopscope/model/testing'
import { SegmentStore } from '@hopscope/store/sqlite'
import { afterAll, expect, it } from 'vitest'
import { batchOf } from './batches.ts'

/** By hand: HOPSCOPE_KILLS=200 npm test -- process hostile/crash/kill */
const KILLS = Number(process.env.HOPSCOPE_KILLS ?? 16)
/** Kills after which all that was ever acknowledged is read back. */
const KILLS_PER_CHECK = 4

const POINTS = [
  'log-created',
  'log-written',
  'log-synced',
  'seal-begun',
  'seal-written',
  'seal-committed',
  'log-unlinked',
  'compaction-written',
  'compaction-committed',
  'old-deleted',
]
const BATCHES_A_RUN = 150

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'hopscope-crash-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Run {
  acknowledged: number[]
  wasKilled: boolean
  errors: string
}

/** Runs the writer until it kills itself at `fault`, or is killed when it has acknowledged `killAfter` batches. */
function run(file: string, first: number, fault: string | undefined, killAfter: number): Promise<Run> {
  const child = spawn(process.execPath, [WRITER, file, String(first), String(first + BATCHES_A_RUN)], {
    env: { ...process.env, HOPSCOPE_FAULT_POINT: fault ?? '' },
  })
  let output = ''
  let errors = ''
  const batches = (): number[] =>
    output
      .split('\n')
      .slice(0, -1)
      .filter(line => line !== 'open')
      .map(Number)
  child.stdout.on('data', data => {
    output += data
    if (fault === undefined && batches().length >= killAfter) child.kill('SIGKILL')
  })
  child.stderr.on('data', data => {
    errors += data
  })
  return new Promise(resolve =>
    child.once('close', (_code, signal) =>
      resolve({ acknowledged: batches(), wasKilled: signal === 'SIGKILL', errors }),
    ),
  )
}

/** Every batch that was acknowledged is there as it was sent, and of the others each span once or not at all. */
async function check(file: string, acknowledged: Set<number>, sent: number): Promise<void> {
  const warnings: string[] = []
  const store = new SegmentStore({ file, segmentSpans: 400, warn: line => warnings.push(line) })
  try {
    const found = new Map<string, Span>()
    const traceIds = new Set(
      Array.from({ length: sent }, (_, batch) => batchOf(batch).map(span => span.traceId)).flat(),
    )
    for (const trace of await store.getTracesByIds([...traceIds])) {
      for (const span of trace) {
        expect(found.has(span.id)).toBe(false)
        found.set(span.id, span)
      }
    }
    for (let batch = 0; batch < sent; batch++) {
      for (const span of batchOf(batch)) {
        const read = found.get(span.id)
        if (read === undefined)
          expect(acknowledged.has(batch), `batch ${batch} was acknowledged and is lost`).toBe(false)
        else expect(read).toEqual(span)
      }
    }
    // Equal spans collapse when read: a span stored twice shows here.
    expect(store.stats().spans).toBe(found.size)
    expect(warnings).toEqual([])
  } finally {
    await store.close()
  }
}

it(`loses no acknowledged span, stores none twice, changes none: ${KILLS} kills`, async () => {
  const random = seededRandom(KILLS)
  const file = join(folder, 'spans.db')
  const acknowledged = new Set<number>()
  let next = 0
  for (let kill = 0; kill < KILLS; kill++) {
    // Each point in turn, then at any moment.
    const point = kill % 16 < POINTS.length ? POINTS[kill % 16] : undefined
    const fault = point && `${point}:${1 + Math.floor(random() * (kill < POINTS.length ? 1 : 3))}`
    const result = await run(file, next, fault, 1 + Math.floor(random() * 60))
    expect(result.errors, `at ${fault}`).toBe('')
    expect(result.wasKilled, `at ${fault}`).toBe(true)
    for (const batch of result.acknowledged) acknowledged.add(batch)
    next += BATCHES_A_RUN
    if ((kill + 1) % KILLS_PER_CHECK === 0 || kill === KILLS - 1) await check(file, acknowledged, next)
  }
  expect(acknowledged.size).toBeGreaterThan(KILLS)
}, 3_600_000)
