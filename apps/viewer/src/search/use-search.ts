import { parseTypedQuery } from '@hopscope/model'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/get-json.ts'
import { searchTraces } from '../api/search.ts'
import type { TraceItem } from '../api/trace-item.ts'
import { formatUrl } from '../url.ts'
import type { SearchRoute } from './search-url.ts'

export interface Found {
  /** `unasked`: the query cannot be read, which the box says by itself. */
  state: 'loading' | 'done' | 'failed' | 'unasked'
  items: readonly TraceItem[]
  hasMore: boolean
  error?: ApiError
}

/** As many as a person scrolls through; the list says when there are more. */
const MAX_ITEMS = 20_000
const NOTHING: readonly TraceItem[] = []

/** The traces of a search, page after page: `more` asks for the next one, `refresh` begins anew. */
export function useSearch(route: SearchRoute): [found: Found, ask: { more: () => void; refresh: () => void }] {
  const key = formatUrl({ ...route, sort: 'newest' })
  const [round, setRound] = useState(0)
  const [found, setFound] = useState<Found & { key: string }>({
    key,
    state: 'loading',
    items: NOTHING,
    hasMore: false,
  })
  const paging = useRef<{ cursor: string | undefined; isAsking: boolean; signal: AbortSignal } | undefined>(undefined)
  const latest = useRef(route)
  latest.current = route

  const ask = useCallback(async (before: readonly TraceItem[]) => {
    const page = paging.current!
    page.isAsking = true
    try {
      const { q, time } = latest.current
      const { items, next } = await searchTraces(q, time, page.cursor, page.signal)
      if (page.signal.aborted) return
      page.cursor = next
      page.isAsking = false
      const all = [...before, ...items]
      setFound(last => ({ key: last.key, state: 'done', items: all, hasMore: next !== undefined }))
    } catch (error) {
      if (page.signal.aborted) return
      const failure = error instanceof ApiError ? error : new ApiError(String((error as Error).message ?? error))
      setFound(last => ({ ...last, state: 'failed', error: failure }))
    }
  }, [])

  // a new round is the same question again
  useEffect(() => {
    const controller = new AbortController()
    paging.current = { cursor: undefined, isAsking: false, signal: controller.signal }
    if (parseTypedQuery(latest.current.q).problems.length > 0) {
      setFound({ key, state: 'unasked', items: NOTHING, hasMore: false })
      return
    }
    setFound(last => ({
      key,
      state: 'loading',
      items: last.key === key ? last.items : NOTHING,
      hasMore: false,
    }))
    void ask(NOTHING)
    return () => controller.abort()
  }, [key, round, ask])

  const more = useCallback(() => {
    const page = paging.current
    if (!page || page.isAsking || page.cursor === undefined || found.items.length >= MAX_ITEMS) return
    void ask(found.items)
  }, [ask, found.items])
  const refresh = useCallback(() => setRound(n => n + 1), [])
  return [found, { more, refresh }]
}
