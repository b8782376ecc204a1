import { sortAnnotations } from './annotations.ts'
import type { Endpoint, Span } from './span.ts'

/**
 * The spans of one trace, with what several reports say of one span folded into one, ids in one width, and forgotten
 * `shared` flags set. Used by links and by every tree; reads of the API return spans as they came. (zipkin `Trace.merge`)
 *
 *     CLIENT a 1  timestamp            CLIENT a 1  timestamp duration
 *     CLIENT a 1  duration        →
 *     SERVER b 1                       SERVER b 1  shared
 */
export function mergeTrace(spans: readonly Span[]): Span[] {
  if (spans.length <= 1) return [...spans]
  const sorted = sortForMerge(spans)
  const traceId = sorted.find(span => span.traceId.length === 32)?.traceId ?? sorted[sorted.length - 1]!.traceId

  const result: Span[] = []
  let previous: Span | undefined
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i++]!
    const span: Span = { ...first }
    const identity: Endpoint = { ...first.localEndpoint }
    let isFolded = false
    while (i < sorted.length && isSameSpan(first, identity, sorted[i]!)) {
      if (!isFolded) detach(span)
      isFolded = true
      fold(span, identity, sorted[i++]!)
    }
    if (isFolded && span.annotations) span.annotations = sortAnnotations(span.annotations)
    // Ids are rewritten only where the width differs: two traces of equal width are not made one here.
    if (span.traceId.length !== traceId.length) span.traceId = traceId
    if (previous?.id === span.id) {
      // Some reporters forget the flag, some the parent of the server's half.
      if (previous.kind === 'CLIENT' && first.kind === 'SERVER' && !span.shared) span.shared = true
      if (span.shared && span.parentId === undefined && previous.parentId !== undefined)
        span.parentId = previous.parentId
    }
    if (span.parentId === span.id) delete span.parentId
    if (span.shared && span.kind === 'CLIENT') delete span.shared
    result.push(span)
    previous = span
  }
  return result
}

/** A double holds 52 bits exactly: 32 of an id, 20 of an index. */
const INDEX_BITS = 20

/**
 * Sorted by {@link compareForMerge}. Comparing texts is most of what a large tree costs, so the first half of each id is
 * sorted as a number, with the index as its last digits, and only equal halves are compared further.
 */
function sortForMerge(spans: readonly Span[]): Span[] {
  const { length } = spans
  if (length < 256 || length >= 1 << INDEX_BITS) return spans.toSorted(compareForMerge)
  const keys = new Float64Array(length)
  for (let i = 0; i < length; i++) keys[i] = Number.parseInt(spans[i]!.id.slice(0, 8), 16) * 2 ** INDEX_BITS + i
  keys.sort()
  const sorted: Span[] = new Array(length)
  for (let i = 0; i < length; i++) sorted[i] = spans[keys[i]! % 2 ** INDEX_BITS]!
  for (let from = 0; from < length; ) {
    const half = Math.floor(keys[from]! / 2 ** INDEX_BITS)
    let to = from + 1
    while (to < length && Math.floor(keys[to]! / 2 ** INDEX_BITS) === half) to++
    if (to - from === length || Number.isNaN(half)) return spans.toSorted(compareForMerge)
    if (to - from > 1) {
      const run = sorted.slice(from, to).sort(compareForMerge)
      for (let i = from; i < to; i++) sorted[i] = run[i - from]!
    }
    from = to
  }
  return sorted
}

/** By id; unshared before shared; CLIENT first among the unshared; then the local endpoint, absent first. */
function compareForMerge(a: Span, b: Span): number {
  if (a.id !== b.id) return a.id < b.id ? -1 : 1
  if (a.shared !== b.shared) return a.shared ? 1 : -1
  if (!a.shared && (a.kind === 'CLIENT') !== (b.kind === 'CLIENT')) return a.kind === 'CLIENT' ? -1 : 1
  return compareEndpoints(a.localEndpoint, b.localEndpoint)
}

function compareEndpoints(a: Endpoint | undefined, b: Endpoint | undefined): number {
  if (!a || !b) return a ? 1 : b ? -1 : 0
  return (
    compareAbsentLast(a.serviceName, b.serviceName) ||
    compareAbsentLast(a.ipv4, b.ipv4) ||
    compareAbsentLast(a.ipv6, b.ipv6)
  )
}

function compareAbsentLast(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined) return 1
  if (b === undefined) return -1
  return a < b ? -1 : 1
}

function isSameSpan(first: Span, identity: Endpoint, next: Span): boolean {
  return first.id === next.id && first.shared === next.shared && isCompatible(identity, next.localEndpoint)
}

function isCompatible(known: Endpoint, other: Endpoint | undefined): boolean {
  if (!other) return true
  return ENDPOINT_FIELDS.every(
    field => known[field] === undefined || other[field] === undefined || known[field] === other[field],
  )
}

const ENDPOINT_FIELDS = ['serviceName', 'ipv4', 'ipv6', 'port'] as const

/** Gives a shallow copy its own containers, so that folding never writes into the caller's spans. */
function detach(span: Span): void {
  if (span.localEndpoint) span.localEndpoint = { ...span.localEndpoint }
  if (span.remoteEndpoint) span.remoteEndpoint = { ...span.remoteEndpoint }
  if (span.annotations) span.annotations = [...span.annotations]
  if (span.tags) span.tags = Object.assign(Object.create(null), span.tags)
}

function fold(into: Span, identity: Endpoint, from: Span): void {
  if (into.parentId === undefined && from.parentId !== undefined) into.parentId = from.parentId
  if (into.kind === undefined && from.kind !== undefined) into.kind = from.kind
  if (into.name === undefined && from.name !== undefined) into.name = from.name
  if (into.timestamp === undefined && from.timestamp !== undefined) into.timestamp = from.timestamp
  if (into.duration === undefined && from.duration !== undefined) into.duration = from.duration
  if (from.localEndpoint) {
    into.localEndpoint = fillEndpoint(into.localEndpoint ?? {}, from.localEndpoint)
    fillEndpoint(identity, from.localEndpoint)
  }
  if (from.remoteEndpoint) into.remoteEndpoint = fillEndpoint(into.remoteEndpoint ?? {}, from.remoteEndpoint)
  if (from.annotations) into.annotations = [...(into.annotations ?? []), ...from.annotations]
  if (from.tags) into.tags = Object.assign(into.tags ?? Object.create(null), from.tags)
  if (from.debug) into.debug = true
  if (from.shared) into.shared = true
}

function fillEndpoint(into: Endpoint, from: Endpoint): Endpoint {
  if (into.serviceName === undefined && from.serviceName !== undefined) into.serviceName = from.serviceName
  if (into.ipv4 === undefined && from.ipv4 !== undefined) into.ipv4 = from.ipv4
  if (into.ipv6 === undefined && from.ipv6 !== undefined) into.ipv6 = from.ipv6
  if (into.port === undefined && from.port !== undefined) into.port = from.port
  return into
}
