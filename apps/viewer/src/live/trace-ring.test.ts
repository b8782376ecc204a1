import { describe, expect, it } from 'vitest'
import type { TraceItem } from '../api/trace-item.ts'
import { TraceRing } from './trace-ring.ts'

const item = (traceId: string, spanCount = 1): TraceItem => ({
  traceId,
  spanCount,
  services: [],
  hops: 0,
  retries: 0,
  timeouts: 0,
  untraced: 0,
})

describe('the ring of new traces', () => {
  it('gives the newest first, drops the oldest, and counts them', () => {
    const ring = new TraceRing(2)
    for (const id of ['a', 'b', 'c']) ring.put(item(id))
    expect(ring.items().map(({ traceId }) => traceId)).toEqual(['c', 'b'])
    expect(ring.dropped).toBe(1)
    ring.drop(5)
    expect(ring.dropped).toBe(6)
  })
  it('a trace that grows stays where it is', () => {
    const ring = new TraceRing(3)
    for (const id of ['a', 'b']) ring.put(item(id))
    ring.put(item('a', 9))
    expect(ring.items().map(({ traceId, spanCount }) => [traceId, spanCount])).toEqual([
      ['b', 1],
      ['a', 9],
    ])
    expect(ring.dropped).toBe(0)
  })
  it('clears', () => {
    const ring = new TraceRing(1)
    ring.put(item('a'))
    ring.put(item('b'))
    ring.clear()
    expect([ring.size, ring.dropped, ring.items()]).toEqual([0, 0, []])
  })
})
