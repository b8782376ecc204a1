import type { RowColumns } from './columns.ts'

export const TABLE_COLUMNS = ['order', 'service', 'name', 'start', 'duration', 'self', 'critical', 'note'] as const
export type TableColumn = (typeof TABLE_COLUMNS)[number]

/**
 * µs of each row in which nothing below it was under way: its own time. Rows below one another are in order of time, so
 * each parent remembers how far it is covered.
 */
export function selfTimes({ count, parent, start, duration }: RowColumns): Float64Array {
  const self = Float64Array.from(duration)
  const covered = Float64Array.from(start)
  for (let row = 0; row < count; row++) {
    const above = parent[row]!
    if (above < 0) continue
    const from = Math.max(start[row]!, covered[above]!)
    const to = Math.min(start[row]! + duration[row]!, start[above]! + duration[above]!)
    if (to <= from) continue
    self[above]! -= to - from
    covered[above] = to
  }
  return self
}

/** µs of each row's own on the critical path. */
export function criticalTimes({ count, criticalAt, criticalFrom, criticalTo }: RowColumns): Float64Array {
  const times = new Float64Array(count)
  for (let row = 0; row < count; row++) {
    for (let i = criticalAt[row]!; i < criticalAt[row + 1]!; i++) times[row]! += criticalTo[i]! - criticalFrom[i]!
  }
  return times
}

/** Row numbers in the order of a column. Equal rows keep the order of the trace. */
export function sortRows(
  columns: RowColumns,
  strings: readonly string[],
  by: TableColumn,
  isDescending: boolean,
  times: { self: Float64Array; critical: Float64Array },
): Int32Array {
  const rows = new Int32Array(columns.count)
  for (let i = 0; i < rows.length; i++) rows[i] = i
  const sign = isDescending ? -1 : 1
  if (by === 'order') return isDescending ? rows.reverse() : rows
  if (by === 'service' || by === 'name' || by === 'note') {
    // Texts are compared once each, not once a pair of rows.
    const numbers = [...strings.keys()].sort((a, b) => (strings[a]! < strings[b]! ? -1 : 1))
    const rank = new Int32Array(strings.length)
    for (const [place, number] of numbers.entries()) rank[number] = place
    const texts = columns[by]
    const rankOf = (row: number) => (texts[row]! < 0 ? strings.length : rank[texts[row]!]!)
    return rows.sort((a, b) => sign * (rankOf(a) - rankOf(b)) || a - b)
  }
  const values = by === 'self' || by === 'critical' ? times[by] : columns[by]
  return rows.sort((a, b) => sign * (values[a]! - values[b]!) || a - b)
}
