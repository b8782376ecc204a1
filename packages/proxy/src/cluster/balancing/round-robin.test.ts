import { expect, test } from 'vitest'
import { createRoundRobin } from './round-robin.ts'

const hosts = (weights: Record<string, number>) => Object.entries(weights).map(([name, weight]) => ({ name, weight }))

/** The names of the next `n` hosts. */
const picks = (weights: Record<string, number>, n: number, random = 0) => {
  const pick = createRoundRobin(hosts(weights), () => random)
  return Array.from({ length: n }, () => pick()?.name).join('')
}

test('no host, no choice', () => {
  expect(createRoundRobin([], () => 0)()).toBeUndefined()
})

test.each([
  [0, 'abcabcabc'],
  [0.34, 'bcabcabca'],
  [0.999, 'cabcabcab'],
])('equal weights: strict order from a random start (%d)', (random, order) => {
  expect(picks({ a: 1, b: 1, c: 1 }, 9, random)).toBe(order)
  expect(picks({ a: 7, b: 7, c: 7 }, 9, random)).toBe(order)
})

test.each<Record<string, number>>([
  { a: 2, b: 1 },
  { a: 1, b: 3 },
  { a: 5, b: 3, c: 2 },
  { a: 128, b: 1 },
])('in each round of %j a host has as many turns as it weighs, wherever the round begins', weights => {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  for (const random of [0, 0.5, 0.99]) {
    const order = picks(weights, total * 20, random)
    for (let round = 0; round < 20; round++) {
      const turns = order.slice(round * total, (round + 1) * total)
      for (const [name, weight] of Object.entries(weights)) {
        const count = turns.split(name).length - 1
        expect(Math.abs(count - weight), `${name} in ${turns}`).toBeLessThanOrEqual(random === 0 ? 0 : 1)
      }
    }
  }
})

test('among equals the one that waited longest is next', () => {
  expect(picks({ a: 2, b: 1 }, 6)).toBe('abaaba')
})

test('turns of a heavy host are spread, not bunched', () => {
  const order = picks({ a: 5, b: 1, c: 1 }, 70)
  // One more than its weight may fall together where a turn of both is due at once: sums of 1/5 are not exact, in Envoy neither.
  expect(order).not.toContain('aaaaaaa')
  expect(order).not.toMatch(/bb|cc/)
})

test('a million choices later the shares are still right', () => {
  const pick = createRoundRobin(hosts({ a: 3, b: 1 }), () => 0)
  for (let i = 0; i < 1_000_000; i++) pick()
  const counts = { a: 0, b: 0 }
  for (let i = 0; i < 400; i++) counts[pick()!.name as 'a' | 'b']++
  expect(Math.abs(counts.a - 300)).toBeLessThanOrEqual(1)
})
