import type { Microseconds, Span } from '@hopscope/model'
import { type DecodedColumns, isOrphan, tableSpans } from '@hopscope/model/columns'
import { FLAG, type RowColumns, type TraceColumns } from './columns.ts'
import { anatomyOf, type HopAnatomy } from './hop-anatomy.ts'
import { hopRows } from './hop-rows.ts'
import { packIds } from './packed-ids.ts'
import { type ReadTrace, readTable, withShifts } from './read-trace.ts'
import { spanRows } from './span-rows.ts'
import { findReasons } from './why-slow.ts'

/** A span as the side panel shows it. */
export interface SpanDetail {
  span: Span
  /** What clock correction adds to its start, µs. */
  shift: Microseconds
  /** Epoch µs of the trace's (adjusted) start. */
  traceStart: Microseconds
}

/** What else is known of a trace than its spans. */
export interface TraceOrigin {
  /** Entries of the list that were no spans. */
  unreadable: number
  /** Traces of the same file. */
  otherTraces: number
  /** Ids of spans that were put where they are by inference. */
  inferred: ReadonlySet<string>
  /** The spans without those of traces that were joined to them. */
  own: readonly Span[]
}

/** A trace as the worker keeps it: its columns, and all spans with all their tags, which may come later. */
export class LoadedTrace {
  readonly columns: TraceColumns
  readonly read: ReadTrace
  readonly traceId: string
  /** Without what was joined to it, as it was reported; undefined while only the columns are here. */
  own: readonly Span[] | undefined
  readonly #reportedCount: number
  readonly #missingParents: readonly string[]
  /** Behind the table's rows; of merged spans the merged copy. */
  #spans: readonly Span[] | undefined
  #haystacks: (string | undefined)[]

  constructor(given: readonly Span[] | DecodedColumns, origin: Partial<TraceOrigin> = {}) {
    let tabled: Pick<ReadTrace, 'table' | 'texts'>
    if ('table' in given) {
      tabled = given
      this.traceId = given.traceId
      this.#reportedCount = given.reported
    } else {
      const { table, texts, spans } = tableSpans(given)
      tabled = { table, texts }
      this.traceId = (origin.own ?? given)[0]?.traceId ?? ''
      this.own = origin.own ?? given
      this.#reportedCount = given.length
      this.#spans = spans
    }
    this.read = readTable(tabled, origin.inferred)
    const { table, placement } = this.read
    const missing = new Set<string>()
    for (const span of placement.order) {
      if (!isOrphan(table, span)) continue
      missing.add('table' in given ? given.missingParents.get(span)! : this.#spans![span]!.parentId!)
    }
    this.#missingParents = [...missing]
    this.#haystacks = new Array(table.count)
    this.columns = this.#columnsOf(this.read, origin)
  }

  /** The spans with their tags, after the columns. False when they are not those of the columns: the trace has grown meanwhile. */
  give(reported: readonly Span[]): boolean {
    const { table, spans } = tableSpans(reported)
    if (table.count !== this.read.table.count) return false
    this.own = reported
    this.#spans = spans
    return true
  }

  get hasTags(): boolean {
    return this.#spans !== undefined
  }

  /** The same with times as they were reported; what was moved stays marked. */
  rawColumns(): TraceColumns {
    const raw = withShifts(this.read, new Float64Array(this.read.table.count))
    const columns = this.#columnsOf(raw, {})
    for (const rows of [columns.spans, columns.hops]) if (rows) markMoved(rows, this.read.shifts)
    return { ...columns, counts: this.columns.counts }
  }

  detail(index: number): SpanDetail | undefined {
    const span = this.#spans?.[index]
    return span && this.detailOf(index, span)
  }

  /** The same of a span that was fetched by itself. */
  detailOf(index: number, span: Span): SpanDetail {
    return { span, shift: this.read.shifts[index]!, traceStart: this.read.start }
  }

  /** The parts of the call that a span belongs to. */
  anatomy(index: number): HopAnatomy | undefined {
    const hop = this.read.hops.hopOf[index] ?? -1
    return hop < 0 ? undefined : anatomyOf(this.read, hop)
  }

  /** Spans whose names, tags or annotations have every word of the text. */
  find(text: string): number[] {
    return [...this.findFrom(text, 0, this.read.table.count)]
  }

  /** The same among some of the spans, so that first hits can be told before all are looked at. */
  *findFrom(text: string, from: number, to: number): Generator<number> {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    const spans = this.#spans
    if (words.length === 0 || !spans) return
    for (let i = from; i < to; i++) {
      this.#haystacks[i] ??= haystack(spans[i]!)
      if (words.every(word => this.#haystacks[i]!.includes(word))) yield i
    }
  }

  #columnsOf(trace: ReadTrace, origin: Partial<TraceOrigin>): TraceColumns {
    const { table } = trace
    const spans = spanRows(trace)
    const { rows: hops, reason } = hopRows(trace)
    const missing = this.#missingParents
    return {
      traceId: this.traceId,
      start: trace.start,
      // A trace of one instant still needs an axis.
      duration: Math.max(1, trace.end - trace.start),
      strings: trace.texts.strings,
      spanIds: packIds(table.count, index => table.ids[table.id[index]!]!),
      spans,
      ...(hops ? { hops } : {}),
      ...(reason === undefined ? {} : { noHops: reason }),
      counts: {
        spans: table.count,
        services: new Set(spans.service).size,
        hops: hops ? countFlag(hops, FLAG.hop) : 0,
        depth: spans.depth.reduce((deepest, depth) => Math.max(deepest, depth + 1), 0),
        errors: countFlag(spans, FLAG.error),
        missingParents: missing.length,
        cycles: countFlag(spans, FLAG.cycle),
        moved: countFlag(spans, FLAG.moved),
        untraced: hops ? countFlag(hops, FLAG.untraced) : 0,
        retried: hops ? countFlag(hops, FLAG.retried) : 0,
        late: countFlag(spans, FLAG.late),
        merged: this.#reportedCount - table.count,
        unreadable: origin.unreadable ?? 0,
        otherTraces: origin.otherTraces ?? 0,
      },
      missingParents: missing.slice(0, 10),
      reasons: findReasons(trace),
    }
  }
}

function markMoved(rows: RowColumns, shifts: Float64Array): void {
  for (let row = 0; row < rows.count; row++) {
    for (let i = rows.spanAt[row]!; i < rows.spanAt[row + 1]!; i++) {
      const shift = shifts[rows.spanIndex[i]!]!
      if (shift === 0) continue
      rows.flags[row]! |= FLAG.moved
      rows.shift[row] = shift
    }
  }
}

function haystack(span: Span): string {
  let text = `${span.localEndpoint?.serviceName ?? ''}\n${span.name ?? ''}\n${span.id}\n${span.remoteEndpoint?.serviceName ?? ''}`
  for (const key in span.tags) text += `\n${key}=${span.tags[key]}`
  for (const annotation of span.annotations ?? []) text += `\n${annotation.value}`
  return text.toLowerCase()
}

function countFlag({ flags }: RowColumns, flag: number): number {
  let count = 0
  for (const each of flags) if (each & flag) count++
  return count
}
