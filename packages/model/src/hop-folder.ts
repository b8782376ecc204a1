import type { Attempt, Hop, HopForm } from './hop.ts'
import { annotationTime } from './hop-parts.ts'
import { peerOf } from './peer.ts'
import type { Span } from './span.ts'
import type { SpanNode } from './tree.ts'

interface Step {
  node: SpanNode
  /** The hop that the node is below; undefined at the trace's heads. */
  hop: Hop | undefined
}

/** Goes down a tree and opens a hop at each call; a stack instead of recursion, for traces of any depth. */
export class HopFolder {
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

/** Of a repeated attempt: one id, one service. */
export function repeatKey({ id, localEndpoint }: Span): string {
  return `${id} ${localEndpoint?.serviceName ?? ''}`
}

export function serviceOf(span: Pick<Span, 'localEndpoint'>): string | undefined {
  return span.localEndpoint?.serviceName
}
