import type { Microseconds } from '../span.ts'
import type { Placement } from './place-spans.ts'
import type { SpanTable } from './span-table.ts'

/** Until when somebody waits for a span, by span; µs since the epoch, Infinity where nobody said. */
export interface Deadlines {
  /** The nearest of its own and all above it. */
  until: Float64Array
  /** 1: says it would wait clearly longer than the one who asked it does. */
  isOverBudget: Uint8Array
}

/** Envoy's response flags of a caller that has gone: upstream timeout, stream idle, downstream gone, deadline. */
const GAVE_UP = /(?:^|,)(?:UT|SI|DC|DT|UPE|UMSDR)(?:,|$)/

/**
 * Part of the time that is left. A call begins a little after the one it is made for, so that a mesh with one timeout for
 * all of it, such as Envoy's 15 s, is always a little over: that is no mistake to point at.
 */
const OVER = 0.1

/**
 * A deadline is inherited: what a caller no longer waits for, nobody waits for. It is known where a span carries its
 * timeout, and where it ended because it gave up: then its end was the deadline.
 */
export function findDeadlines(table: SpanTable, { order, parent }: Placement, shifts: Float64Array): Deadlines {
  const { count, start, duration, timeout, responseFlags, status, strings } = table
  const until = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const isOverBudget = new Uint8Array(count)
  const gaveUp = strings.map(text => GAVE_UP.test(text))
  for (const span of order) {
    const above = parent[span]!
    const inherited = above < 0 ? Number.POSITIVE_INFINITY : until[above]!
    const begin: Microseconds = start[span]! + shifts[span]!
    let own = Number.POSITIVE_INFINITY
    if (timeout[span]! > 0) {
      own = begin + timeout[span]!
      if (own > inherited + Math.max(1_000, OVER * (inherited - begin))) isOverBudget[span] = 1
    }
    const flags = responseFlags[span]!
    if ((flags >= 0 && gaveUp[flags]) || strings[status[span]!] === '504') own = Math.min(own, begin + duration[span]!)
    until[span] = Math.min(inherited, Number.isNaN(own) ? Number.POSITIVE_INFINITY : own)
  }
  return { until, isOverBudget }
}
