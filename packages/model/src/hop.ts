import { peerOf } from './peer.ts'
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
  const folder = new Folder(repeats)
  for (const node of root.span ? [root] : nestSharedHeads(root.children)) folder.visit(node)
  for (const hop of folder.hops) measure(hop)
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

function repeatKey({ id, localEndpoint }: Span): string {
  return `${id} ${localEndpoint?.serviceName ?? ''}`
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

interface Step {
  node: SpanNode
  /** The hop that the node is below; undefined at the trace's heads. */
  hop: Hop | undefined
}

/** Goes down a tree and opens a hop at each call; a stack instead of recursion, for traces of any depth. */
class Folder {
  readonly hops: Hop[] = []
  readonly #repeats: ReadonlyMap<string, Span[]>

  constructor(repeats: ReadonlyMap<string, Span[]>) {
    this.#repeats = repeats
  }

  visit(head: SpanNode): void {
    const stack: Step[] = [{ node: head, hop: undefined }]
    for (let step = stack.pop(); step; step = stack.pop()) stack.push(...this.#fold(step).toReversed())
  }

  /** → what is left to visit below. */
  #fold(step: Step): Step[] {
    const { kind } = step.node.span!
    if (kind === 'SERVER') return this.#foldServer(step)
    if (kind === 'CLIENT' && !isMadeByApplication(step.node)) return this.#call(step, [step.node])
    return this.#passThrough(step)
  }

  #foldServer({ node, hop: parent }: Step): Step[] {
    const span = node.span!
    const attempts = spawnedAttempts(node)
    const reading = attempts.length > 0 ? readingOf(node, attempts) : 'arrival'
    if (reading === 'call') return this.#call({ node, hop: parent }, attempts)
    if (reading === 'ambiguous') return this.#ambiguous({ node, hop: parent }, attempts)

    const above = linkedParent(node)
    // Behind its own proxy the application is still in the hop that brought the call.
    if (parent && above && serviceOf(above) === serviceOf(span)) return this.#passThrough({ node, hop: parent })
    const isEntry = !above
    const hop = this.#open(isEntry ? 'entry' : 'unproxied-caller', parent)
    if (!isEntry) setName(hop, 'caller', serviceOf(above))
    setName(hop, 'callee', serviceOf(span))
    return this.#arrive(hop, node, undefined)
  }

  /** Local work, messaging, and calls that an application's own tracer draws around those of its proxy. */
  #passThrough({ node, hop }: Step): Step[] {
    hop?.spans.push(node.span!)
    return below(node, hop)
  }

  /** A call: `node` itself, or the proxy's span of it with the attempts that it spawned. */
  #call({ node, hop: parent }: Step, attempts: SpanNode[]): Step[] {
    const call = node.span!
    const hop = this.#open('phantom', parent)
    hop.call = call
    setName(hop, 'caller', serviceOf(call))
    setName(hop, 'callee', peerOf(attempts[0]!.span!) ?? peerOf(call))
    hop.spans.push(call)
    const rest: Step[] = []
    for (const attempt of attempts) {
      if (attempt !== node) hop.spans.push(attempt.span!)
      const arrivals = attempt.children.filter(({ span }) => span!.kind === 'SERVER')
      if (arrivals.length === 0) hop.attempts.push({ client: attempt.span!, parts: {} })
      for (const child of attempt.children) {
        if (!arrivals.includes(child)) {
          rest.push({ node: child, hop })
          continue
        }
        hop.form = 'paired'
        setName(hop, 'callee', serviceOf(child.span!))
        // One span of the caller for several arrivals stands for all of them, and is the span of none.
        rest.push(...this.#arrive(hop, child, arrivals.length === 1 ? attempt.span : undefined))
      }
    }
    if (!attempts.includes(node)) {
      for (const child of node.children) if (!attempts.includes(child)) rest.push({ node: child, hop: parent })
    }
    return rest
  }

  /** The callee's side: its SERVER, its proxy's spawned calls to the application, and what hangs below. */
  #arrive(hop: Hop, node: SpanNode, client: Span | undefined): Step[] {
    const span = node.span!
    const repeats = this.#repeats.get(repeatKey(span)) ?? []
    const attempt: Attempt = { server: span, parts: {} }
    if (client && repeats.length === 0) attempt.client = client
    hop.attempts.push(attempt)
    hop.spans.push(span, ...repeats)
    for (const repeat of repeats) hop.attempts.push({ server: repeat, parts: {} })
    hop.server = repeats[repeats.length - 1] ?? span

    const spawned = new Set(spawnedAttempts(node))
    return node.children.flatMap(child => {
      const isOnward = child.children.some(({ span: next }) => isNamedPeer(child.span!, next!))
      // A gateway has no application: what its proxy spawned is a call to the next service.
      if (!spawned.has(child) || isOnward) return [{ node: child, hop }]
      hop.spans.push(child.span!)
      return below(child, hop)
    })
  }

  #ambiguous({ node, hop: parent }: Step, attempts: SpanNode[]): Step[] {
    const hop = this.#open('ambiguous', parent)
    const service = serviceOf(node.span!)
    const peer = peerOf(attempts[0]!.span!) ?? 'a peer'
    setName(hop, 'callee', service)
    hop.why = `nothing above this proxy of ${service ?? 'an unnamed service'} tells its direction: it took a call for its application (cluster ${peer}), or made one to ${peer}`
    hop.spans.push(node.span!, ...attempts.map(attempt => attempt.span!))
    return node.children.flatMap(child => (attempts.includes(child) ? below(child, hop) : [{ node: child, hop }]))
  }

  #open(form: HopForm, parent: Hop | undefined): Hop {
    const hop: Hop = { form, attempts: [], parts: {}, measurementErrors: [], spans: [], children: [] }
    if (parent) {
      hop.parent = parent
      parent.children.push(hop)
    }
    this.hops.push(hop)
    return hop
  }
}

