import { expect, test } from 'vitest'
import { createChangingEdf } from './changing-weights.ts'
import { createLeastOfAll, createLeastOfSome } from './least-request.ts'

const hosts = [
  { name: 'a', active: 2 },
  { name: 'b', active: 1 },
  { name: 'c', active: 1 },
]
const activeOf = (host: { active: number }) => host.active
const drawing =
  (...numbers: number[]) =>
  () =>
    numbers.shift()!

test('of two that are drawn the less busy one; the first among equals', () => {
  expect(createLeastOfSome(hosts, 2, activeOf, drawing(0, 0.4))()?.name).toBe('b')
  expect(createLeastOfSome(hosts, 2, activeOf, drawing(0.99, 0.4))()?.name).toBe('c')
  expect(createLeastOfSome(hosts, 2, activeOf, drawing(0, 0))()?.name).toBe('a')
})

test('of all the least busy one, any of those that are equally so', () => {
  expect(createLeastOfAll(hosts, activeOf, () => 0)()?.name).toBe('c')
  expect(createLeastOfAll(hosts, activeOf, () => 0.9)()?.name).toBe('b')
})

test('no host, no choice', () => {
  expect([createLeastOfSome([], 2, activeOf, () => 0)(), createLeastOfAll([], activeOf, () => 0)()]).toEqual([
    undefined,
    undefined,
  ])
})

test('weights that change: who is given less comes less often from then on', () => {
  const weights: Record<string, number> = { a: 1, b: 1 }
  const pick = createChangingEdf(
    ['a', 'b'],
    name => weights[name]!,
    () => 0,
  )
  const turns = (n: number) => Array.from({ length: n }, () => pick()).join('')
  expect(turns(4)).toBe('abab')
  weights.a = 3
  const later = turns(40)
  expect(later.split('a').length - 1).toBeGreaterThanOrEqual(29)
})
