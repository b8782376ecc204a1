import { expect, it } from 'vitest'
import { createHistogram } from './histogram.ts'

it('gives percentiles within one percent', () => {
  const histogram = createHistogram()
  for (let i = 1; i <= 1000; i++) histogram.add(i)
  for (const [share, expected] of [
    [0.5, 500],
    [0.9, 900],
    [0.99, 990],
  ] as const) {
    expect(Math.abs(histogram.percentile(share)! / expected - 1)).toBeLessThan(0.01)
  }
  expect(histogram.max).toBe(1000)
})

it('never says more than the longest', () => {
  const histogram = createHistogram()
  histogram.add(33.333)
  expect(histogram.percentile(0.99)).toBeLessThanOrEqual(33.333)
})

it('says nothing of nothing', () => {
  const histogram = createHistogram()
  expect([histogram.percentile(0.5), histogram.max]).toEqual([undefined, undefined])
})
