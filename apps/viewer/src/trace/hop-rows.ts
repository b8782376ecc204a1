import { FORM, groupByParent, TRAIT } from '@hopscope/model/columns'
import { formatDuration } from '../shared/duration.ts'
import { calledName } from './called-name.ts'
import { emptyColumns, FLAG, finishTree, type RowColumns } from './columns.ts'
import { putCriticalPath } from './critical-rows.ts'
import { putHopSegments, SegmentList } from './hop-segments.ts'
import type { ReadTrace } from './read-trace.ts'
import { flagsOfSpan, Notes, putTimes } from './span-rows.ts'

/**
 * One row a call between services; spans that are part of no call, or that fit two readings, stay rows of their own
 * between them. `reason` says in words why spans were not folded; without `rows` there is no call at all.
 */
export function hopRows(trace: ReadTrace): { rows?: RowColumns; reason?: string } {
  const { hops } = trace
  const doubtful = hops.form.reduce((sum, form) => sum + (form === FORM.ambiguous ? 1 : 0), 0)
  const why = hops.why.values().next().value
  const reason =
    doubtful === 0
      ? undefined
      : `${doubtful} ${doubtful === 1 ? 'call fits' : 'calls fit'} two readings: ${why ?? 'their direction is unknown'}.`
  if (hops.count === doubtful) return { reason: reason ?? 'No span of this trace is one side of a call.' }

  const { itemOf, hopOfItem, spanOfItem, parent } = makeItems(trace)
  const order = readingOrder(trace, parent, hopOfItem, spanOfItem)
  const rowOfItem = new Int32Array(order.length)
  for (let row = 0; row < order.length; row++) rowOfItem[order[row]!] = row
  const rows = emptyColumns(order.length, trace.table.count, 0)
  const segments = new SegmentList()
  const put = new RowWriter(trace, rows, segments)
  for (let row = 0; row < order.length; row++) {
    const item = order[row]!
    rows.parent[row] = parent[item]! < 0 ? -1 : rowOfItem[parent[item]!]!
    if (hopOfItem[item]! >= 0) put.hop(row, hopOfItem[item]!)
    else put.span(row, spanOfItem[item]!)
    rows.segmentAt[row + 1] = segments.kind.length
  }
  rows.segmentFrom = Float64Array.from(segments.from)
  rows.segmentTo = Float64Array.from(segments.to)
  rows.segmentKind = Uint8Array.from(segments.kind)
  const rowOf = itemOf.map(item => rowOfItem[item]!)
  putSpans(trace, rows, rowOf)
  finishTree(rows)
  putCriticalPath(trace, rows, rowOf)
  return { rows, ...(reason === undefined ? {} : { reason }) }
}

/** Rows to be, in no order: calls, and spans of no call. */
function makeItems({ table, placement, hops }: ReadTrace) {
  const itemOfHop = new Int32Array(hops.count).fill(-1)
  const itemOf = new Int32Array(table.count)
  const hopOfItem: number[] = []
  const spanOfItem: number[] = []
  const parent: number[] = []
  for (const span of placement.order) {
    const hop = hops.hopOf[span]!
    const isFolded = hop >= 0 && hops.form[hop] !== FORM.ambiguous
    if (isFolded && itemOfHop[hop]! >= 0) {
      itemOf[span] = itemOfHop[hop]!
      continue
    }
    const item = hopOfItem.length
    itemOf[span] = item
    hopOfItem.push(isFolded ? hop : -1)
    spanOfItem.push(span)
    // The span above came first. A hop is below the hop that brought it there, even where their spans are not.
    const above = placement.parent[span]!
    const hopAbove = isFolded ? hops.parent[hop]! : -1
    parent.push(hopAbove >= 0 && itemOfHop[hopAbove]! >= 0 ? itemOfHop[hopAbove]! : above < 0 ? -1 : itemOf[above]!)
    if (isFolded) itemOfHop[hop] = item
  }
  return { itemOf, hopOfItem, spanOfItem, parent: Int32Array.from(parent) }
}

/** Parents before children, siblings by time; a stack instead of recursion. */
function readingOrder(
  { table, hops, shifts }: ReadTrace,
  parent: Int32Array,
  hopOfItem: readonly number[],
  spanOfItem: readonly number[],
): Int32Array {
  const count = parent.length
  const start = new Float64Array(count)
  for (let item = 0; item < count; item++) {
    const hop = hopOfItem[item]!
    const span = hop >= 0 ? mainSpan(hops.call[hop]!, hops.server[hop]!, spanOfItem[item]!) : spanOfItem[item]!
    start[item] = (table.start[span]! || 0) + shifts[span]!
  }
  const { childAt, children } = groupByParent(parent)
  const byStart = (a: number, b: number) => start[a]! - start[b]! || a - b
  const tops: number[] = []
  for (let item = 0; item < count; item++) {
    if (parent[item]! < 0) tops.push(item)
    if (childAt[item + 1]! - childAt[item]! > 1) children.subarray(childAt[item]!, childAt[item + 1]!).sort(byStart)
  }
  const stack = tops.sort((a, b) => byStart(b, a))
  const order = new Int32Array(count)
  for (let length = 0; stack.length > 0; length++) {
    const item = stack.pop()!
    order[length] = item
    for (let i = childAt[item + 1]! - 1; i >= childAt[item]!; i--) stack.push(children[i]!)
  }
  return order
}

