import type { Microseconds, Span } from '@hopscope/model'
import { buildColumns, FLAG, StringTable, type TraceColumns } from './columns.ts'
import { hopRows } from './hop-rows.ts'
import { orderSpans, type PlacedSpan } from './span-order.ts'
import { spanRows } from './span-rows.ts'

/** A span as the side panel shows it. */
export interface SpanDetail {
  span: Span
  /** What clock correction adds to its start, µs. */
  shift: Microseconds
  /** Epoch µs of the trace's (adjusted) start. */
  traceStart: Microseconds
}

/** A trace as the worker keeps it: all spans with all their tags, asked for a few at a time. */
export class LoadedTrace {
  readonly columns: TraceColumns
  readonly reported: readonly Span[]
  readonly #placed: readonly PlacedSpan[]
  #haystacks: string[] | undefined

  constructor(spans: readonly Span[]) {
    this.reported = spans
    this.#placed = orderSpans(spans)
    this.columns = buildTraceColumns(this.#placed, spans)
  }

  detail(index: number): SpanDetail | undefined {
    const placed = this.#placed[index]
    return placed && { span: placed.span, shift: placed.shift, traceStart: this.columns.start }
  }

  /** Spans whose names, tags or annotations have every word of the text, in reading order. */
  find(text: string): number[] {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    if (words.length === 0) return []
    this.#haystacks ??= this.#placed.map(({ span }) => haystack(span))
    const found: number[] = []
    for (let i = 0; i < this.#haystacks.length; i++) {
      const hay = this.#haystacks[i]!
      if (words.every(word => hay.includes(word))) found.push(i)
    }
    return found
  }
}

function haystack(span: Span): string {
  let text = `${span.localEndpoint?.serviceName ?? ''}\n${span.name ?? ''}\n${span.id}\n${span.remoteEndpoint?.serviceName ?? ''}`
  for (const key in span.tags) text += `\n${key}=${span.tags[key]}`
  for (const annotation of span.annotations ?? []) text += `\n${annotation.value}`
  return text.toLowerCase()
}

function buildTraceColumns(placed: readonly PlacedSpan[], reported: readonly Span[]): TraceColumns {
  let start = Infinity
  let end = -Infinity
  for (let i = 0; i < placed.length; i++) {
    const { span, shift } = placed[i]!
    const { timestamp, duration = 0 } = span
    if (timestamp === undefined) continue
    // Reported times too, so that the raw view has the same axis.
    start = Math.min(start, timestamp, timestamp + shift)
    end = Math.max(end, timestamp + duration, timestamp + shift + duration)
  }
  if (start === Infinity) {
    start = 0
    end = 0
  }
  const strings = new StringTable()
  const spanDrafts = spanRows(placed, start)
  const spans = buildColumns(spanDrafts, strings)
  const { rows: hopDrafts, reason } = hopRows(reported, placed, start, spanDrafts)
  const hops = hopDrafts && buildColumns(hopDrafts, strings)

  const services = new Set<number>()
  const missing = new Set<string>()
  let depth = 0
  let errors = 0
  let moved = 0
  let cycles = 0
  for (let i = 0; i < spans.count; i++) {
    services.add(spans.service[i]!)
    depth = Math.max(depth, spans.depth[i]! + 1)
    const flags = spans.flags[i]!
    if (flags & FLAG.error) errors++
    if (flags & FLAG.moved) moved++
    if (flags & FLAG.cycle) cycles++
    if (flags & FLAG.missingParent) missing.add(placed[i]!.span.parentId!)
  }
  let hopCount = 0
  let untraced = 0
  for (let i = 0; hops && i < hops.count; i++) {
    if (hops.flags[i]! & FLAG.hop) hopCount++
    if (hops.flags[i]! & FLAG.untraced) untraced++
  }
  return {
    traceId: placed[0]?.span.traceId ?? '',
    start,
    // A trace of one instant still needs an axis.
    duration: Math.max(1, end - start),
    strings: strings.strings,
    spanIds: placed.map(({ span }) => span.id),
    spans,
    ...(hops ? { hops } : {}),
    ...(reason === undefined ? {} : { noHops: reason }),
    counts: {
      spans: placed.length,
      services: services.size,
      hops: hopCount,
      depth,
      errors,
      missingParents: missing.size,
      cycles,
      moved,
      untraced,
    },
    missingParents: [...missing].slice(0, 10),
  }
}
