import type { RowColumns } from './columns.ts'
import type { Range } from './time-axis.ts'

/** What every view of a trace is told, and what it tells. */
export interface ViewProps {
  columns: RowColumns
  strings: readonly string[]
  /** µs. */
  total: number
  range: Range
  /** -1 for none. */
  selected: number
  /** Rows that were found, one byte a row. */
  matches: Uint8Array | undefined
  /** Other rows are left out. */
  isFiltered: boolean
  isCriticalShown: boolean
  onSelect: (row: number) => void
  onRange: (range: Range) => void
  /** A key that means the same in every view, or means nothing: whether it was one of them. */
  takeKey: (key: string) => boolean
}
