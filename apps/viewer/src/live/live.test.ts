import { describe, expect, it } from 'vitest'
import type { TraceItem } from '../api/trace-item.ts'
import { countTroubles, pickItems } from './pick-items.ts'
import {
  durationBounds,
  durationTicks,
  nearestItem,
  type ScatterScale,
  toDuration,
  toTime,
  toX,
  toY,
} from './scatter-scale.ts'
import { countNewer } from './use-held.ts'

const item = (traceId: string, at: number, duration: number, rest: Partial<TraceItem> = {}): TraceItem => ({
  traceId,
  timestamp: at * 1_000,
  duration,
  spanCount: 1,
  services: [],
  hops: 1,
  retries: 0,
  timeouts: 0,
  untraced: 0,
  ...rest,
})
const ITEMS = [
  item('fine', 1_000, 5_000),
  item('failed', 2_000, 50_000, { error: 'critical' }),
  item('retried', 3_000, 500_000, { retries: 2 }),
  item('both', 4_000, 900_000, { retries: 1, timeouts: 1 }),
]
const ids = (items: readonly TraceItem[]) => items.map(({ traceId }) => traceId)

describe('picking', () => {
  it('takes any of the troubles', () => {
    expect(pickItems(ITEMS, [], undefined)).toBe(ITEMS)
    expect(ids(pickItems(ITEMS, ['retry'], undefined))).toEqual(['retried', 'both'])
    expect(ids(pickItems(ITEMS, ['error', 'timeout'], undefined))).toEqual(['failed', 'both'])
  })
  it('takes what is inside the brush, edges included', () => {
    const brush = { from: 2_000, to: 4_000, shortest: 50_000, longest: 500_000 }
    expect(ids(pickItems(ITEMS, [], brush))).toEqual(['failed', 'retried'])
    expect(ids(pickItems(ITEMS, ['retry'], brush))).toEqual(['retried'])
  })
  it('counts', () => {
    expect(countTroubles(ITEMS)).toEqual({ error: 1, retry: 2, timeout: 1, untraced: 0 })
  })
})

it('counts what came while a list was held', () => {
  expect(countNewer(ITEMS, ITEMS.slice(1))).toBe(1)
  expect(countNewer(ITEMS, ITEMS)).toBe(0)
})

describe('the scatter', () => {
  const scale: ScatterScale = { from: 0, to: 10_000, shortest: 1_000, longest: 1_000_000, width: 100, height: 90 }
  it('puts decades at equal heights', () => {
    expect([1_000, 10_000, 100_000, 1_000_000].map(us => Math.round(toY(us, scale)))).toEqual([90, 60, 30, 0])
    expect(toX(2_500, scale)).toBe(25)
  })
  it('reads back what it drew', () => {
    expect(toTime(toX(4_200, scale), scale)).toBeCloseTo(4_200)
    expect(toDuration(toY(42_000, scale), scale)).toBeCloseTo(42_000)
  })
  it.each([
    [[], [1_000, 1_000_000]],
    [
      [5_000, 900_000],
      [5_000, 1_000_000],
    ],
    [[40_000], [5_000, 50_000]],
    [
      [0, 20_000],
      [100, 20_000],
    ],
    [
      [110_000, 563_000],
      [100_000, 1_000_000],
    ],
    [
      [100_000, 100_000],
      [10_000, 100_000],
    ],
  ])('durations %j are drawn between %j', (durations, bounds) =>
    expect(durationBounds(durations.map(duration => item('x', 0, duration)))).toEqual(bounds),
  )
  it('has a line at round numbers', () => {
    expect(durationTicks([5_000, 50_000])).toEqual([5_000, 10_000, 20_000, 50_000])
    expect(durationTicks([100, 1_000_000])).toEqual([100, 1_000, 10_000, 100_000, 1_000_000])
  })
  it('finds the point under the pointer', () => {
    expect(nearestItem(ITEMS, 21, toY(50_000, scale), scale, 8)?.traceId).toBe('failed')
    expect(nearestItem(ITEMS, 60, 45, scale, 8)).toBeUndefined()
  })
})
