import type { Milliseconds, Span } from '@hopscope/model'

/** Whole ms of a span's start; undefined when it has none. */
export function startMs(span: Span): Milliseconds | undefined {
  return span.timestamp === undefined ? undefined : Math.floor(span.timestamp / 1000)
}

/** Splits spans that share a low id into one list an id, in order of appearance. */
export function splitByTraceId(spans: readonly Span[]): Span[][] {
  const byId = new Map<string, Span[]>()
  for (const span of spans) {
    const list = byId.get(span.traceId)
    if (list === undefined) byId.set(span.traceId, [span])
    else list.push(span)
  }
  return [...byId.values()]
}

/** Spans that are equal in every field, as reporters resend them, become one; the first stays. */
export function collapseEqual(spans: readonly Span[]): Span[] {
  const byId = new Map<string, Span[]>()
  const kept: Span[] = []
  for (const span of spans) {
    const same = byId.get(span.id)
    if (same === undefined) byId.set(span.id, [span])
    else if (same.some(other => equalSpans(other, span))) continue
    else same.push(span)
    kept.push(span)
  }
  return kept
}

export function equalSpans(a: Span, b: Span): boolean {
  return a.timestamp === b.timestamp && a.duration === b.duration && a.kind === b.kind && equalValues(a, b)
}

/** Deep equality of JSON-like values; the order of keys does not count. */
function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const left = a as Record<string, unknown>
  const right = b as Record<string, unknown>
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every(key => Object.hasOwn(right, key) && equalValues(left[key], right[key]))
  )
}
