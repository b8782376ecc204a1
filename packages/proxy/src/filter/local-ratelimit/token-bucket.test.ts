import { expect, test } from 'vitest'
import { TokenBucket } from './token-bucket.ts'

function create(maxTokens: number, tokensPerFill: number, fillInterval: number) {
  let now = 0
  const clock = { now: () => now, epochMicros: () => 0 }
  const bucket = new TokenBucket({ maxTokens, tokensPerFill, fillInterval }, clock)
  const take = (n: number) => Array.from({ length: n }, () => bucket.take()).filter(Boolean).length
  return { take, wait: (ms: number) => (now += ms) }
}

test('full at first, then empty', () => {
  const { take } = create(2, 2, 1000)
  expect(take(5)).toBe(2)
})

test('a part of a fill is there after a part of its interval', () => {
  const { take, wait } = create(4, 4, 1000)
  take(4)
  wait(249)
  expect(take(1)).toBe(0)
  wait(1)
  expect(take(2)).toBe(1)
})

test('never more than its brim', () => {
  const { take, wait } = create(2, 10, 100)
  wait(10_000)
  expect(take(5)).toBe(2)
})
