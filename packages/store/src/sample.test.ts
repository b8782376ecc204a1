import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Span } from '@hopscope/model'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { MemoryStore } from './memory.ts'
import { SegmentStore } from './segments/segment-store.ts'
import type { SpanStore } from './store.ts'

const folder = mkdtempSync(join(tmpdir(), 'hopscope-sample-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

const START = 1_750_000_000_000
const TRACES = 200
const id = (n: number): string => n.toString(16).padStart(16, '0')
const idsOf = (traces: readonly Span[][]): string[] => traces.map(trace => trace[0]!.traceId)

/** A trace each second, its second span a minute after its first. */
const span = (trace: number, n: number): Span => ({
  traceId: id(trace + 1),
  id: id(n),
  name: n === 1 ? 'first' : 'second',
  timestamp: (START + trace * 1000 + (n - 1) * 60_000) * 1000,
  // The second span of each fifth trace, which lies in another segment than the first, is of another service.
  localEndpoint: { serviceName: n === 2 && trace % 5 === 0 ? 'rare' : 'usual' },
})

const STORES: [name: string, open: () => SpanStore][] = [
  ['memory', () => new MemoryStore()],
  ['segments', () => new SegmentStore({ file: join(folder, `${++files}`, 'spans.db'), segmentSpans: 45 })],
]

describe.each(STORES)('a sample of %s', (_name, open) => {
  let store: SpanStore
  afterEach(() => store.close())

  async function filled(): Promise<void> {
    store = open()
    for (let trace = 0; trace < TRACES; trace++) {
      await store.accept([span(trace, 1)])
      if (trace >= 60) await store.accept([span(trace - 60, 2)])
    }
    for (let trace = TRACES - 60; trace < TRACES; trace++) await store.accept([span(trace, 2)])
  }

  async function sample(
    endTs: number,
    lookback: number,
    most = Infinity,
    asked: { serviceName?: string; spanName?: string } = {},
  ): Promise<[traces: Span[][], of: number]> {
    const traces: Span[][] = []
    const of = await store.sampleTraces({ endTs, lookback, ...asked }, spans => traces.push(spans) < most)
    return [traces, of]
  }

  it('is all of them, each once and whole, when nobody stops it', async () => {
    await filled()
    const [traces, of] = await sample(START + 1_000_000, 2_000_000)
    expect(of).toBe(TRACES)
    expect(idsOf(traces).sort()).toEqual(Array.from({ length: TRACES }, (_, i) => id(i + 1)))
    for (const trace of traces) expect(trace.map(({ id }) => id).sort()).toEqual([id(1), id(2)])
  })

  it('is spread over the window when it is stopped', async () => {
    await filled()
    const [traces, of] = await sample(START + 1_000_000, 2_000_000, 40)
    expect(traces).toHaveLength(40)
    expect(of).toBeGreaterThan(TRACES * 0.7)
    expect(of).toBeLessThan(TRACES * 1.4)
    const quarters = [0, 0, 0, 0]
    for (const [{ traceId }] of traces as [Span][]) quarters[Math.floor(((parseInt(traceId, 16) - 1) * 4) / TRACES)]!++
    for (const quarter of quarters) expect(quarter).toBeGreaterThan(3)
  })

  it('has traces of which any span is in the window, and no others', async () => {
    await filled()
    // The first spans of 21 traces, and the second ones of as many that began a minute before.
    const [traces, of] = await sample(START + 120_000, 20_000)
    expect(idsOf(traces).sort()).toEqual(
      [
        ...Array.from({ length: 21 }, (_, i) => id(41 + i)),
        ...Array.from({ length: 21 }, (_, i) => id(101 + i)),
      ].sort(),
    )
    expect(of).toBe(42)
    expect(await sample(START - 1, 1000)).toEqual([[], 0])
  })

  it('is of those that have a service and a name, whichever of their spans is in the window', async () => {
    await filled()
    const rare = Array.from({ length: 40 }, (_, i) => id(5 * i + 1))
    const all = [START + 1_000_000, 2_000_000] as const
    const [traces, of] = await sample(...all, Infinity, { serviceName: 'rare' })
    expect([idsOf(traces).sort(), of]).toEqual([rare, 40])
    for (const trace of traces) expect(trace).toHaveLength(2)
    expect((await sample(...all, Infinity, { serviceName: 'rare', spanName: 'second' }))[1]).toBe(40)
    expect(await sample(...all, Infinity, { serviceName: 'rare', spanName: 'first' })).toEqual([[], 0])
    expect(await sample(...all, Infinity, { serviceName: 'none' })).toEqual([[], 0])
    const [early] = await sample(START + 20_000, 20_000, Infinity, { serviceName: 'rare' })
    expect(idsOf(early).sort()).toEqual([1, 6, 11, 16, 21].map(id))
    const [some, about] = await sample(...all, 10, { serviceName: 'rare' })
    expect(some).toHaveLength(10)
    expect(about).toBeGreaterThanOrEqual(10)
  })
})
