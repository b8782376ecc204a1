import { buildTree, correctClockSkew, depthFirst, type Microseconds, type Span, type SpanNode } from '@hopscope/model'

/** A span's place in the trace. `parent` is an index into the same list; -1 at the top. */
export interface PlacedSpan {
  span: Span
  parent: number
  /** What clock correction adds to its start, µs; 0 where its clock agrees with its caller's. */
  shift: Microseconds
  /** The parent it names is not here. */
  isOrphan: boolean
  /** It had no way to the root (its parents form a circle, or its id is taken twice): cut off, and shown at the top. */
  isCut: boolean
}

/** After so many rounds nothing is to be learnt from the order of what is left: it is shown flat. */
const MAX_ROUNDS = 100

/**
 * Spans in reading order: each, then all below it, siblings by time. Every merged span comes out exactly once, also those
 * without a way to the root: a circle is cut at its earliest span.
 */
export function orderSpans(spans: readonly Span[]): PlacedSpan[] {
  const ids = new Set(spans.map(span => span.id))
  const placed: PlacedSpan[] = []
  const root = buildTree(spans)
  place(root, placed, ids, false)
  let left = root.detached ?? []
  for (let round = 0; left.length > 0 && round < MAX_ROUNDS; round++) {
    const earliest = left.reduce((a, b) => ((b.timestamp ?? Infinity) < (a.timestamp ?? Infinity) ? b : a))
    const cut = buildTree(left.map(span => (span === earliest ? withoutParent(span) : span)))
    place(cut, placed, ids, true)
    left = cut.detached ?? []
  }
  for (const span of left) placed.push({ span, parent: -1, shift: 0, isOrphan: false, isCut: true })
  return placed
}

function place(root: SpanNode, into: PlacedSpan[], ids: ReadonlySet<string>, isCut: boolean): void {
  const { root: corrected, moved } = correctClockSkew(root)
  const indexOf = new Map<SpanNode, number>()
  // The corrected tree has the same shape, so both are read in step: one has the times, the other what was reported.
  const correctedNodes = depthFirst(corrected)
  for (const node of depthFirst(root)) {
    const { span } = node
    const correctedSpan = correctedNodes.next().value?.span
    const parent = node.parent ? (indexOf.get(node.parent) ?? -1) : -1
    indexOf.set(node, into.length)
    into.push({
      span,
      parent,
      shift: (correctedSpan && moved.get(correctedSpan)) ?? 0,
      isOrphan: span.parentId !== undefined && !span.shared && !ids.has(span.parentId),
      isCut: isCut && parent === -1,
    })
  }
}

function withoutParent(span: Span): Span {
  const { parentId: _, ...rest } = span
  return rest
}
