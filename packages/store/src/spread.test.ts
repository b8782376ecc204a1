import { expect, it } from 'vitest'
import { spread } from './spread.ts'

it.each([0, 1, 2, 3, 4, 5, 8, 100, 1597, 1600])('comes to each of %i places once', count => {
  expect([...spread(count)].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
})

it.each([16, 100, 10_000])('begins evenly among %i', count => {
  const tenths = new Array<number>(10).fill(0)
  for (const at of [...spread(10_007)].slice(0, count)) tenths[Math.floor((at / 10_007) * 10)]!++
  for (const tenth of tenths) expect(Math.abs(tenth - count / 10)).toBeLessThanOrEqual(2)
})
