import { buildTree, type Span } from '@hopscope/model'
import { findCriticalPath, findShifts, placeSpans, tableSpans } from '@hopscope/model/columns'

/**
 * A span may end this long after its parent (`nested`), ms: a proxy notes the end after its peer has read the answer, and on a busy
 * machine the peer, and others, run in between. Units mixed up, or a time of another process, are further off.
 */
const LATE_END = 2000
/** ... and seem to begin this long before it, ms: two processes never read quite the same time off one clock. */
const EARLY_START = 5

/** The real Envoy notes the end of a call so long after its peer has read the answer, ms. */
const ABOUT_TO_END = 2

/** The first span that is not within the time of its parent, in words. */
export function nestingMismatch(spans: readonly Span[]): string | undefined {
  if (!spans.some(({ parentId, shared }) => parentId !== undefined || shared)) return 'no span has a parent'
  const nodes = [buildTree(spans)]
  for (const { span: parent, children } of nodes) {
    nodes.push(...children)
    if (parent === undefined) continue
    const [parentStart, parentEnd] = timesOf(parent)
    for (const { span } of children) {
      const [start, end] = timesOf(span!)
      const name = `${span!.localEndpoint?.serviceName} ${span!.name}`
      if (!(start >= parentStart - EARLY_START * 1000))
        return `${name} begins more than ${EARLY_START} ms before its parent`
      if (!(start <= parentEnd)) return `${name} begins after its parent's end`
      if (!(end <= parentEnd + LATE_END * 1000)) return `${name} ends more than ${LATE_END} ms after its parent`
    }
  }
  return undefined
}

/** How many of these spans were open at the same time, at most; one that is about to end no longer counts. */
export function mostOpen(spans: readonly Span[]): number {
  const times = spans.map(timesOf)
  const openAt = (at: number) =>
    times.filter(([start, end]) => start === at || (start < at && at < end - ABOUT_TO_END * 1000))
  return Math.max(0, ...times.map(([start]) => openAt(start).length))
}

/** Start and end, µs; NaN where not known, which lies within nothing. */
function timesOf({ timestamp = Number.NaN, duration = Number.NaN }: Span): [number, number] {
  return [timestamp, timestamp + duration]
}

/** From the end of each to the beginning of the next, ms, in the order in which they began. */
export function gapsBetween(spans: readonly Span[]): number[] {
  const times = spans.map(timesOf).sort(([a], [b]) => a - b)
  return times.slice(1).map(([start], i) => (start - times[i]![1]) / 1000)
}

/** The spans that the end of the trace waited for, each once, and for how many ms it was this one, and none of its children. */
export function spansOnCriticalPath(spans: readonly Span[]): Map<Span, number> {
  const { table, spans: rows } = tableSpans(spans)
  const placement = placeSpans(table)
  const path = findCriticalPath(table, placement, findShifts(table, placement))
  const waited = new Map<Span, number>()
  for (let i = 0; i < path.count; i++) {
    const span = rows[path.span[i]!]!
    waited.set(span, (waited.get(span) ?? 0) + (path.to[i]! - path.from[i]!) / 1000)
  }
  return waited
}
