import { expect, it } from 'vitest'
import { PairTable } from './pair-table.ts'

it('finds the number of each of many pairs, and of no other', () => {
  const table = new PairTable()
  for (let first = 0; first < 60; first++) {
    for (let second = 0; second < 60; second++) {
      expect(table.get(first, second * 0x10000)).toBe(-1)
      table.set(first, second * 0x10000, first * 60 + second)
    }
  }
  for (let first = 0; first < 60; first++) {
    for (let second = 0; second < 60; second++) expect(table.get(first, second * 0x10000)).toBe(first * 60 + second)
  }
  expect(table.get(1, 1)).toBe(-1)
  table.clear()
  expect(table.get(1, 0x10000)).toBe(-1)
})
