import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DependencyLink, type Endpoint, type Kind, normaliseSpan, type Span } from '@hopscope/model'
import { pick, type Random, seededRandom } from '@hopscope/model/testing'
import Database from 'better-sqlite3'
import { afterAll, expect, it, vi } from 'vitest'
import { MemoryStore } from '../memory.ts'
import { SegmentStore, type SegmentStoreOptions } from './segment-store.ts'
import { verifyStore } from './tools.ts'

vi.setConfig({ testTimeout: 60_000 })

const folder = mkdtempSync(join(tmpdir(), 'hopscope-links-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const newFile = (): string => join(folder, `${++files}`, 'spans.db')

const START_MS = 1_750_000_000_000
const STEP_MS = 1000

const sorted = (links: readonly DependencyLink[]): DependencyLink[] =>
  [...links].sort((a, b) => (JSON.stringify([a.parent, a.child]) < JSON.stringify([b.parent, b.child]) ? -1 : 1))

let unlike = 0x1000

/**
 * A few spans of some traces: those of a step go on in the steps after it. Every fourth has ids of both widths; its spans are unlike
 * each other then, for of those of one id it counts which came first, and the widths are not in one order.
 */
function batch(random: Random, step: number): Span[] {
  const service = (): Endpoint => ({ serviceName: pick(random, ['a', 'b', 'c', 'd']), port: pick(random, [1, 2]) })
  const id = (): string => pick(random, ['1', '2', '3', '4', '5', '6', '7', '8', '9'])
  return Array.from({ length: 12 }, () => {
    const which = Math.floor(random() * 4)
    const low = (Math.max(1, step - Math.floor(random() * 4)) * 8 + which).toString(16).padStart(16, '0')
    const isMixed = which === 3
    return normaliseSpan({
      traceId: isMixed && random() < 0.5 ? `aaaaaaaaaaaaaaaa${low}` : low,
      id: isMixed ? (unlike++).toString(16) : id(),
      parentId: random() < 0.3 ? undefined : isMixed ? (unlike - 1 - Math.floor(random() * 12)).toString(16) : id(),
      kind: pick<Kind | undefined>(random, [undefined, 'CLIENT', 'CLIENT', 'SERVER', 'SERVER', 'PRODUCER', 'CONSUMER']),
      name: pick(random, ['get', 'post']),
      localEndpoint: random() < 0.1 ? undefined : service(),
      remoteEndpoint: random() < 0.5 ? undefined : service(),
      timestamp: random() < 0.1 ? undefined : (START_MS + step * STEP_MS + Math.floor(random() * STEP_MS)) * 1000,
      duration: 7,
      annotations: random() < 0.2 ? [{ timestamp: START_MS * 1000, value: 'error' }] : [],
      tags: Object.assign(Object.create(null), { key: `${random()}` }, random() < 0.3 ? { error: `${random()}` } : {}),
      shared: !isMixed && random() < 0.2,
    })
  })
}

/** Windows that end and begin anywhere, and one that reaches the epoch. */
function* windows(random: Random, steps: number): Generator<[endTs: number, lookback: number]> {
  yield [START_MS + 10 * steps * STEP_MS, 20 * steps * STEP_MS]
  yield [START_MS + 10 * steps * STEP_MS, START_MS * 2]
  for (let i = 0; i < 6; i++) {
    yield [START_MS + Math.floor(random() * (steps + 2) * STEP_MS), 1 + Math.floor(random() * steps * STEP_MS)]
  }
}

async function compare(random: Random, steps: number, store: SegmentStore, twin: MemoryStore): Promise<number> {
  let count = 0
  for (const [endTs, lookback] of windows(random, steps)) {
    const expected = sorted(await twin.getDependencies(endTs, lookback))
    expect(sorted(await store.getDependencies(endTs, lookback)), `${endTs} ${lookback}`).toEqual(expected)
    count += expected.length
  }
  return count
}

it.each([1, 2, 3, 4, 5, 6])(
  'says of a window what the model says of its traces, wherever they lie: seed %i',
  async seed => {
    const random = seededRandom(seed)
    const options: SegmentStoreOptions = { file: newFile(), segmentSpans: 30 + Math.floor(random() * 100) }
    const twin = new MemoryStore()
    let store = new SegmentStore(options)
    let compared = 0
    for (let step = 1; step <= 60; step++) {
      const spans = batch(random, step)
      await Promise.all([store.accept(spans), twin.accept(spans)])
      const chance = random()
      if (chance < 0.25) compared += await compare(random, step, store, twin)
      if (chance > 0.9) await store.seal()
      if (chance > 0.8 && chance < 0.87) {
        await store.close()
        store = new SegmentStore(options)
      }
    }
    compared += await compare(random, 60, store, twin)
    await store.close()
    store = new SegmentStore(options)
    compared += await compare(random, 60, store, twin)
    await store.close()
    expect(compared).toBeGreaterThan(200)
  },
)

/** Ten traces, the first span of each in one segment and the second in the next. */
async function split(file: string): Promise<void> {
  const store = new SegmentStore({ file })
  const spans = (kind: Kind): Span[] =>
    Array.from({ length: 10 }, (_, i) =>
      normaliseSpan({
        traceId: (i + 1).toString(16),
        id: kind === 'CLIENT' ? '1' : '2',
        parentId: kind === 'CLIENT' ? undefined : '1',
        kind,
        localEndpoint: { serviceName: kind === 'CLIENT' ? 'web' : 'app' },
        timestamp: (START_MS + i) * 1000,
      }),
    )
  await store.accept(spans('CLIENT'))
  await store.seal()
  await store.accept(spans('SERVER'))
  await store.seal()
  await store.close()
}

const WINDOW = [START_MS + 1000, 2000] as const
const linkedOf = (file: string): { segment: number; piece: Buffer }[] => {
  const database = new Database(file)
  try {
    return database.prepare<[], { segment: number; piece: Buffer }>('select * from linked order by segment').all()
  } finally {
    database.close()
  }
}

it('keeps what traces in several segments come to over a restart', async () => {
  const file = newFile()
  await split(file)
  const first = new SegmentStore({ file })
  const links = [{ parent: 'web', child: 'app', callCount: 10 }]
  expect(await first.getDependencies(...WINDOW)).toEqual(links)
  await first.close()
  expect(linkedOf(file)).toHaveLength(2)
  // Proof that it is read: what the pages hold is not there any more.
  const database = new Database(file)
  database.exec('delete from page')
  database.close()
  const second = new SegmentStore({ file, warn: () => {} })
  expect(await second.getDependencies(...WINDOW)).toEqual(links)
  await second.close()
})

it('makes kept links anew when they are damaged, and names them', async () => {
  const file = newFile()
  await split(file)
  const first = new SegmentStore({ file })
  const links = await first.getDependencies(...WINDOW)
  await first.close()
  const database = new Database(file)
  database.exec("update linked set piece = x'0102030405060708'")
  database.close()
  expect([...verifyStore(file)]).toEqual([
    expect.stringMatching(/segment 1, kept links is not as it was written/),
    expect.stringMatching(/segment 2, kept links is not as it was written/),
  ])
  const told: string[] = []
  const second = new SegmentStore({ file, warn: line => told.push(line) })
  expect(await second.getDependencies(...WINDOW)).toEqual(links)
  await second.close()
  expect(told.join()).toMatch(/segment 1, kept links/)
  expect([...verifyStore(file)]).toEqual([])
})

it('links ahead of the first question', async () => {
  const file = newFile()
  await split(file)
  const store = new SegmentStore({ file })
  await vi.waitFor(() => expect(linkedOf(file)).toHaveLength(2), { timeout: 30_000 })
  await store.close()
})

it('counts a trace once that goes on after it was counted', async () => {
  const file = newFile()
  await split(file)
  const store = new SegmentStore({ file })
  const links = [{ parent: 'web', child: 'app', callCount: 10 }]
  expect(await store.getDependencies(...WINDOW)).toEqual(links)
  await store.accept([
    normaliseSpan({
      traceId: '1',
      id: '3',
      localEndpoint: { serviceName: 'app' },
      timestamp: (START_MS + 5000) * 1000,
    }),
  ])
  expect(await store.getDependencies(...WINDOW)).toEqual(links)
  expect(await store.getDependencies(START_MS + 10_000, 20_000)).toEqual(links)
  await store.close()
})
