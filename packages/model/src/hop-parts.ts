import type { Attempt, Hop } from './hop.ts'
import type { Microseconds, Span } from './span.ts'

/** Fills in the parts and gaps of a folded hop, whose children are folded too. */
export function measureHop(hop: Hop): void {
  const { attempts, call } = hop
  const last = attempts[attempts.length - 1]
  for (const [index, attempt] of attempts.entries()) {
    const { server } = attempt
    // The call's own annotations are those of its last attempt (Envoy may write them 1 µs off the attempt's).
    const wait = (attempt === last ? upstreamWait(call) : undefined) ?? upstreamWait(attempt.client)
    if (wait !== undefined && server?.duration !== undefined) attempt.parts.wire = wait - server.duration
    if (server) measureArrival(attempt, server, hop)
    const before = attempts[index - 1]
    const gap = before && (gapBetween(before.client, attempt.client) ?? gapBetween(before.server, server))
    if (gap !== undefined) attempt.gapBefore = gap
  }
  if (last) hop.parts = { ...last.parts }
  const wait = upstreamWait(call)
  if (attempts.length === 1 && wait !== undefined && call?.duration !== undefined) {
    hop.parts.egressProxy = call.duration - wait
  }
  for (const part of ['egressProxy', 'wire', 'ingressProxy', 'app'] as const) {
    if ((hop.parts[part] ?? 0) < 0) hop.measurementErrors.push(part)
  }
}

function measureArrival(attempt: Attempt, server: Span, hop: Hop): void {
  const wait = upstreamWait(server)
  if (wait === undefined) return
  if (server.duration !== undefined) attempt.parts.ingressProxy = server.duration - wait
  const calls = hop.children.filter(child => hop.attempts.length === 1 || isWithin(child, server))
  const busy = unionOfCalls(calls, hop.callee)
  if (busy !== undefined) attempt.parts.app = wait - busy
}

function isWithin({ call, server }: Hop, { timestamp, duration }: Span): boolean {
  const start = call?.timestamp ?? server?.timestamp
  if (start === undefined || timestamp === undefined || duration === undefined) return false
  return start >= timestamp && start <= timestamp + duration
}

/** Time in which at least one call was under way, on the caller's clock; unknown when a call has no span there. */
function unionOfCalls(calls: readonly Hop[], service: string | undefined): Microseconds | undefined {
  const intervals: [start: number, end: number][] = []
  for (const { call } of calls) {
    if (
      !call ||
      call.localEndpoint?.serviceName !== service ||
      call.timestamp === undefined ||
      call.duration === undefined
    ) {
      return undefined
    }
    intervals.push([call.timestamp, call.timestamp + call.duration])
  }
  intervals.sort((a, b) => a[0] - b[0])
  let sum = 0
  let covered = Number.NEGATIVE_INFINITY
  for (const [start, end] of intervals) {
    if (end > covered) sum += end - Math.max(start, covered)
    covered = Math.max(covered, end)
  }
  return sum
}

/** How long a proxy waited for the other side: from its first byte out to the last byte in. */
export function upstreamWait(span: Span | undefined): Microseconds | undefined {
  const sent = span && annotationTime(span, 'first_upstream_tx_byte_sent')
  const received = span && annotationTime(span, 'last_upstream_rx_byte_received')
  return sent === undefined || received === undefined ? undefined : received - sent
}

function gapBetween(before: Span | undefined, after: Span | undefined): Microseconds | undefined {
  if (before?.timestamp === undefined || before.duration === undefined || after?.timestamp === undefined)
    return undefined
  return after.timestamp - before.timestamp - before.duration
}

export function annotationTime(span: Span, value: string): Microseconds | undefined {
  return span.annotations?.find(annotation => annotation.value === value)?.timestamp
}
