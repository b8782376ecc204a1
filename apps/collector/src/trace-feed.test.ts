import { generateTrace, seededRandom } from '@hopscope/model/testing'
import { MemoryStore } from '@hopscope/store'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TraceFeed } from './trace-feed.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('tells once of a trace whose spans come in several reports, and again when it grows later', async () => {
  const feed = new TraceFeed(new MemoryStore())
  const store = feed.observe()
  const told: number[] = []
  feed.follow({ traces: traces => told.push(...traces.map(({ spanCount }) => spanCount)), dropped() {} })
  const trace = generateTrace({ spans: 100 }, seededRandom(1))
  for (let i = 0; i < 80; i += 20) await store.accept(trace.slice(i, i + 20))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(told).toEqual([80])
  await store.accept(trace.slice(80))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(told).toEqual([80, trace.length])
})
