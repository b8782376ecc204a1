import { HopFolder, repeatKey, serviceOf } from './hop-folder.ts'
import { measureHop } from './hop-parts.ts'
import type { Microseconds, Span } from './span.ts'
import { buildTree, type SpanNode } from './tree.ts'

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
export function hopsFromTrace(spans: readonly Span[]): Hop[] {
  const { firsts, repeats } = separateRepeats(spans)
  const root = buildTree(firsts)
  const folder = new HopFolder(repeats)
  for (const node of root.span ? [root] : nestSharedHeads(root.children)) folder.visit(node)
  for (const hop of folder.hops) measureHop(hop)
  return folder.hops
}

/** One id, several servers' halves of one service at different times: attempts, which a merge would make one span of. */
function separateRepeats(spans: readonly Span[]): { firsts: Span[]; repeats: Map<string, Span[]> } {
  const firsts: Span[] = []
  const seen = new Map<string, Span>()
  const repeats = new Map<string, Span[]>()
  const inOrder = spans.toSorted((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0))
  for (const span of inOrder) {
    const key = repeatKey(span)
    const first = span.shared && span.timestamp !== undefined && span.duration !== undefined ? seen.get(key) : undefined
    if (first?.duration !== undefined && span.timestamp! >= first.timestamp! + first.duration) {
      repeats.set(key, [...(repeats.get(key) ?? []), span])
    } else {
      if (span.shared && span.timestamp !== undefined) seen.set(key, span)
      firsts.push(span)
    }
  }
  return { firsts, repeats }
}

/**
 * An unproxied caller forwards its own id, so its callee's shared span has the same id and no client's half: two heads
 * with one id. The one that began first is the caller.
 */
function nestSharedHeads(heads: SpanNode[]): SpanNode[] {
  const result: SpanNode[] = []
  const byId = new Map<string, SpanNode>()
  for (const node of heads) {
    const outer = byId.get(node.span!.id)
    if (outer && node.span!.shared && outer.span!.shared && serviceOf(outer.span!) !== serviceOf(node.span!)) {
      outer.children.push(node)
      node.parent = outer
    } else {
      byId.set(node.span!.id, node)
      result.push(node)
    }
  }
  return result
}
