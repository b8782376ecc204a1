import { expect, test } from 'vitest'
import { partialMismatch } from './partial-match.ts'

test.each([
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: { b: 'x' } }, { a: { b: 'x', c: [] } }],
  [{ a: '/^x+$/' }, { a: 'xxx' }],
  [{ a: '200' }, { a: 200 }],
  [
    ['x', { y: 1 }],
    ['x', { y: 1, z: 2 }],
  ],
  [{ a: true }, { a: true }],
])('%j is a part of %j', (expected, actual) => {
  expect(partialMismatch(expected, actual)).toBeUndefined()
})

test.each([
  [{ a: 1 }, { a: 2 }, 'a: expected 1, got 2'],
  [{ a: { b: 'x' } }, { a: {} }, 'a.b: expected x, got nothing'],
  [{ a: '/^x+$/' }, { a: 'y' }, 'a: expected /^x+$/, got "y"'],
  [{ a: [1] }, { a: [1, 2] }, 'a: expected 1 items, got 2'],
  [{ a: {} }, { a: null }, 'a: expected a map, got null'],
  ['x', 'y', 'it: expected x, got "y"'],
])('%j is no part of %j', (expected, actual, message) => {
  expect(partialMismatch(expected, actual)).toBe(message)
})
