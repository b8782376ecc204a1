import { FLAG, type RowColumns } from './columns.ts'
import { hasChildren, nextFlagged, positionOf } from './rows.ts'
import { between, pan, type Range, zoomAt } from './time-axis.ts'

/** What keys look at in a grid, and do to it. */
export interface KeyedGrid {
  columns: RowColumns
  /** µs. */
  total: number
  /** Rows from top to bottom. */
  visible: Int32Array
  collapsed: ReadonlySet<number>
  /** Rows that were found, one byte a row. */
  matches: Uint8Array | undefined
  /** -1 for none. */
  selected: number
  range: Range
  pageRows: number
  /** Nothing for -1. */
  choose(row: number): void
  toggle(row: number): void
  rezoom(range: Range): void
  setAllCollapsed(isCollapsed: boolean): void
}

const CALL = FLAG.hop | FLAG.client | FLAG.server

/** The keys of the rows and of the time axis. Whether it was one of them. */
export function takeGridKey(key: string, grid: KeyedGrid): boolean {
  const { columns, total, visible, collapsed, selected, range, pageRows, choose, toggle, rezoom } = grid
  const position = positionOf(visible, selected)
  const at = (index: number) => visible[Math.max(0, Math.min(visible.length - 1, index))] ?? -1
  const isOpen = position >= 0 && hasChildren(columns, selected) && !collapsed.has(selected)
  const isClosed = position >= 0 && hasChildren(columns, selected) && collapsed.has(selected)
  const flagged = (flags: number, step: 1 | -1) => choose(nextFlagged(columns, selected, flags, step))
  const span = range.to - range.from
  const keys: Record<string, () => void> = {
    ArrowDown: () => choose(at(position + 1)),
    j: () => choose(at(position + 1)),
    ArrowUp: () => choose(at(position - 1)),
    k: () => choose(at(position - 1)),
    PageDown: () => choose(at(position + pageRows)),
    PageUp: () => choose(at(position - pageRows)),
    Home: () => choose(at(0)),
    End: () => choose(at(visible.length - 1)),
    ArrowRight() {
      if (isClosed) toggle(selected)
      else if (isOpen) choose(at(position + 1))
    },
    ArrowLeft() {
      if (isOpen) toggle(selected)
      else if (position >= 0) choose(columns.parent[selected]!)
    },
    ' '() {
      if (isOpen || isClosed) toggle(selected)
    },
    '[': () => grid.setAllCollapsed(true),
    ']': () => grid.setAllCollapsed(false),
    e: () => flagged(FLAG.error, 1),
    E: () => flagged(FLAG.error, -1),
    h: () => flagged(CALL, 1),
    H: () => flagged(CALL, -1),
    c: () => flagged(FLAG.critical, 1),
    C: () => flagged(FLAG.critical, -1),
    r: () => flagged(FLAG.retried, 1),
    R: () => flagged(FLAG.retried, -1),
    n: () => choose(nextMatch(grid, 1)),
    N: () => choose(nextMatch(grid, -1)),
    '+': () => rezoom(zoomAt(range, focusTime(grid), 0.5, total)),
    '=': () => rezoom(zoomAt(range, focusTime(grid), 0.5, total)),
    '-': () => rezoom(zoomAt(range, focusTime(grid), 2, total)),
    '0': () => rezoom({ from: 0, to: total }),
    '<': () => rezoom(pan(range, -span / 4, total)),
    ',': () => rezoom(pan(range, -span / 4, total)),
    '>': () => rezoom(pan(range, span / 4, total)),
    '.': () => rezoom(pan(range, span / 4, total)),
    z() {
      const start = columns.start[selected]!
      const duration = columns.duration[selected]!
      if (position >= 0 && duration > 0) rezoom(between(start, start + duration, total))
    },
  }
  // The panel that Enter goes to is that of a selected row.
  if (key === 'Enter' && position < 0) choose(at(0))
  if (!Object.hasOwn(keys, key)) return false
  keys[key]!()
  return true
}

/** Middle of the selected bar, else of what is on screen. */
function focusTime({ columns, range, selected }: KeyedGrid): number {
  const middle = (range.from + range.to) / 2
  if (selected < 0) return middle
  const time = columns.start[selected]! + columns.duration[selected]! / 2
  return time < range.from || time > range.to ? middle : time
}

function nextMatch({ matches, selected }: KeyedGrid, step: 1 | -1): number {
  if (!matches) return -1
  for (let n = 1, i = selected; n <= matches.length; n++) {
    i = (i + step + matches.length) % matches.length
    if (matches[i] === 1) return i
  }
  return -1
}
