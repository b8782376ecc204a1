import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test('finds the name that is few edits away', () => {
  expect(nearest('connect_timeot', ['name', 'connect_timeout', 'type'])).toBe('connect_timeout')
  expect(nearest('tpye', ['name', 'type'])).toBe('type')
  expect(nearest('ROUND_robbin', ['RANDOM', 'ROUND_ROBIN'])).toBe('ROUND_ROBIN')
})

test('says nothing when nothing is near', () => {
  expect(nearest('foo', ['name', 'type'])).toBeUndefined()
  expect(nearest('x', [])).toBeUndefined()
})
