import { FORM, type HopTable } from './hop-table.ts'
import { measureAttempts } from './measure-hops.ts'
import type { Placement } from './place-spans.ts'
import { KIND, type SpanTable, TRAIT } from './span-table.ts'

/** A hop's context of spans above any hop. */
const NONE = -1
/** The span was dealt with together with the one above it. */
const DONE = -2

/**
 * Spans → hops, by the rules that `hopsFromTrace` states: down the tree in reading order, a hop is opened at each call.
 * Linear, without recursion, without an object a span.
 */
export function foldHops(table: SpanTable, placement: Placement): HopTable {
  return new HopFolder(table, placement).fold()
}

class HopFolder {
  readonly #table: SpanTable
  readonly #placement: Placement
  /** By span: the hop that it is below, or that it has been folded into. */
  readonly #context: Int32Array
  readonly #hopOf: Int32Array
  readonly #form: number[] = []
  readonly #parent: number[] = []
  readonly #call: number[] = []
  readonly #server: number[] = []
  readonly #caller: number[] = []
  readonly #callee: number[] = []
  readonly #attemptAt: number[] = []
  readonly #client: number[] = []
  readonly #arrival: number[] = []
  readonly #why = new Map<number, string>()
  readonly #lower = new Map<number, string>()

  constructor(table: SpanTable, placement: Placement) {
    this.#table = table
    this.#placement = placement
    this.#context = new Int32Array(table.count).fill(NONE)
    this.#hopOf = new Int32Array(table.count).fill(NONE)
  }

  fold(): HopTable {
    const { kind } = this.#table
    for (const span of this.#placement.order) {
      const above = this.#context[span]!
      if (above === DONE) continue
      if (kind[span] === KIND.server) this.#foldServer(span, above)
      else if (kind[span] === KIND.client && !this.#isMadeByApplication(span)) this.#foldCall(span, above, [span])
      else this.#passThrough(span, above)
    }
    return this.#finish()
  }

  #foldServer(span: number, above: number): void {
    const attempts = this.#spawnedAttempts(span)
    const reading = attempts.length > 0 ? this.#readingOf(span, attempts) : 'arrival'
    if (reading === 'call') this.#foldCall(span, above, attempts)
    else if (reading === 'ambiguous') this.#ambiguous(span, above, attempts)
    else this.#foldArrival(span, above)
  }

