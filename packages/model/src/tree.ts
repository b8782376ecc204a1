import { mergeTrace } from './merge.ts'
import type { Endpoint, Span } from './span.ts'

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
  const parentKeys = new Map<string, string | undefined>()
  for (const span of merged) parentKeys.set(keyOf(span), span.shared ? span.id : span.parentId)

  const nodes = new Map<string, SpanNode>()
  let root: SpanNode | undefined
  for (const span of merged) {
    const node: SpanNode = { span, children: [] }
    if (span.shared) {
      nodes.set(keyOf(span), node)
      // What the server did itself may lack an endpoint; the last server of an id owns it.
      nodes.set(sharedKey(span.id, undefined), node)
    } else if (span.parentId === undefined && !root) {
      root = node
      parentKeys.delete(span.id)
    } else {
      if (span.parentId !== undefined) {
        const serverHalf = sharedKey(span.parentId, span.localEndpoint)
        if (parentKeys.has(serverHalf)) parentKeys.set(span.id, serverHalf)
      }
      nodes.set(span.id, node)
    }
  }

  const head: SpanNode = root ?? { children: [] }
  for (const [key, parentKey] of parentKeys) {
    const node = nodes.get(key)!
    const parent = (parentKey !== undefined && nodes.get(parentKey)) || head
    node.parent = parent
    parent.children.push(node)
  }
  for (const node of [head, ...nodes.values()]) sortChildren(node)
  const detached = findDetached(head, merged)
  if (detached.length > 0) head.detached = detached
  return head
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

/** A shared span has an id that is not its alone: its key has the endpoint too. */
function sharedKey(id: string, endpoint: Endpoint | undefined): string {
  if (!endpoint) return `${id} shared`
  return `${id} shared ${endpoint.serviceName ?? ''}|${endpoint.ipv4 ?? ''}|${endpoint.ipv6 ?? ''}|${endpoint.port ?? ''}`
}

function keyOf(span: Span): string {
  return span.shared ? sharedKey(span.id, span.localEndpoint) : span.id
}

function findDetached(root: SpanNode, spans: readonly Span[]): Span[] {
  const attached = new Set<Span>()
  for (const { span } of breadthFirst(root)) attached.add(span)
  return attached.size === spans.length ? [] : spans.filter(span => !attached.has(span))
}

function sortChildren(node: SpanNode): void {
  if (node.children.length > 1) node.children.sort((a, b) => (a.span?.timestamp ?? 0) - (b.span?.timestamp ?? 0))
}
