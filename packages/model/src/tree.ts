import { mergeTrace } from './merge.ts'
import type { Endpoint, Span } from './span.ts'

/** A span in its place in the trace. */
export interface SpanNode {
  /** Absent only on a root that stands for a missing one (a headless trace, or none at all). */
  span?: Span
  /** Absent on the root. */
  parent?: SpanNode
  /** By timestamp, untimestamped first. */
  children: SpanNode[]
  /**
   * On the root only: spans with no way to it. They are each other's ancestors, or have lost their place to another
   * unshared span of the same id.
   */
  detached?: Span[]
}

/**
 * Spans of one trace, in any order, merged or not → its tree. (zipkin `SpanNode.Builder`, step by step: links follow from
 * it, and they must be zipkin-server's also where a trace is damaged.)
 *
 * The server's half of a shared span hangs under the client's half; what the server did itself (same id as parent, same
 * endpoint) hangs under the server's half. The first parentless span is the root; further ones, and spans whose parent
 * is missing, hang under it. Nothing here recurses: a chain of 100,000 spans is as good as any.
 */
export function buildTree(spans: readonly Span[]): SpanNode {
  const merged = mergeTrace(spans)
  const ids = placesById(merged)
  let root: SpanNode | undefined
  for (const span of merged) {
    const node: SpanNode = { span, children: [] }
    const places = ids.get(span.id)!
    if (span.shared) {
      findPlace(places, span.localEndpoint)!.node = node
      // What the server did itself may lack an endpoint; the last server of an id owns it.
      const nameless = findPlace(places, undefined)
      if (nameless) nameless.node = node
    } else if (span.parentId === undefined && !root) {
      root = node
      places.own!.isPlaced = false
    } else {
      const own = places.own!
      own.node = node
      const serverHalf = span.parentId === undefined ? undefined : findPlace(ids.get(span.parentId), span.localEndpoint)
      if (serverHalf) {
        own.serverHalf = serverHalf
        own.isPlaced = true
      }
    }
  }

  const head: SpanNode = root ?? { children: [] }
  for (const { own, shared } of ids.values()) {
    if (own?.isPlaced) attach(own.node!, own.serverHalf?.node ?? ownNode(ids, own.parentId) ?? head)
    // A server's half belongs below the client's half, which has its id.
    if (shared) for (const { node } of shared) attach(node!, own?.node ?? head)
  }
  for (const node of allNodes(head, ids)) sortChildren(node)
  const detached = findDetached(head, merged)
  if (detached.length > 0) head.detached = detached
  return head
}

/** What goes by one id: the span of its own, of several the last, and the servers' halves, each by its endpoint. */
interface Places {
  own?: { parentId: string | undefined; isPlaced: boolean; node?: SpanNode; serverHalf?: SharedPlace }
  shared?: SharedPlace[]
}
interface SharedPlace {
  endpoint: Endpoint | undefined
  node?: SpanNode
}

function placesById(merged: readonly Span[]): Map<string, Places> {
  const ids = new Map<string, Places>()
  let places: Places = {}
  let previous: string | undefined
  for (const { id, parentId, shared, localEndpoint } of merged) {
    // They are in the order of their ids.
    if (id !== previous) {
      places = {}
      ids.set(id, places)
      previous = id
    }
    if (!shared) places.own = { parentId, isPlaced: true }
    else if (!findPlace(places, localEndpoint)) {
      places.shared ??= []
      places.shared.push({ endpoint: localEndpoint })
    }
  }
  return ids
}

function findPlace(places: Places | undefined, endpoint: Endpoint | undefined): SharedPlace | undefined {
  if (!places?.shared) return undefined
  for (const place of places.shared) if (isSameEndpoint(place.endpoint, endpoint)) return place
  return undefined
}

function isSameEndpoint(a: Endpoint | undefined, b: Endpoint | undefined): boolean {
  if (!a || !b) return a === b
  return a.serviceName === b.serviceName && a.ipv4 === b.ipv4 && a.ipv6 === b.ipv6 && a.port === b.port
}

function ownNode(ids: Map<string, Places>, id: string | undefined): SpanNode | undefined {
  return id === undefined ? undefined : ids.get(id)?.own?.node
}

function attach(node: SpanNode, parent: SpanNode): void {
  node.parent = parent
  parent.children.push(node)
}

function* allNodes(head: SpanNode, ids: Map<string, Places>): Generator<SpanNode> {
  yield head
  for (const { own, shared } of ids.values()) {
    if (own?.node) yield own.node
    if (shared) for (const { node } of shared) yield node!
  }
}

/** Every node with a span, parents before children, each level after the one above it. */
export function* breadthFirst(root: SpanNode): Generator<SpanNode & { span: Span }> {
  const queue: SpanNode[] = [root]
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i]!
    if (node.span) yield node as SpanNode & { span: Span }
    for (const child of node.children) queue.push(child)
  }
}

/** Every node with a span as a reader reads a trace: a node, then each child with all below it. */
export function* depthFirst(root: SpanNode): Generator<SpanNode & { span: Span }> {
  const stack: SpanNode[] = [root]
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.span) yield node as SpanNode & { span: Span }
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]!)
  }
}

function findDetached(root: SpanNode, spans: readonly Span[]): Span[] {
  let count = 0
  for (const _ of breadthFirst(root)) count++
  if (count === spans.length) return []
  const attached = new Set<Span>()
  for (const { span } of breadthFirst(root)) attached.add(span)
  return spans.filter(span => !attached.has(span))
}

function sortChildren(node: SpanNode): void {
  if (node.children.length > 1) node.children.sort((a, b) => (a.span?.timestamp ?? 0) - (b.span?.timestamp ?? 0))
}
