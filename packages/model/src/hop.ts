import { foldHops } from './columns/fold-hops.ts'
import type { HopTable } from './columns/hop-table.ts'
import { type Placement, placeSpans } from './columns/place-spans.ts'
import type { SpanTable } from './columns/span-table.ts'
import { tableSpans } from './columns/table-spans.ts'
import type { Microseconds, Span } from './span.ts'

/**
 * - `paired`: both ends are known
 * - `phantom`: the callee is silent: untraced, or its spans are lost
 * - `entry`: nobody in the trace made the call
 * - `unproxied-caller`: the caller is in the trace, but no span of its own stands for the call
 * - `ambiguous`: the spans fit two readings; they are listed, not folded, and `why` says which two
 */
export type HopForm = 'paired' | 'phantom' | 'entry' | 'unproxied-caller' | 'ambiguous'

/**
 * Where the time of a call went, each a difference of two durations read on one clock, so that no skew can touch it. What
 * cannot be known is absent. A negative value is kept: it is the measurement's error, and `measurementErrors` names it.
 */
export interface HopParts {
  /** Caller's proxy: its span less the wait for the upstream. */
  egressProxy?: Microseconds
  /** Between the proxies: connect, TLS and the kernel's queues included. */
  wire?: Microseconds
  /** Callee's proxy. */
  ingressProxy?: Microseconds
  /** Callee's application and the loopback to it, less the time in which calls of its own were under way. */
  app?: Microseconds
}

/** One try of a call, from both sides. */
export interface Attempt {
  /** The attempt as the caller saw it; absent where the proxy makes one span for all attempts. */
  client?: Span
  /** The attempt as the callee saw it. */
  server?: Span
  /** Back-off: from the end of the attempt before to the start of this one, on the caller's clock, else the callee's. */
  gapBefore?: Microseconds
  parts: HopParts
}

/** A call that leaves one service and arrives at another: what a reader of a mesh's trace thinks in. */
export interface Hop {
  form: HopForm
  caller?: string
  /** Of a phantom: the peer that the caller knows. */
  callee?: string
  /** The call as the caller's side measured it, all attempts included. */
  call?: Span
  /** The last attempt as the callee's side measured it. */
  server?: Span
  /** At least one, but for `ambiguous`. More than one: the call was retried. */
  attempts: Attempt[]
  /** Of the last attempt; `egressProxy` only where there was one attempt. */
  parts: HopParts
  measurementErrors: (keyof HopParts)[]
  /** Every span that is folded into this hop, the application's own included, in reading order. */
  spans: Span[]
  /** Calls that the callee made because of this one. */
  children: Hop[]
  parent?: Hop
  why?: string
}

/**
 * The hops of a trace in reading order: parents before children; those without `parent` are the trace's own entries.
 *
 * Envoy's proxies make a CLIENT span on the way out, a SERVER span on the way in; with `spawn_upstream_span` they make a
 * SERVER span on either way, and a CLIENT span below it for each attempt. So it is the pair that tells the direction:
 *
 *     CLIENT + SERVER of another service, one id or two       a call: both halves
 *     SERVER + spawned CLIENTs below a span of its service    a call: the SERVER is the call, the CLIENTs its attempts
 *     SERVER + spawned CLIENT below another service's span    the callee's proxy and its call to the local application
 *     CLIENT without SERVER                                   phantom
 *     SERVER without CLIENT                                   entry, or an unproxied caller
 *
 * At the root of a trace nothing above tells the way of a SERVER with spawned CLIENTs; there the cluster's name decides
 * when it is the name of one of the two services, else what hangs below, else the hop is ambiguous.
 */
export function hopsFromTrace(reported: readonly Span[]): Hop[] {
  const { table, spans } = tableSpans(reported)
  const placement = placeSpans(table)
  return hopObjects(foldHops(table, placement), table, placement, spans)
}

const FORMS: readonly HopForm[] = ['paired', 'phantom', 'entry', 'unproxied-caller', 'ambiguous']

function hopObjects(hops: HopTable, { strings }: SpanTable, { order }: Placement, spans: readonly Span[]): Hop[] {
  const { attempts } = hops
  const result: Hop[] = []
  for (let i = 0; i < hops.count; i++) {
    const hop: Hop = {
      form: FORMS[hops.form[i]!]!,
      attempts: [],
      parts: {},
      measurementErrors: [],
      spans: [],
      children: [],
    }
    if (hops.caller[i]! >= 0) hop.caller = strings[hops.caller[i]!]!
    if (hops.callee[i]! >= 0) hop.callee = strings[hops.callee[i]!]!
    if (hops.call[i]! >= 0) hop.call = spans[hops.call[i]!]!
    if (hops.server[i]! >= 0) hop.server = spans[hops.server[i]!]!
    const why = hops.why.get(i)
    if (why !== undefined) hop.why = why
    for (let n = hops.attemptAt[i]!; n < hops.attemptAt[i + 1]!; n++) {
      const attempt: Attempt = {
        parts: known({ wire: attempts.wire[n]!, ingressProxy: attempts.ingressProxy[n]!, app: attempts.app[n]! }),
      }
      if (attempts.client[n]! >= 0) attempt.client = spans[attempts.client[n]!]!
      if (attempts.server[n]! >= 0) attempt.server = spans[attempts.server[n]!]!
      if (!Number.isNaN(attempts.gapBefore[n])) attempt.gapBefore = attempts.gapBefore[n]!
      hop.attempts.push(attempt)
    }
    hop.parts = {
      ...hop.attempts.at(-1)?.parts,
      ...known({ egressProxy: hops.egressProxy[i]! }),
    }
    for (const part of ['egressProxy', 'wire', 'ingressProxy', 'app'] as const) {
      if ((hop.parts[part] ?? 0) < 0) hop.measurementErrors.push(part)
    }
    // Parents come first.
    const parent = result[hops.parent[i]!]
    if (parent) {
      hop.parent = parent
      parent.children.push(hop)
    }
    result.push(hop)
  }
  for (const span of order) result[hops.hopOf[span]!]?.spans.push(spans[span]!)
  return result
}

function known(parts: HopParts): HopParts {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => !Number.isNaN(value)))
}
