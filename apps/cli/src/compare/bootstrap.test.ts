import { expect, test } from 'vitest'
import { estimate, estimateDifference, percentile } from './bootstrap.ts'

const sample = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i))

test('percentiles by nearest rank', () => {
  const values = sample(100, i => i + 1)
  expect([0.5, 0.95, 0.99, 1].map(share => percentile(values, share))).toEqual([50, 95, 99, 100])
  expect(percentile([7], 0.5)).toBe(7)
  expect(percentile([], 0.5)).toBeNaN()
})

test('the interval holds the value, narrows with n, and is the same each time', () => {
  const small = estimate(
    sample(30, i => i / 30),
    0.5,
  )
  const large = estimate(
    sample(3000, i => i / 3000),
    0.5,
  )
  for (const { value, low, high } of [small, large]) {
    expect(low).toBeLessThan(value)
    expect(high).toBeGreaterThan(value)
  }
  expect(large.high - large.low).toBeLessThan((small.high - small.low) / 4)
  expect(
    estimate(
      sample(30, i => i / 30),
      0.5,
    ),
  ).toEqual(small)
})

test('a difference: clear of zero where there is one, around zero where there is none', () => {
  const a = sample(300, i => 10 + (i % 7))
  const real = estimateDifference(
    a,
    a.map(value => value + 2),
    0.5,
  )
  expect(real.value).toBe(2)
  expect(real.low).toBeGreaterThan(0)
  const none = estimateDifference(a, a, 0.5)
  expect(none.low).toBeLessThanOrEqual(0)
  expect(none.high).toBeGreaterThanOrEqual(0)
})
