import { FLAG, type RowColumns } from './columns.ts'
import type { ReadTrace } from './read-trace.ts'

/** The trace's critical path, segment by segment, into the rows that show its spans. */
export function putCriticalPath({ critical, start }: ReadTrace, rows: RowColumns, rowOf: Int32Array): void {
  const counts = new Int32Array(rows.count + 1)
  for (const span of critical.span) if (rowOf[span]! >= 0) counts[rowOf[span]!]!++
  let sum = 0
  for (let row = 0; row < rows.count; row++) {
    rows.criticalAt[row] = sum
    if (counts[row]! > 0) rows.flags[row]! |= FLAG.critical
    sum += counts[row]!
    counts[row] = rows.criticalAt[row]!
  }
  rows.criticalAt[rows.count] = sum
  rows.criticalFrom = new Float64Array(sum)
  rows.criticalTo = new Float64Array(sum)
  for (let i = 0; i < critical.count; i++) {
    const row = rowOf[critical.span[i]!]!
    if (row < 0) continue
    const at = counts[row]!++
    rows.criticalFrom[at] = critical.from[i]! - start
    rows.criticalTo[at] = critical.to[i]! - start
  }
}
