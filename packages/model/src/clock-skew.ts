import type { Endpoint, Microseconds, Span } from './span.ts'
import type { SpanNode } from './tree.ts'

/** A trace whose hosts' clocks agree. */
export interface CorrectedTrace {
  /** A new tree; nodes that did not move share their spans with the old one. */
  root: SpanNode
  /** By how much each span of the new tree was moved; what is not in it was not. Negative: to an earlier time. */
  moved: ReadonlyMap<Span, Microseconds>
}

interface Skew {
  endpoint: Endpoint
  skew: Microseconds
}

/**
 * Moves servers that seem to begin before their client, with all that hangs below on the same host, by as much as puts
 * them inside the client's span. Servers that seem late stay. A host is told by its ip: spans without one never move.
 * Only where the trace has one real root. (zipkin-lens `clock-skew.js`)
 *
 *     client  0..100            client  0..100
 *       server  -500..-420  →     server  10..90      moved +510: half of what the client waited longer on either side
 */
export function correctClockSkew(root: SpanNode): CorrectedTrace {
  const moved = new Map<Span, Microseconds>()
  const isWhole =
    root.span && !root.children.some(({ span }) => span !== undefined && span.parentId === undefined && !span.shared)
  if (!isWhole) return { root, moved }

  const copy: SpanNode = { children: [] }
  if (root.detached) copy.detached = root.detached
  const stack: { from: SpanNode; to: SpanNode; inherited: Skew | undefined }[] = [
    { from: root, to: copy, inherited: undefined },
  ]
  for (let step = stack.pop(); step; step = stack.pop()) {
    const { from, to } = step
    let { inherited } = step
    const parent = from.parent?.span
    // Both ends are compared as the inherited correction leaves them: they moved together.
    const shiftedParent = parent && to.parent?.span
    let total = inherited && isOnHost(from.span!, inherited.endpoint) ? inherited.skew : 0
    let span = shift(from.span!, total)
    const found = shiftedParent && skewBetween(shiftedParent, span)
    if (found) {
      inherited = { endpoint: found.endpoint, skew: found.skew + total }
      if (isOnHost(span, found.endpoint)) {
        total += found.skew
        span = shift(from.span!, total)
      }
    }
    to.span = span
    if (total !== 0) moved.set(span, -total)
    for (const child of from.children) {
      const node: SpanNode = { parent: to, children: [] }
      to.children.push(node)
      stack.push({ from: child, to: node, inherited })
    }
  }
  return { root: copy, moved }
}

function skewBetween(client: Span, server: Span): Skew | undefined {
  if (client.kind !== 'CLIENT' || server.kind !== 'SERVER') return undefined
  const endpoint = server.localEndpoint
  if (client.timestamp === undefined || server.timestamp === undefined) return undefined
  if (!client.localEndpoint || !endpoint || isOnHost(client, endpoint)) return undefined
  const early = server.timestamp - client.timestamp
  if (early > 0) return undefined
  // One µs more than the difference, so that the server begins behind its client.
  if (client.duration === undefined || server.duration === undefined || client.duration < server.duration) {
    return { endpoint, skew: early - 1 }
  }
  const latency = Math.trunc((client.duration - server.duration) / 2)
  const skew = early - latency
  return skew === 0 ? undefined : { endpoint, skew }
}

function isOnHost({ localEndpoint }: Span, host: Endpoint): boolean {
  if (!localEndpoint) return false
  return (
    (localEndpoint.ipv6 !== undefined && localEndpoint.ipv6 === host.ipv6) ||
    (localEndpoint.ipv4 !== undefined && localEndpoint.ipv4 === host.ipv4)
  )
}

function shift(span: Span, skew: Microseconds): Span {
  if (skew === 0) return span
  const shifted: Span = { ...span }
  if (span.timestamp !== undefined) shifted.timestamp = span.timestamp - skew
  if (span.annotations) shifted.annotations = span.annotations.map(a => ({ ...a, timestamp: a.timestamp - skew }))
  return shifted
}
