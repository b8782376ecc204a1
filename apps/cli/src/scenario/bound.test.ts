import { expect, test } from 'vitest'
import { holds, isBound } from './bound.ts'

test.each<[bound: number | string, inside: number[], outside: number[]]>([
  [3, [3], [2, 4]],
  ['>= 3', [3, 9], [2]],
  ['<=3', [0, 3], [4]],
  ['3..5', [3, 4, 5], [2, 6]],
])('%s', (bound, inside, outside) => {
  expect(isBound(bound)).toBe(true)
  expect(inside.map(value => holds(bound, value))).not.toContain(false)
  expect(outside.map(value => holds(bound, value))).not.toContain(true)
})

test.each([['> 3'], ['3...5'], ['x'], [-1], [null], ['']])('%s is none', value => {
  expect(isBound(value)).toBe(false)
})
