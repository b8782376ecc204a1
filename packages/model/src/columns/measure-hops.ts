import type { HopTable } from './hop-table.ts'
import { endOf, type SpanTable } from './span-table.ts'

/** Fills in the parts and gaps of folded hops: differences of two durations on one clock, NaN where one is not known. */
export function measureAttempts(table: SpanTable, hops: HopTable): void {
  const { start, duration, sent, received } = table
  const { attempts } = hops
  const waitOf = (span: number) => (span < 0 ? Number.NaN : received[span]! - sent[span]!)
  for (let hop = 0; hop < hops.count; hop++) {
    const from = hops.attemptAt[hop]!
    const to = hops.attemptAt[hop + 1]!
    const callWait = waitOf(hops.call[hop]!)
    for (let i = from; i < to; i++) {
      const client = attempts.client[i]!
      const server = attempts.server[i]!
      // The call's own annotations are those of its last attempt (Envoy may write them 1 µs off the attempt's). Where it
      // had several, the attempt's say it more surely.
      const isCalls = i === to - 1 && !Number.isNaN(callWait) && (to - from === 1 || Number.isNaN(waitOf(client)))
      const wait = isCalls ? callWait : waitOf(client)
      if (server >= 0) {
        attempts.wire[i] = wait - duration[server]!
        attempts.ingressProxy[i] = duration[server]! - waitOf(server)
        attempts.app[i] = waitOf(server) - busyTime(table, hops, hop, server, to - from > 1)
      }
      if (i === from) continue
      const byClient = gap(attempts.client[i - 1]!, client)
      attempts.gapBefore[i] = Number.isNaN(byClient) ? gap(attempts.server[i - 1]!, server) : byClient
    }
    if (to - from === 1)
      hops.egressProxy[hop] = hops.call[hop]! < 0 ? Number.NaN : duration[hops.call[hop]!]! - callWait
  }

  function gap(before: number, after: number): number {
    if (before < 0 || after < 0) return Number.NaN
    return start[after]! - start[before]! - duration[before]!
  }
}

/**
 * Time in which at least one call of the callee was under way, on its clock; NaN when a call has no span there. Where the
 * hop was retried, only calls that began while `server` ran are its.
 */
function busyTime(table: SpanTable, hops: HopTable, hop: number, server: number, isRetried: boolean): number {
  const { start, duration, service } = table
  const calls: number[] = []
  for (let i = hops.childAt[hop]!; i < hops.childAt[hop + 1]!; i++) {
    const child = hops.children[i]!
    const call = hops.call[child]!
    if (isRetried) {
      const begin = start[call >= 0 ? call : hops.server[child]!]!
      if (!(begin >= start[server]! && begin <= start[server]! + duration[server]!)) continue
    }
    if (call < 0 || service[call] !== hops.callee[hop] || Number.isNaN(start[call]! + duration[call]!))
      return Number.NaN
    calls.push(call)
  }
  calls.sort((a, b) => start[a]! - start[b]!)
  let sum = 0
  let covered = Number.NEGATIVE_INFINITY
  for (const call of calls) {
    const end = endOf(table, call)
    if (end > covered) sum += end - Math.max(start[call]!, covered)
    covered = Math.max(covered, end)
  }
  return sum
}
