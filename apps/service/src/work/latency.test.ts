import { describe, expect, it } from 'vitest'
import { drawLatency } from './latency.ts'
import { createRandom } from './random.ts'

describe('drawLatency', () => {
  const timing = { p50: 10, p90: 20, p99: 30, variancePercent: 0 }

  it('takes p50 for half of the requests, p90 for the next 40 %, p99 for the rest', () => {
    expect([0, 0.49, 0.5, 0.89, 0.9, 0.99].map(rank => drawLatency(timing, () => rank))).toEqual([
      10, 10, 20, 20, 30, 30,
    ])
  })

  it('varies by the percentage at most, both ways', () => {
    const varied = { ...timing, p50: 100, p90: 100, p99: 100, variancePercent: 10 }
    expect(drawLatency(varied, () => 0)).toBe(90)
    const random = createRandom(1)
    for (let i = 0; i < 1000; i++) expect(Math.abs(drawLatency(varied, random) - 100)).toBeLessThanOrEqual(10)
  })
})
