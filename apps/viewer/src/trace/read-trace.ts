import type { Microseconds, Span } from '@hopscope/model'
import {
  type CriticalPath,
  type Deadlines,
  findCriticalPath,
  findDeadlines,
  findShifts,
  foldHops,
  type HopTable,
  type Placement,
  placeSpans,
  type SpanTable,
  type StringTable,
  tableSpans,
} from '@hopscope/model/columns'

/** Everything that is derived of a trace, each by one pass over its columns. */
export interface ReadTrace {
  table: SpanTable
  /** The table's strings, to which views add their own. */
  texts: StringTable
  placement: Placement
  /** What clock correction adds to each start, µs. */
  shifts: Float64Array
  /** Ids of spans that stand where they do by inference. */
  inferred: ReadonlySet<string>
  hops: HopTable
  critical: CriticalPath
  deadlines: Deadlines
  /** µs since the epoch: the earliest start and the latest end, as reported or corrected, so that either view has one axis. */
  start: Microseconds
  end: Microseconds
}

/** `inferred`: ids of spans that stand where they do by inference. */
export function readTrace(reported: readonly Span[], inferred?: ReadonlySet<string>): ReadTrace {
  return readTable(tableSpans(reported), inferred)
}

export function readTable(
  { table, texts }: Pick<ReadTrace, 'table' | 'texts'>,
  inferred: ReadonlySet<string> = new Set(),
): ReadTrace {
  const placement = placeSpans(table)
  const shifts = findShifts(table, placement)
  let start = Number.POSITIVE_INFINITY
  let end = Number.NEGATIVE_INFINITY
  for (let span = 0; span < table.count; span++) {
    const at = table.start[span]!
    if (Number.isNaN(at)) continue
    const shift = shifts[span]!
    const duration = table.duration[span]! || 0
    start = Math.min(start, at, at + shift)
    end = Math.max(end, at + duration, at + shift + duration)
  }
  if (start === Number.POSITIVE_INFINITY) {
    start = 0
    end = 0
  }
  const hops = foldHops(table, placement)
  return withShifts({ table, texts, placement, hops, start, end, inferred }, shifts)
}

/** What depends on when things were, under one reading of the clocks. */
export function withShifts(
  trace: Omit<ReadTrace, 'shifts' | 'critical' | 'deadlines'>,
  shifts: Float64Array,
): ReadTrace {
  const { table, placement } = trace
  return {
    ...trace,
    shifts,
    critical: findCriticalPath(table, placement, shifts),
    deadlines: findDeadlines(table, placement, shifts),
  }
}
