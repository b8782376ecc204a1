import { traceFromText } from '@hopscope/model'
import { expect, it } from 'vitest'
import { type KeyedGrid, takeGridKey } from './grid-keys.ts'
import { LoadedTrace } from './loaded-trace.ts'
import { visibleRows } from './rows.ts'

const TRACE = `
  a  a  0..100
    b  b  10..50  client  error=500
      c  c  15..30
    d  d  40..90  client
`

/** A grid that does what it is told, with `selected` and `range` after the keys. */
function press(keys: readonly string[], selected = 0, matches?: Uint8Array) {
  const { spans: columns } = new LoadedTrace(traceFromText(TRACE)).columns
  const collapsed = new Set<number>()
  const grid: KeyedGrid = {
    columns,
    total: 100_000,
    visible: visibleRows(columns, collapsed, undefined),
    collapsed,
    matches,
    selected,
    range: { from: 0, to: 100_000 },
    pageRows: 2,
    choose(row) {
      if (row >= 0) grid.selected = row
    },
    toggle(row) {
      if (!collapsed.delete(row)) collapsed.add(row)
      grid.visible = visibleRows(columns, collapsed, undefined)
    },
    rezoom(range) {
      grid.range = range
    },
    setAllCollapsed() {},
  }
  const taken = keys.map(key => takeGridKey(key, grid))
  return { selected: grid.selected, range: grid.range, shown: [...grid.visible], taken }
}

it('walks rows, and stays within them', () => {
  expect(press(['ArrowDown', 'j']).selected).toBe(2)
  expect(press(['k']).selected).toBe(0)
  expect(press(['End', 'ArrowDown']).selected).toBe(3)
  expect(press(['PageDown']).selected).toBe(2)
  expect(press(['Enter'], -1)).toMatchObject({ selected: 0, taken: [false] })
})

it('closes and opens a row before it goes up or down', () => {
  expect(press(['ArrowLeft'], 1)).toMatchObject({ selected: 1, shown: [0, 1, 3] })
  expect(press(['ArrowLeft', 'ArrowLeft'], 1)).toMatchObject({ selected: 0 })
  expect(press(['ArrowLeft', 'ArrowRight', 'ArrowRight'], 1)).toMatchObject({ selected: 2, shown: [0, 1, 2, 3] })
  expect(press([' '], 2).shown).toEqual([0, 1, 2, 3])
})

it('goes to calls and to what was found', () => {
  expect(press(['h', 'h']).selected).toBe(3)
  expect(press(['n', 'n'], 0, Uint8Array.of(0, 1, 1, 0)).selected).toBe(2)
  expect(press(['n', 'n', 'n'], 0, Uint8Array.of(0, 1, 1, 0)).selected).toBe(1)
  expect(press(['N'], 1, Uint8Array.of(0, 1, 1, 0)).selected).toBe(2)
})

it('zooms on the selected row', () => {
  expect(press(['z'], 1).range).toEqual({ from: 10_000, to: 50_000 })
  expect(press(['+'], 1).range).toEqual({ from: 15_000, to: 65_000 })
  expect(press(['z', '0'], 1).range).toEqual({ from: 0, to: 100_000 })
})

it('leaves other keys alone, whatever they are called', () => {
  expect(press(['x', 'constructor', '/']).taken).toEqual([false, false, false])
})