function below(node: SpanNode, hop: Hop | undefined): Step[] {
  return node.children.map(child => ({ node: child, hop }))
}

function setName(hop: Hop, end: 'caller' | 'callee', name: string | undefined): void {
  if (name !== undefined) hop[end] = name
}

function serviceOf(span: Pick<Span, 'localEndpoint'>): string | undefined {
  return span.localEndpoint?.serviceName
}

/** The span that this one names as its parent; the tree also puts orphans under its root. */
function linkedParent({ span, parent }: SpanNode): Span | undefined {
  const above = parent?.span
  if (!above) return undefined
  return above.id === span!.parentId || (span!.shared && above.id === span!.id) ? above : undefined
}

/** An SDK's CLIENT span has the span of its own sidecar below it; that one is the call. A proxy's own is: a call to itself. */
function isMadeByApplication({ span, children }: SpanNode): boolean {
  if (span!.tags?.component === 'proxy') return false
  return children.some(
    ({ span: child }) =>
      (child!.kind === 'CLIENT' || child!.kind === 'SERVER') &&
      serviceOf(child!) === serviceOf(span!) &&
      serviceOf(span!) !== undefined,
  )
}

function spawnedAttempts({ span, children }: SpanNode): SpanNode[] {
  return children.filter(
    ({ span: child }) => child!.kind === 'CLIENT' && serviceOf(child!) === serviceOf(span!) && isSpawned(span!, child!),
  )
}

/**
 * Whether the proxy that made `server` made `client` too, for an attempt of the same request; else the application is
 * between them. Envoy's own downstream spans say which node made them, spawned ones do not. Without such tags the
 * annotations tell: the proxy opens an attempt before its bytes leave, the application calls after they have come.
 */
function isSpawned(server: Span, client: Span): boolean {
  const isProxy = server.tags?.component === 'proxy' && client.tags?.component === 'proxy'
  if (isProxy && server.tags?.node_id !== undefined) return client.tags?.node_id === undefined
  const sent = annotationTime(server, 'first_upstream_tx_byte_sent')
  if (sent === undefined || client.timestamp === undefined || server.timestamp === undefined) return false
  return client.timestamp >= server.timestamp && client.timestamp <= sent
}

/** Which way a SERVER with spawned CLIENTs goes: out (a call) or in (an arrival). */
function readingOf(node: SpanNode, attempts: readonly SpanNode[]): 'call' | 'arrival' | 'ambiguous' {
  const service = serviceOf(node.span!)
  const above = linkedParent(node)
  if (above) return serviceOf(above) === service ? 'call' : 'arrival'
  for (const { span, children } of attempts) {
    if (peerOf(span!) === service) return 'arrival'
    for (const { span: next } of children) {
      if (isNamedPeer(span!, next!)) return 'call'
      if (next!.kind !== undefined && serviceOf(next!) === service) return 'arrival'
    }
  }
  return 'ambiguous'
}

function isNamedPeer(client: Span, server: Span): boolean {
  const service = serviceOf(server)
  return (
    server.kind === 'SERVER' &&
    service !== undefined &&
    service !== serviceOf(client) &&
    service === peerOf(client)?.toLowerCase()
  )
}

function measure(hop: Hop): void {
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
    if (!call || serviceOf(call) !== service || call.timestamp === undefined || call.duration === undefined) {
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

function annotationTime(span: Span, value: string): Microseconds | undefined {
  return span.annotations?.find(annotation => annotation.value === value)?.timestamp
}
