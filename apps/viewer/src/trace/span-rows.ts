import { isOrphan, TRAIT } from '@hopscope/model/columns'
import { emptyColumns, FLAG, finishTree, type RowColumns, SEGMENT } from './columns.ts'
import { putCriticalPath } from './critical-rows.ts'
import type { ReadTrace } from './read-trace.ts'

/** By kind, as the span table numbers it. */
const KIND_FLAGS = [0, FLAG.client, FLAG.server, FLAG.producer, FLAG.consumer]

/** One row a span, in reading order. */
export function spanRows(trace: ReadTrace): RowColumns {
  const { table, placement, texts } = trace
  const { order } = placement
  const rows = emptyColumns(table.count, table.count, table.count)
  const rowOf = new Int32Array(table.count)
  const unknown = texts.add('unknown')
  const notes = new Notes(trace)
  for (let row = 0; row < order.length; row++) {
    const span = order[row]!
    rowOf[span] = row
    const above = placement.parent[span]!
    rows.parent[row] = above < 0 ? -1 : rowOf[above]!
    rows.service[row] = table.service[span]! < 0 ? unknown : table.service[span]!
    rows.name[row] = table.name[span]! < 0 ? unknown : table.name[span]!
    if (KIND_FLAGS[table.kind[span]!] === FLAG.client) rows.peer[row] = table.peer[span]!
    rows.note[row] = notes.of(span)
    rows.flags[row] = flagsOfSpan(trace, span)
    putTimes(trace, rows, row, span)
    rows.segmentFrom[row] = rows.start[row]!
    rows.segmentTo[row] = rows.start[row]! + rows.duration[row]!
    rows.segmentKind[row] = SEGMENT.span
    rows.segmentAt[row + 1] = row + 1
    rows.spanIndex[row] = span
    rows.spanAt[row + 1] = row + 1
  }
  finishTree(rows)
  putCriticalPath(trace, rows, rowOf)
  return rows
}

/** Start, duration, shift and deadline of a row from the span that stands for it. */
export function putTimes(trace: ReadTrace, rows: RowColumns, row: number, span: number): void {
  const { table, shifts, start } = trace
  const at = table.start[span]!
  const shift = shifts[span]!
  // No time of its own: drawn where its parent begins.
  rows.start[row] = Number.isNaN(at) ? (rows.start[rows.parent[row]!] ?? 0) : at + shift - start
  rows.duration[row] = table.duration[span]! || 0
  rows.shift[row] = shift
  const until = trace.deadlines.until[span]! - start
  rows.deadline[row] = until
  if (rows.start[row]! + rows.duration[row]! > until + LATE) rows.flags[row]! |= FLAG.late
  if (trace.deadlines.isOverBudget[span]) rows.flags[row]! |= FLAG.overBudget
}

/** µs: what ends so little after its deadline was cut off by it. */
const LATE = 1_000

export function flagsOfSpan({ table, placement, shifts, inferred }: ReadTrace, span: number): number {
  let flags: number = KIND_FLAGS[table.kind[span]!]!
  if (table.traits[span]! & TRAIT.error) flags |= FLAG.error
  if (shifts[span] !== 0) flags |= FLAG.moved
  if (isOrphan(table, span)) flags |= FLAG.missingParent
  if (placement.isCut[span]) flags |= FLAG.cycle
  if (Number.isNaN(table.duration[span])) flags |= FLAG.noDuration
  if (Number.isNaN(table.start[span])) flags |= FLAG.noTime
  if (table.retries[span]! > 0) flags |= FLAG.retried
  if (inferred.size > 0 && inferred.has(table.ids[table.id[span]!]!)) flags |= FLAG.inferred
  return flags
}

/** The status where it tells something: all but a plain 2xx. Each pair of status and flags is written once. */
export class Notes {
  readonly #trace: ReadTrace
  readonly #known = new Map<number, number>()

  constructor(trace: ReadTrace) {
    this.#trace = trace
  }

  /** Into the strings; -1 for none. */
  of(span: number): number {
    const { status, responseFlags, strings } = this.#trace.table
    if (status[span]! < 0) return -1
    const key = status[span]! * 2 ** 21 + responseFlags[span]! + 1
    let note = this.#known.get(key)
    if (note === undefined) {
      const text = strings[status[span]!]!
      const flags = strings[responseFlags[span]!]
      // Envoy's 0: no answer was given, and its flags say why.
      const parts = [text === '0' && flags !== undefined ? undefined : text, flags].filter(Boolean)
      note = /^2\d\d$/.test(text) ? -1 : this.#trace.texts.add(parts.join(' '))
      this.#known.set(key, note)
    }
    return note
  }
}