  #foldArrival(span: number, above: number): void {
    const { service } = this.#table
    const caller = this.#linkedParent(span)
    // Behind its own proxy the application is still in the hop that brought the call.
    if (above >= 0 && caller >= 0 && service[caller] === service[span]) {
      this.#passThrough(span, above)
      return
    }
    const hop = this.#open(caller < 0 ? FORM.entry : FORM.unproxiedCaller, above)
    if (caller >= 0) this.#caller[hop] = service[caller]!
    this.#callee[hop] = service[span]!
    this.#arrive(hop, span, -1)
  }

  /** Local work, messaging, and calls that an application's own tracer draws around those of its proxy. */
  #passThrough(span: number, above: number): void {
    this.#hopOf[span] = above
    this.#below(span, above)
  }

  /** A call: `span` itself, or the proxy's span of it with the attempts that it spawned. */
  #foldCall(span: number, above: number, attempts: readonly number[]): void {
    const { kind, service, peer } = this.#table
    const hop = this.#open(FORM.phantom, above)
    this.#call[hop] = span
    this.#caller[hop] = service[span]!
    this.#callee[hop] = peer[attempts[0]!]! >= 0 ? peer[attempts[0]!]! : peer[span]!
    this.#hopOf[span] = hop
    if (attempts[0] !== span) this.#below(span, above)
    for (const attempt of attempts) {
      this.#fold(attempt, hop)
      let arrivals = 0
      this.#each(attempt, child => {
        if (kind[child] === KIND.server) arrivals++
      })
      if (arrivals === 0) this.#tried(attempt, -1)
      this.#each(attempt, child => {
        if (kind[child] !== KIND.server) {
          this.#context[child] = hop
          return
        }
        this.#form[hop] = FORM.paired
        if (service[child]! >= 0) this.#callee[hop] = service[child]!
        // One span of the caller for several arrivals stands for all of them, and is the span of none.
        this.#arrive(hop, child, arrivals === 1 ? attempt : -1)
      })
    }
  }

  /** The callee's side: its SERVER, its proxy's spawned calls to the application, and what hangs below. */
  #arrive(hop: number, span: number, client: number): void {
    const { children, childAt } = this.#placement
    this.#fold(span, hop)
    this.#tried(client, span)
    this.#server[hop] = span
    for (let i = childAt[span]!; i < childAt[span + 1]!; i++) {
      const child = children[i]!
      this.#context[child] = hop
      if (!this.#isSpawned(span, child)) continue
      let isOnward = false
      this.#each(child, next => {
        isOnward ||= this.#isNamedPeer(child, next)
      })
      // A gateway has no application: what its proxy spawned is a call to the next service.
      if (isOnward) continue
      this.#fold(child, hop)
      this.#below(child, hop)
    }
  }

  #ambiguous(span: number, above: number, attempts: readonly number[]): void {
    const { service, peer, strings } = this.#table
    const hop = this.#open(FORM.ambiguous, above)
    const name = strings[service[span]!] ?? 'an unnamed service'
    const to = strings[peer[attempts[0]!]!] ?? 'a peer'
    this.#callee[hop] = service[span]!
    this.#why.set(
      hop,
      `nothing above this proxy of ${name} tells its direction: it took a call for its application (cluster ${to}), or made one to ${to}`,
    )
    this.#hopOf[span] = hop
    this.#below(span, hop)
    for (const attempt of attempts) {
      this.#fold(attempt, hop)
      this.#below(attempt, hop)
    }
  }

  #open(form: number, above: number): number {
    const hop = this.#form.length
    this.#form.push(form)
    this.#parent.push(above)
    this.#call.push(-1)
    this.#server.push(-1)
    this.#caller.push(-1)
    this.#callee.push(-1)
    this.#attemptAt.push(this.#client.length)
    return hop
  }

  #fold(span: number, hop: number): void {
    this.#hopOf[span] = hop
    this.#context[span] = DONE
  }

  #tried(client: number, server: number): void {
    this.#client.push(client)
    this.#arrival.push(server)
  }

  #below(span: number, hop: number): void {
    this.#each(span, child => {
      if (this.#context[child] !== DONE) this.#context[child] = hop
    })
  }

  #each(span: number, visit: (child: number) => void): void {
    const { childAt, children } = this.#placement
    for (let i = childAt[span]!; i < childAt[span + 1]!; i++) visit(children[i]!)
  }

  /** The span that this one names as its parent; orphans are placed below the root, too. */
  #linkedParent(span: number): number {
    const { id, parent, traits } = this.#table
    const above = this.#placement.parent[span]!
    if (above < 0) return -1
    const isHalf = (traits[span]! & (TRAIT.shared | TRAIT.repeat)) !== 0
    return id[above] === parent[span] || (isHalf && id[above] === id[span]) ? above : -1
  }

  /** An SDK's CLIENT span has the span of its own sidecar below it; that one is the call. A proxy's own is: a call to itself. */
  #isMadeByApplication(span: number): boolean {
    const { kind, service, traits } = this.#table
    if (traits[span]! & TRAIT.proxy || service[span]! < 0) return false
    let isMade = false
    this.#each(span, child => {
      isMade ||= (kind[child] === KIND.client || kind[child] === KIND.server) && service[child] === service[span]
    })
    return isMade
  }

  #spawnedAttempts(span: number): number[] {
    const attempts: number[] = []
    this.#each(span, child => {
      if (this.#isSpawned(span, child)) attempts.push(child)
    })
    return attempts
  }

  /**
   * Whether the proxy that made `server` made `client` too, for an attempt of the same request; else the application is
   * between them. Envoy's own downstream spans say which node made them, spawned ones do not. Without such tags the
   * annotations tell: the proxy opens an attempt before its bytes leave, the application calls after they have come.
   */
  #isSpawned(server: number, client: number): boolean {
    const { kind, service, traits, start, sent } = this.#table
    if (kind[client] !== KIND.client || service[client] !== service[server]) return false
    if (traits[server]! & traits[client]! & TRAIT.proxy && traits[server]! & TRAIT.node) {
      return (traits[client]! & TRAIT.node) === 0
    }
    return start[client]! >= start[server]! && start[client]! <= sent[server]!
  }

  /** Which way a SERVER with spawned CLIENTs goes: out (a call) or in (an arrival). */
  #readingOf(span: number, attempts: readonly number[]): 'call' | 'arrival' | 'ambiguous' {
    const { kind, service, peer } = this.#table
    const { childAt, children } = this.#placement
    const above = this.#linkedParent(span)
    if (above >= 0) return service[above] === service[span] ? 'call' : 'arrival'
    for (const attempt of attempts) {
      if (peer[attempt] === service[span]) return 'arrival'
      for (let i = childAt[attempt]!; i < childAt[attempt + 1]!; i++) {
        if (this.#isNamedPeer(attempt, children[i]!)) return 'call'
        if (kind[children[i]!] !== KIND.none && service[children[i]!] === service[span]) return 'arrival'
      }
    }
    return 'ambiguous'
  }

  #isNamedPeer(client: number, server: number): boolean {
    const { kind, service, peer, strings } = this.#table
    if (kind[server] !== KIND.server || service[server]! < 0 || service[server] === service[client]) return false
    if (peer[client]! < 0) return false
    return peer[client] === service[server] || strings[service[server]!] === this.#lowered(peer[client]!)
  }

  #lowered(text: number): string {
    let lower = this.#lower.get(text)
    if (lower === undefined) {
      lower = this.#table.strings[text]!.toLowerCase()
      this.#lower.set(text, lower)
    }
    return lower
  }

  #finish(): HopTable {
    const count = this.#form.length
    const parent = Int32Array.from(this.#parent)
    const { childAt, children } = groupByParent(parent)
    this.#attemptAt.push(this.#client.length)
    const hops: HopTable = {
      count,
      form: Uint8Array.from(this.#form),
      parent,
      call: Int32Array.from(this.#call),
      server: Int32Array.from(this.#server),
      caller: Int32Array.from(this.#caller),
      callee: Int32Array.from(this.#callee),
      egressProxy: new Float64Array(count).fill(Number.NaN),
      attemptAt: Int32Array.from(this.#attemptAt),
      attempts: {
        count: this.#client.length,
        client: Int32Array.from(this.#client),
        server: Int32Array.from(this.#arrival),
        gapBefore: new Float64Array(this.#client.length).fill(Number.NaN),
        wire: new Float64Array(this.#client.length).fill(Number.NaN),
        ingressProxy: new Float64Array(this.#client.length).fill(Number.NaN),
        app: new Float64Array(this.#client.length).fill(Number.NaN),
      },
      childAt,
      children,
      hopOf: this.#hopOf,
      why: this.#why,
    }
    measureAttempts(this.#table, hops)
    return hops
  }
}

/** In the order of their numbers below each parent, in two counting passes. */
export function groupByParent(parent: Int32Array): { childAt: Int32Array; children: Int32Array } {
  const count = parent.length
  const childAt = new Int32Array(count + 2)
  for (const above of parent) if (above >= 0) childAt[above + 2]!++
  for (let i = 2; i < childAt.length; i++) childAt[i]! += childAt[i - 1]!
  const children = new Int32Array(childAt[count + 1]!)
  for (let i = 0; i < count; i++) if (parent[i]! >= 0) children[childAt[parent[i]! + 1]!++] = i
  return { childAt, children }
}
