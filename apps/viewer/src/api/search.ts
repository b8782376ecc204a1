import { type TimeRange, windowOf } from '../shared/time-range.ts'
import { getJson } from './get-json.ts'
import type { TraceItem } from './trace-item.ts'

/** The first page is there at once; who scrolls on gets large ones. */
const FIRST_PAGE = 200
const NEXT_PAGE = 1_000
/** Pages that found nothing, after which a person is shown that nothing was found so far. */
const MAX_EMPTY = 25

/** A page of what a typed query finds, newest first; `next` is the cursor of the page behind it. */
export async function searchTraces(
  text: string,
  time: TimeRange,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<{ items: TraceItem[]; next: string | undefined }> {
  let next = cursor
  for (let empty = 0; ; empty++) {
    const page = await getJson<{ traces: TraceItem[]; next?: string }>(
      'search',
      { q: text, ...windowOf(time), limit: next === undefined ? FIRST_PAGE : NEXT_PAGE, cursor: next },
      signal,
      'hopscope/v1',
    )
    next = page.next
    if (page.traces.length > 0 || next === undefined || empty >= MAX_EMPTY) return { items: page.traces, next }
  }
}
