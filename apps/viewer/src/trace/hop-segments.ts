import { FORM } from '@hopscope/model/columns'
import { SEGMENT, type SegmentKind } from './columns.ts'
import type { ReadTrace } from './read-trace.ts'

/** Segments of all rows, one after another. */
export class SegmentList {
  readonly from: number[] = []
  readonly to: number[] = []
  readonly kind: SegmentKind[] = []

  put(from: number, to: number, kind: SegmentKind): void {
    if (!(to > from)) return
    this.from.push(from)
    this.to.push(to)
    this.kind.push(kind)
  }
}

/**
 * The parts of a call from left to right, µs from the trace's start:
 *
 *     egress proxy   wire   ingress proxy   app · calls of its own · app   ingress proxy   wire   egress proxy
 *
 * Each proxy's share comes from its own two annotations, on its own clock. Only how the wire's time is split between way
 * there and way back needs both clocks. What is not known is drawn as the plain span.
 */
export function putHopSegments(trace: ReadTrace, hop: number, list: SegmentList): void {
  const { hops, table, shifts, start } = trace
  const { attempts } = hops
  const put = (from: number, to: number, kind: SegmentKind) => list.put(from - start, to - start, kind)
  const before = list.kind.length
  const first = hops.attemptAt[hop]!
  const last = hops.attemptAt[hop + 1]! - 1
  for (let i = first; i < last; i++) {
    const client = attempts.client[i]!
    const tried = client >= 0 ? client : attempts.server[i]!
    put(startOf(tried), endOf(tried), SEGMENT.failedAttempt)
    const next = client >= 0 && attempts.client[i + 1]! >= 0 ? attempts.client[i + 1]! : attempts.server[i + 1]!
    if (next >= 0) put(endOf(tried), startOf(next), SEGMENT.backOff)
  }
  if (last >= first) {
    putAttempt(last, first === last)
    putLate(attempts.server[last]!)
  }
  if (list.kind.length === before) {
    const main = hops.call[hop]! >= 0 ? hops.call[hop]! : hops.server[hop]!
    if (main >= 0) put(startOf(main), endOf(main), SEGMENT.span)
  }

  function startOf(span: number): number {
    return table.start[span]! + shifts[span]!
  }
  function endOf(span: number): number {
    return startOf(span) + (table.duration[span]! || 0)
  }

  function putAttempt(attempt: number, isOnly: boolean): void {
    // With one attempt the call's span has the proxy's time too, and the annotations.
    const tried = attempts.client[attempt]!
    const client = isOnly && hops.call[hop]! >= 0 ? hops.call[hop]! : tried
    const server = attempts.server[attempt]!
    let arrival = server >= 0 ? startOf(server) : Number.NaN
    let departure = server >= 0 ? endOf(server) : Number.NaN
    if (client >= 0) {
      const waiting = isTimed(client) ? client : tried >= 0 && isTimed(tried) ? tried : -1
      const sent = waiting >= 0 ? table.sent[waiting]! + shifts[waiting]! : startOf(client)
      const received = waiting >= 0 ? table.received[waiting]! + shifts[waiting]! : endOf(client)
      put(startOf(client), sent, SEGMENT.egressProxy)
      put(received, endOf(client), SEGMENT.egressProxy)
      if (server < 0) {
        put(sent, received, hops.form[hop] === FORM.phantom ? SEGMENT.unknown : SEGMENT.span)
        return
      }
      const length = departure - arrival
      // Shown where the clocks say; in the middle where they cannot be right.
      if (!(arrival >= sent && departure <= received)) arrival = sent + Math.max(0, received - sent - length) / 2
      departure = Math.min(arrival + length, received)
      const between = waiting >= 0 ? SEGMENT.wire : SEGMENT.span
      put(sent, arrival, between)
      put(departure, received, between)
    }
    if (server < 0) return
    if (!isTimed(server)) {
      put(arrival, departure, SEGMENT.span)
      return
    }
    const moved = arrival - table.start[server]!
    const from = table.sent[server]! + moved
    const to = table.received[server]! + moved
    put(arrival, from, SEGMENT.ingressProxy)
    putApp(from, to)
    put(to, departure, SEGMENT.ingressProxy)
  }

  /** The callee works on when its caller has gone. */
  function putLate(server: number): void {
    const call = hops.call[hop]!
    if (server < 0 || call < 0) return
    const from = Math.max(endOf(call), trace.deadlines.until[server]!)
    if (endOf(server) > from + 1_000) put(from, endOf(server), SEGMENT.late)
  }

  function isTimed(span: number): boolean {
    return !Number.isNaN(table.received[span]! - table.sent[span]!)
  }

  /** The app's own time, paler where it only waits for calls of its own. */
  function putApp(from: number, to: number): void {
    const calls: number[] = []
    for (let i = hops.childAt[hop]!; i < hops.childAt[hop + 1]!; i++) {
      const child = hops.children[i]!
      const span = hops.call[child]! >= 0 ? hops.call[child]! : hops.server[child]!
      if (span >= 0 && !Number.isNaN(table.start[span]!)) calls.push(span)
    }
    calls.sort((a, b) => startOf(a) - startOf(b))
    let at = from
    for (const call of calls) {
      const begin = Math.max(at, Math.min(startOf(call), to))
      const until = Math.min(endOf(call), to)
      put(at, begin, SEGMENT.app)
      put(begin, until, SEGMENT.below)
      at = Math.max(at, until)
    }
    put(at, to, SEGMENT.app)
  }
}
