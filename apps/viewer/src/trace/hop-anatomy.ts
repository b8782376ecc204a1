import type { Microseconds } from '@hopscope/model'
import { FORM, TRAIT, whatIfFaster } from '@hopscope/model/columns'
import { calledName } from './called-name.ts'
import { SEGMENT, type SegmentKind } from './columns.ts'
import type { ReadTrace } from './read-trace.ts'

/**
 * Where the time of a call went, in parts that sum to it: each is a difference of durations on one clock, so that no skew
 * can touch it. A part that came out negative is kept as it is: that much the measurement is off.
 */
export interface HopAnatomy {
  parts: { kind: SegmentKind; name: string; duration: Microseconds }[]
  /** One for each attempt that is known by spans, in order. */
  attempts: {
    status: string | undefined
    isFailed: boolean
    duration: Microseconds
    /** Back-off before it; NaN for the first, or where it is not known. */
    gapBefore: Microseconds
  }[]
  /** Attempts that the proxy only counts, beyond those with spans. */
  untold: number
  /** Attempts that were thrown away, and the back-off behind them. */
  wasted: Microseconds
  /** How long somebody waits for it, from its start; Infinity where nobody said. */
  budget: Microseconds
  /** What it says it would wait, where that is longer than its budget. */
  askedFor: Microseconds | undefined
  /** How long the callee works on when nobody waits any more. */
  late: Microseconds
  /** If it were faster. Absent for the call that everything else is below. */
  whatIf?: {
    duration: Microseconds
    /** The whole becomes so much faster at most. */
    most: Microseconds
    /** What the whole takes now. */
    whole: Microseconds
    /** Who is waited for then: `shop → price`. Absent where nobody waits for the call. */
    heldBy?: string
  }
}

/** The parts of a folded hop; undefined for one that fits two readings. */
export function anatomyOf(trace: ReadTrace, hop: number): HopAnatomy | undefined {
  const { table, hops, shifts, deadlines } = trace
  const { attempts } = hops
  if (hops.form[hop] === FORM.ambiguous) return undefined
  const first = hops.attemptAt[hop]!
  const last = hops.attemptAt[hop + 1]! - 1
  const call = hops.call[hop]!
  const server = hops.server[hop]!
  const main = call >= 0 ? call : server
  const parts: HopAnatomy['parts'] = []
  const put = (kind: SegmentKind, name: string, duration: number) => {
    if (!Number.isNaN(duration) && duration !== 0) parts.push({ kind, name, duration })
  }
  const durationOf = (span: number) => (span < 0 ? Number.NaN : table.duration[span]!)
  const waitOf = (span: number) => (span < 0 ? Number.NaN : table.received[span]! - table.sent[span]!)
  const spanOf = (attempt: number) =>
    attempts.client[attempt]! >= 0 ? attempts.client[attempt]! : attempts.server[attempt]!

  const listed: HopAnatomy['attempts'] = []
  let failed = 0
  let backOff = 0
  for (let i = first; i <= last; i++) {
    const status = table.status[spanOf(i)]!
    listed.push({
      status: status < 0 || table.strings[status] === '0' ? undefined : table.strings[status]!,
      isFailed: i < last || (table.traits[spanOf(i)]! & TRAIT.error) !== 0,
      duration: durationOf(spanOf(i)),
      gapBefore: attempts.gapBefore[i]!,
    })
    if (i < last) failed += durationOf(spanOf(i)) || 0
    backOff += attempts.gapBefore[i]! || 0
  }
  put(SEGMENT.failedAttempt, listed.length > 2 ? `${listed.length - 1} failed attempts` : 'failed attempt', failed)
  put(SEGMENT.backOff, 'back-off', backOff)

  const client = last >= first ? attempts.client[last]! : -1
  const waited = first === last && !Number.isNaN(waitOf(call)) ? waitOf(call) : waitOf(client)
  const callee = last >= first ? attempts.server[last]! : -1
  if (callee < 0) {
    const wait = Number.isNaN(waited) ? durationOf(client >= 0 ? client : call) : waited
    put(SEGMENT.egressProxy, 'egress proxy', durationOf(call) - failed - backOff - wait)
    put(SEGMENT.unknown, 'inside, unknown: it sent no span', wait)
  } else {
    const wire = attempts.wire[last]!
    const between = calledName(table, hops, hop) >= 0
    if (call >= 0 && Number.isNaN(wire)) {
      put(SEGMENT.wire, 'caller’s proxy and wire, undivided', durationOf(call) - failed - backOff - durationOf(callee))
    } else if (call >= 0) {
      // What is left of the call's time outside of the last attempt's wait is the proxy's.
      put(SEGMENT.egressProxy, 'egress proxy', durationOf(call) - failed - backOff - wire - durationOf(callee))
      put(SEGMENT.wire, between ? 'wire, and whoever is between' : 'wire', wire)
    }
    const app = attempts.app[last]!
    const inside = waitOf(callee)
    put(SEGMENT.ingressProxy, 'ingress proxy', attempts.ingressProxy[last]!)
    put(SEGMENT.app, 'app', app)
    if (Number.isNaN(inside)) put(SEGMENT.app, 'callee’s proxy and app, undivided', durationOf(callee))
    else if (Number.isNaN(app)) put(SEGMENT.app, 'app and its calls, undivided', inside)
    else put(SEGMENT.below, 'app, waiting for its calls', inside - app)
  }

  const start = table.start[main]! + shifts[main]!
  const end = start + (table.duration[main]! || 0)
  const until = deadlines.until[main]!
  const whatIf = whatIfOf(trace, main)
  const calleeEnd = server >= 0 ? table.start[server]! + shifts[server]! + (table.duration[server]! || 0) : Number.NaN
  return {
    parts,
    attempts: listed,
    untold: Math.max(0, 1 + Math.max(table.retries[main]!, 0) - Math.max(1, listed.length)),
    wasted: failed + backOff,
    budget: until - start,
    askedFor: deadlines.isOverBudget[main] ? table.timeout[main]! : undefined,
    late: Math.max(0, Math.max(end, calleeEnd || 0) - until) || 0,
    ...(whatIf ? { whatIf } : {}),
  }
}

function whatIfOf({ table, placement, hops, shifts }: ReadTrace, span: number): HopAnatomy['whatIf'] {
  const { most, heldBy, top } = whatIfFaster(table, placement, shifts, span)
  if (top === span || !(table.duration[span]! > 0) || !(table.duration[top]! > 0)) return undefined
  const nameOf = (text: number) => (text < 0 ? undefined : table.strings[text])
  const hop = heldBy < 0 ? -1 : hops.hopOf[heldBy]!
  const held =
    hop < 0
      ? nameOf(heldBy < 0 ? -1 : table.service[heldBy]!)
      : [nameOf(hops.caller[hop]!), nameOf(hops.callee[hop]!)].filter(Boolean).join(' → ')
  return { duration: table.duration[span]!, most, whole: table.duration[top]!, ...(held ? { heldBy: held } : {}) }
}
