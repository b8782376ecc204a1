import type { DependencyLink, Span } from './span.ts'
import { breadthFirst, buildTree, type SpanNode } from './tree.ts'

/**
 * Who calls whom, counted over traces, by zipkin-server's rules (zipkin `DependencyLinker`). Give it whole traces: all
 * spans that share the low 64 bits of their trace id. Links come in order of their first appearance.
 *
 *     const linker = new DependencyLinker()
 *     linker.putTrace(spans)
 *     linker.links() // [{ parent: 'web', child: 'app', callCount: 1 }]
 */
export class DependencyLinker {
  /** By parent, then child: a name may hold any character, so no text joins the two. */
  readonly #counts = new Map<string, Map<string, DependencyLink>>()
  readonly #links: DependencyLink[] = []

  putTrace(spans: readonly Span[]): void {
    if (spans.length === 0) return
    const root = buildTree(spans)
    // The nearest span above that is one end of a call; local work is passed over. Parents come first, so theirs is known.
    const ancestors = new Map<SpanNode, Span | undefined>()
    for (const node of breadthFirst(root)) {
      const above = node.parent
      const ancestor = above?.span?.kind ? above.span : above && ancestors.get(above)
      ancestors.set(node, ancestor)
      this.#visit(node, node === root, ancestor)
    }
  }

  links(): DependencyLink[] {
    return this.#links.map(link => ({ ...link }))
  }

  #visit(node: SpanNode & { span: Span }, isRoot: boolean, ancestor: Span | undefined): void {
    const { span } = node
    const local = span.localEndpoint?.serviceName
    const remote = span.remoteEndpoint?.serviceName

    // The other side will speak for this call.
    if (span.kind === 'CLIENT' && node.children.length > 0) return
    // Old reporters leave the kind out; two names are as good as a client's.
    const kind = span.kind ?? (local !== undefined && remote !== undefined ? 'CLIENT' : undefined)
    if (kind === undefined) return

    const isIncoming = kind === 'SERVER' || kind === 'CONSUMER'
    if (isIncoming && isRoot && remote === undefined) return
    let parent = isIncoming ? remote : local
    const child = isIncoming ? local : remote
    let isError = isFailed(span)

    // A broker is between them: producer and consumer are not linked to each other.
    if (kind === 'PRODUCER' || kind === 'CONSUMER') {
      if (parent !== undefined && child !== undefined) this.#add(parent, child, isError)
      return
    }

    const ancestorName = ancestor?.localEndpoint?.serviceName
    if (ancestor && ancestorName !== undefined) {
      // A service between the two did not report its server side.
      if (kind === 'CLIENT' && local !== undefined && ancestorName !== local) this.#add(ancestorName, local, false)
      // What an ancestor says of itself is worth more than what a server says of its peer.
      if (kind === 'SERVER' || parent === undefined) parent = ancestorName
      if (!isError && ancestor.kind === 'CLIENT' && span.parentId !== undefined && span.parentId === ancestor.id) {
        isError = isFailed(ancestor)
      }
    }
    if (parent !== undefined && child !== undefined) this.#add(parent, child, isError)
  }

  #add(parent: string, child: string, isError: boolean): void {
    let children = this.#counts.get(parent)
    if (!children) {
      children = new Map()
      this.#counts.set(parent, children)
    }
    let link = children.get(child)
    if (!link) {
      link = { parent, child, callCount: 0 }
      children.set(child, link)
      this.#links.push(link)
    }
    link.callCount++
    if (isError) link.errorCount = (link.errorCount ?? 0) + 1
  }
}

/** A tag `error` of any value marks a span failed, also `""` and `"false"`. */
function isFailed(span: Span): boolean {
  return span.tags?.error !== undefined
}
