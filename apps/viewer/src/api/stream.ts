import { fetchTraces } from './queries.ts'
import { itemOf, type TraceItem } from './trace-item.ts'

export interface StreamListener {
  onTrace(item: TraceItem): void
  /** Traces that the collector could not keep for us, because we read too slowly. */
  onDropped(count: number): void
  /** `false` while the connection is lost; it is made again by itself. */
  onOpen(isOpen: boolean): void
}

const POLL_MS = 1_000
const POLL_LOOKBACK = 30_000
const POLL_LIMIT = 100

/** New traces, and those that grow. Returns what ends it. */
export function openStream(listener: StreamListener): () => void {
  const controller = new AbortController()
  const told = new Map<string, number>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const poll = async () => {
    try {
      const traces = await fetchTraces('', { kind: 'last', lookback: POLL_LOOKBACK }, POLL_LIMIT, controller.signal)
      listener.onOpen(true)
      for (const spans of traces.reverse()) {
        const { traceId } = spans[0]!
        if (told.get(traceId) === spans.length) continue
        told.set(traceId, spans.length)
        listener.onTrace(itemOf(spans))
      }
    } catch {
      if (controller.signal.aborted) return
      listener.onOpen(false)
    }
    timer = setTimeout(poll, POLL_MS)
  }
  void poll()
  return () => {
    controller.abort()
    clearTimeout(timer)
  }
}
