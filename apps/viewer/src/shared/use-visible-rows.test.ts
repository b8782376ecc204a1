import { expect, it } from 'vitest'
import { visibleRows } from './use-visible-rows.ts'

it.each([
  ['at the top', [0, 400, 10_000, 40], { from: 0, to: 18 }],
  ['in the middle', [4_000, 400, 10_000, 40], { from: 92, to: 118 }],
  ['at the end', [399_600, 400, 10_000, 40], { from: 9_982, to: 10_000 }],
  ['few rows', [0, 400, 3, 40], { from: 0, to: 3 }],
  ['scrolled beyond a list that got shorter', [4_000, 400, 3, 40], { from: 3, to: 3 }],
  ['none', [0, 400, 0, 40], { from: 0, to: 0 }],
] as const)('%s', (_, [top, height, count, row], rows) => expect(visibleRows(top, height, count, row)).toEqual(rows))
