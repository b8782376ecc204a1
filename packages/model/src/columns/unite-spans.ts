import { mergeTrace } from '../merge.ts'
import type { Span } from '../span.ts'

export interface UnitedSpans {
  /** Spans with one id are neighbours, in the order of a merge. */
  spans: Span[]
  /** Rows of `spans` that are further attempts under the id of the one before. */
  repeats: ReadonlySet<number>
}

/**
 * What several reports say of one span becomes one span, as in `mergeTrace`, but at the cost of those ids alone that come
 * more than once. A server's halves that follow one another in time are attempts and stay apart.
 */
export function uniteSpans(spans: readonly Span[]): UnitedSpans {
  const first = new Map<string, number>()
  const next = new Int32Array(spans.length).fill(-1)
  const last = new Int32Array(spans.length)
  for (let i = 0; i < spans.length; i++) {
    const { id } = spans[i]!
    const head = first.get(id)
    if (head === undefined) {
      first.set(id, i)
      last[i] = i
    } else {
      next[last[head]!] = i
      last[head] = i
    }
  }
  const united: Span[] = []
  const repeats = new Set<number>()
  for (const head of first.values()) {
    const other = next[head]!
    if (other < 0) {
      united.push(spans[head]!)
      continue
    }
    if (next[other]! < 0 && areHalves(spans[head]!, spans[other]!)) {
      united.push(spans[head]!, spans[other]!)
      continue
    }
    if (next[other]! < 0 && areHalves(spans[other]!, spans[head]!)) {
      united.push(spans[other]!, spans[head]!)
      continue
    }
    const group: Span[] = []
    for (let i = head; i >= 0; i = next[i]!) group.push(spans[i]!)
    const { firsts, again } = separateRepeats(group)
    for (const span of mergeTrace(firsts)) united.push(span)
    for (const span of again) {
      repeats.add(united.length)
      united.push(span)
    }
  }
  return { spans: united, repeats }
}

/** A client's half and its server's, of which neither needs a repair. */
function areHalves(client: Span, server: Span): boolean {
  return (
    client.kind === 'CLIENT' &&
    !client.shared &&
    server.shared === true &&
    server.kind !== 'CLIENT' &&
    (server.parentId !== undefined || client.parentId === undefined)
  )
}

function separateRepeats(group: readonly Span[]): { firsts: Span[]; again: Span[] } {
  const firsts: Span[] = []
  const again: Span[] = []
  const seen = new Map<string | undefined, Span>()
  for (const span of group.toSorted((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0))) {
    const service = span.localEndpoint?.serviceName
    const isTimed = span.shared && span.timestamp !== undefined && span.duration !== undefined
    const first = isTimed ? seen.get(service) : undefined
    if (first?.duration !== undefined && span.timestamp! >= first.timestamp! + first.duration) again.push(span)
    else {
      if (span.shared && span.timestamp !== undefined) seen.set(service, span)
      firsts.push(span)
    }
  }
  return { firsts, again }
}
