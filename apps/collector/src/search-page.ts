import {
  isAfterthought,
  type Milliseconds,
  matchesTypedQuery,
  newestInWindow,
  queryRequestOf,
  type Span,
  type TypedQuery,
} from '@hopscope/model'
import type { SpanStore } from '@hopscope/store'

/** Where a search goes on. The window stays that of its first page, so that what arrives meanwhile moves nothing. */
export interface Cursor {
  endTs: Milliseconds
  lookback: Milliseconds
  /** All traces whose newest span is later were read. */
  at: Milliseconds
  /** Those of exactly that millisecond that were read. */
  seen: string[]
}

/** Traces read from the store at a time. */
const CHUNK = 200
/** Traces looked at for one page: a query that few are like gets its pages in parts. */
const MAX_READ = 4_000

/** `1700000000000.900000.1699999999123.463ac35c9f6413ad`: the window, where it is, and what was read of that place. */
export function formatCursor({ endTs, lookback, at, seen }: Cursor): string {
  return [endTs, lookback, at, ...seen].join('.')
}

export function parseCursor(text: string): Cursor | undefined {
  const match = /^(\d{1,16})\.(\d{1,16})\.(\d{1,16})((?:\.[0-9a-f]{16,32})*)$/.exec(text)
  if (!match) return undefined
  const [, endTs, lookback, at, seen] = match
  return { endTs: Number(endTs), lookback: Number(lookback), at: Number(at), seen: seen!.split('.').slice(1) }
}

/**
 * One page of what a typed query finds. A store gives traces by their newest span inside the window that it is asked for;
 * asked with an earlier end, it gives a trace that reaches over that end once more: by its newest span in the window of
 * the search it was read before, and is left out.
 */
export async function searchPage(
  store: SpanStore,
  query: TypedQuery,
  cursor: Cursor,
  limit: number,
  signal: AbortSignal | undefined,
): Promise<{ traces: Span[][]; next: string | undefined }> {
  const { endTs, lookback } = cursor
  const start = endTs - lookback
  const traces: Span[][] = []
  let { at } = cursor
  let seen = new Set(cursor.seen)
  let read = 0
  const here = () => formatCursor({ endTs, lookback, at, seen: [...seen] })
  while (at > start && read < MAX_READ) {
    // What was read of this millisecond comes first again.
    const chunk = CHUNK + seen.size
    const end = at
    const found = await store.getTraces(
      queryRequestOf(query, { endTs: end, lookback: end - start, limit: chunk }),
      signal,
    )
    for (const spans of found) {
      const { traceId } = spans[0]!
      const place = newestInWindow({ endTs: end, lookback: end - start }, spans)!
      if (place === at && seen.has(traceId)) continue
      if (traces.length === limit) return { traces, next: here() }
      if (place < at) {
        at = place
        seen = new Set()
      }
      seen.add(traceId)
      read++
      if (newestInWindow({ endTs, lookback }, spans)! > end) continue
      if (!isAfterthought(query) || matchesTypedQuery(query, spans)) traces.push(spans)
    }
    if (found.length < chunk) return { traces, next: undefined }
  }
  return { traces, next: at > start ? here() : undefined }
}
