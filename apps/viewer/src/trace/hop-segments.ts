import { type Attempt, type Hop, type Microseconds, type Span, upstreamWait } from '@hopscope/model'
import { type RowDraft, SEGMENT, type SegmentKind } from './columns.ts'

type Segment = RowDraft['segments'][number]
type ShiftOf = (span: Span | undefined) => Microseconds

/**
 * The parts of a call from left to right, µs from the trace's start:
 *
 *     egress proxy   wire   ingress proxy   app · calls of its own · app   ingress proxy   wire   egress proxy
 *
 * Each proxy's share comes from its own two annotations, on its own clock. Only how the wire's time is split between way
 * there and way back needs both clocks. What is not known is drawn as the plain span.
 */
export function hopSegments(hop: Hop, traceStart: Microseconds, shiftOf: ShiftOf): Segment[] {
  const segments: Segment[] = []
  const put = (from: Microseconds, to: Microseconds, kind: SegmentKind) => {
    if (to > from) segments.push([from - traceStart, to - traceStart, kind])
  }
  const outer = intervalOf(hop.call, shiftOf)
  hop.attempts.slice(0, -1).forEach((attempt, i) => {
    const tried = intervalOf(attempt.client ?? attempt.server, shiftOf)
    if (!tried) return
    put(tried[0], tried[1], SEGMENT.failedAttempt)
    const next = hop.attempts[i + 1]!
    const after = intervalOf(attempt.client ? (next.client ?? next.server) : (next.server ?? next.client), shiftOf)
    if (after) put(tried[1], after[0], SEGMENT.backOff)
  })
  const last = hop.attempts[hop.attempts.length - 1]
  if (last) putAttempt(hop, last, put, shiftOf)
  if (segments.length === 0) {
    const main = outer ?? intervalOf(hop.spans[0], shiftOf)
    if (main) put(main[0], main[1], SEGMENT.span)
  }
  return segments
}

function putAttempt(
  hop: Hop,
  attempt: Attempt,
  put: (from: Microseconds, to: Microseconds, kind: SegmentKind) => void,
  shiftOf: ShiftOf,
): void {
  // With one attempt the call's span has the proxy's time too, and the annotations.
  const client = hop.attempts.length === 1 ? (hop.call ?? attempt.client) : attempt.client
  const outer = intervalOf(client, shiftOf)
  const server = intervalOf(attempt.server, shiftOf)
  let inner = server
  if (outer) {
    const waited = waitOf(client, shiftOf) ?? waitOf(attempt.client, shiftOf)
    const [sent, received] = waited ?? outer
    put(outer[0], sent, SEGMENT.egressProxy)
    put(received, outer[1], SEGMENT.egressProxy)
    if (!server) {
      put(sent, received, hop.form === 'phantom' ? SEGMENT.unknown : SEGMENT.span)
      return
    }
    const length = server[1] - server[0]
    const between = received - sent - length
    // Shown where the clocks say; in the middle where they cannot be right.
    const arrival = server[0] >= sent && server[1] <= received ? server[0] : sent + Math.max(0, between) / 2
    inner = [arrival, Math.min(arrival + length, received)]
    put(sent, inner[0], waited ? SEGMENT.wire : SEGMENT.span)
    put(inner[1], received, waited ? SEGMENT.wire : SEGMENT.span)
  }
  if (!inner || !server) return
  const moved = inner[0] - server[0]
  const app = waitOf(attempt.server, shiftOf)
  if (!app) {
    put(inner[0], inner[1], SEGMENT.span)
    return
  }
  put(inner[0], app[0] + moved, SEGMENT.ingressProxy)
  putApp(hop, app[0] + moved, app[1] + moved, put, shiftOf)
  put(app[1] + moved, inner[1], SEGMENT.ingressProxy)
}

/** The app's own time, paler where it only waits for calls of its own. */
function putApp(
  hop: Hop,
  from: Microseconds,
  to: Microseconds,
  put: (from: Microseconds, to: Microseconds, kind: SegmentKind) => void,
  shiftOf: ShiftOf,
): void {
  const calls = hop.children
    .map(child => intervalOf(child.call ?? child.server, shiftOf))
    .filter(interval => interval !== undefined)
    .sort((a, b) => a[0] - b[0])
  let at = from
  for (const [start, end] of calls) {
    const begin = Math.max(at, Math.min(start, to))
    const until = Math.min(end, to)
    put(at, begin, SEGMENT.app)
    put(begin, until, SEGMENT.below)
    at = Math.max(at, until)
  }
  put(at, to, SEGMENT.app)
}

function intervalOf(span: Span | undefined, shiftOf: ShiftOf): [Microseconds, Microseconds] | undefined {
  if (span?.timestamp === undefined) return undefined
  const start = span.timestamp + shiftOf(span)
  return [start, start + (span.duration ?? 0)]
}

/** From the first byte to the upstream to the last byte from it. */
function waitOf(span: Span | undefined, shiftOf: ShiftOf): [Microseconds, Microseconds] | undefined {
  const wait = upstreamWait(span)
  const sent = span?.annotations?.find(annotation => annotation.value === 'first_upstream_tx_byte_sent')?.timestamp
  return wait === undefined || sent === undefined ? undefined : [sent + shiftOf(span), sent + shiftOf(span) + wait]
}
