import type { Span } from '@hopscope/model'

/** Another trace that a person put below a span of this one. */
export interface Join {
  traceId: string
  parentId: string
}

/** `a.b~c.d` ↔ joins, as a link has them. */
export function parseJoins(text: string): Join[] {
  return text.split('~').flatMap(part => {
    const match = /^([0-9a-f]{16,32})\.([0-9a-f]{16})$/.exec(part)
    return match ? [{ traceId: match[1]!, parentId: match[2]! }] : []
  })
}

export function formatJoins(joins: readonly Join[]): string {
  return joins.map(({ traceId, parentId }) => `${traceId}.${parentId}`).join('~')
}

/**
 * The spans of a trace and, below the spans that were named, those of others. `inferred`: ids of the spans that were put
 * there.
 */
export function joinTraces(
  spans: readonly Span[],
  others: readonly { spans: readonly Span[]; parentId: string }[],
): { spans: Span[]; inferred: Set<string> } {
  const joined = [...spans]
  const inferred = new Set<string>()
  for (const { spans: other, parentId } of others) {
    const ids = new Set(other.map(({ id }) => id))
    for (const span of other) {
      const isHead = span.parentId === undefined || !ids.has(span.parentId)
      if (!isHead) {
        joined.push(span)
        continue
      }
      joined.push({ ...span, parentId })
      inferred.add(span.id)
    }
  }
  return { spans: joined, inferred }
}
