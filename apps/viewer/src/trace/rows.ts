import { FLAG, type RowColumns } from './columns.ts'

/**
 * Rows on screen, in order: all but those below a collapsed one, and those that are not `kept`. What is left out costs one
 * jump, not a walk.
 */
export function visibleRows(columns: RowColumns, collapsed: ReadonlySet<number>, kept?: Uint8Array): Int32Array {
  const rows = new Int32Array(columns.count)
  let length = 0
  for (let i = 0; i < columns.count; ) {
    if (kept && kept[i] === 0) {
      i = columns.subtreeEnd[i]!
      continue
    }
    rows[length++] = i
    i = collapsed.has(i) ? columns.subtreeEnd[i]! : i + 1
  }
  return rows.subarray(0, length)
}

/** What a filter leaves: the marked rows, one byte a row, and those above them, so that each stands where it belongs. */
export function withAncestors(columns: RowColumns, marked: Uint8Array): Uint8Array {
  const kept = marked.slice()
  for (let i = columns.count - 1; i >= 0; i--)
    if (kept[i] === 1 && columns.parent[i]! >= 0) kept[columns.parent[i]!] = 1
  return kept
}

/** Where a row stands among the visible ones, which are in ascending order; -1 when it is hidden. */
export function positionOf(visible: Int32Array, row: number): number {
  let low = 0
  let high = visible.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = visible[middle]!
    if (at === row) return middle
    if (at < row) low = middle + 1
    else high = middle - 1
  }
  return -1
}

export function hasChildren(columns: RowColumns, row: number): boolean {
  return columns.subtreeEnd[row]! > row + 1
}

/** Takes every row above `row` out of `collapsed`, so that it shows. True when something changed. */
export function reveal(columns: RowColumns, collapsed: Set<number>, row: number): boolean {
  let changed = false
  for (let above = columns.parent[row]!; above >= 0; above = columns.parent[above]!) {
    if (collapsed.delete(above)) changed = true
  }
  return changed
}

/** The next row after (or before) `row` with any of `flags`, around the end. -1 when none has. */
export function nextFlagged(columns: RowColumns, row: number, flags: number, step: 1 | -1): number {
  const { count } = columns
  for (let n = 1, i = row; n <= count; n++) {
    i = (i + step + count) % count
    if (columns.flags[i]! & flags) return i
  }
  return -1
}

/** The row that shows a span, -1 when none does. */
export function rowOfSpan(columns: RowColumns, span: number): number {
  for (let row = 0; row < columns.count; row++) {
    for (let i = columns.spanAt[row]!; i < columns.spanAt[row + 1]!; i++) if (columns.spanIndex[i] === span) return row
  }
  return -1
}

export function spansOf(columns: RowColumns, row: number): number[] {
  return Array.from(columns.spanIndex.subarray(columns.spanAt[row]!, columns.spanAt[row + 1]!))
}

/** Rows that fail by themselves or have a failing row below, so that a collapsed row can say so. */
export function errorsBelow(columns: RowColumns): Uint8Array {
  const below = new Uint8Array(columns.count)
  for (let i = columns.count - 1; i >= 0; i--) {
    const parent = columns.parent[i]!
    if (parent >= 0 && (below[i] || columns.flags[i]! & FLAG.error)) below[parent] = 1
  }
  return below
}