function mainSpan(call: number, server: number, other: number): number {
  return call >= 0 ? call : server >= 0 ? server : other
}

function putSpans({ table, placement }: ReadTrace, rows: RowColumns, rowOf: Int32Array): void {
  for (let span = 0; span < table.count; span++) rows.spanAt[rowOf[span]! + 1]!++
  for (let row = 0; row < rows.count; row++) rows.spanAt[row + 1]! += rows.spanAt[row]!
  const next = rows.spanAt.slice()
  for (const span of placement.order) rows.spanIndex[next[rowOf[span]!]!++] = span
}

class RowWriter {
  readonly #trace: ReadTrace
  readonly #rows: RowColumns
  readonly #segments: SegmentList
  readonly #notes: Notes
  readonly #unknown: number
  /** By hop: flags of all its spans. */
  readonly #shared: Uint32Array

  constructor(trace: ReadTrace, rows: RowColumns, segments: SegmentList) {
    this.#trace = trace
    this.#rows = rows
    this.#segments = segments
    this.#notes = new Notes(trace)
    this.#unknown = trace.texts.add('unknown')
    this.#shared = new Uint32Array(trace.hops.count)
    const kept = FLAG.moved | FLAG.missingParent | FLAG.cycle | FLAG.retried | FLAG.inferred
    for (const span of trace.placement.order) {
      const hop = trace.hops.hopOf[span]!
      if (hop >= 0) this.#shared[hop]! |= flagsOfSpan(trace, span) & kept
    }
  }

  /** A span of no call. */
  span(row: number, span: number): void {
    const { table } = this.#trace
    const rows = this.#rows
    rows.service[row] = this.#orUnknown(table.service[span]!)
    rows.name[row] = this.#orUnknown(table.name[span]!)
    rows.note[row] = this.#notes.of(span)
    rows.flags[row] = flagsOfSpan(this.#trace, span)
    putTimes(this.#trace, rows, row, span)
    this.#segments.put(rows.start[row]!, rows.start[row]! + rows.duration[row]!, 0)
  }

  hop(row: number, hop: number): void {
    const { table, hops } = this.#trace
    const { attempts } = hops
    const rows = this.#rows
    const call = hops.call[hop]!
    const server = hops.server[hop]!
    const main = call >= 0 ? call : server
    const last = hops.attemptAt[hop + 1]! - 1
    const tries = last + 1 - hops.attemptAt[hop]!
    const isFailed = (span: number) => span >= 0 && (table.traits[span]! & TRAIT.error) !== 0
    let flags = FLAG.hop | this.#shared[hop]!
    if (isFailed(call) || isFailed(attempts.client[last]!) || isFailed(attempts.server[last]!)) flags |= FLAG.error
    if (hops.form[hop] === FORM.phantom) flags |= FLAG.untraced
    if (tries > 1) flags |= FLAG.retried
    flags |= flagsOfSpan(this.#trace, main) & (FLAG.noDuration | FLAG.noTime)
    const isInexact =
      hops.egressProxy[hop]! < 0 ||
      attempts.wire[last]! < 0 ||
      attempts.ingressProxy[last]! < 0 ||
      attempts.app[last]! < 0
    if (isInexact) flags |= FLAG.inexact
    rows.flags[row] = flags

    const callee = this.#orUnknown(hops.callee[hop]!)
    rows.service[row] = hops.caller[hop]! >= 0 ? hops.caller[hop]! : callee
    if (hops.caller[hop]! >= 0) rows.peer[row] = callee
    const request = table.request[main]!
    rows.name[row] =
      request >= 0 ? request : this.#orUnknown(table.name[main]! >= 0 ? table.name[main]! : nameOf(server))
    const status = this.#notes.of(main) >= 0 || server < 0 ? this.#notes.of(main) : this.#notes.of(server)
    const named = calledName(table, hops, hop)
    if (tries > 1 || status >= 0 || named >= 0) {
      const text = status < 0 ? undefined : this.#trace.texts.strings[status]
      const called = named < 0 ? undefined : `called ${table.strings[named]!}`
      const lost = tries > 1 ? this.#startOfAttempt(last) - this.#startOfAttempt(last - tries + 1) : 0
      const count = tries > 1 ? `${tries} attempts${lost > 0 ? `, ${formatDuration(lost)} lost` : ''}` : undefined
      rows.note[row] = this.#trace.texts.add([text, called, count].filter(Boolean).join(' · '))
    }
    putTimes(this.#trace, rows, row, main)
    putHopSegments(this.#trace, hop, this.#segments)

    function nameOf(span: number): number {
      return span < 0 ? -1 : table.name[span]!
    }
  }

  #startOfAttempt(attempt: number): number {
    const { table, hops, shifts } = this.#trace
    const client = hops.attempts.client[attempt]!
    const span = client >= 0 ? client : hops.attempts.server[attempt]!
    return table.start[span]! + shifts[span]!
  }

  #orUnknown(text: number): number {
    return text < 0 ? this.#unknown : text
  }
}
