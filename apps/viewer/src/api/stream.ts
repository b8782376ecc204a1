import { apiUrl } from '../shared/navigation.ts'
import type { TraceItem } from './trace-item.ts'

export interface StreamListener {
  onTrace(item: TraceItem): void
  /** Traces that came too fast to be told of. */
  onDropped(count: number): void
  /** `false` while the connection is lost; it is made again by itself. */
  onOpen(isOpen: boolean): void
}

/** New traces, and those that grow, as they are stored. Returns what ends it. */
export function openStream(listener: StreamListener): () => void {
  const source = new EventSource(apiUrl('api/hopscope/v1/stream'))
  source.addEventListener('open', () => listener.onOpen(true))
  source.addEventListener('error', () => listener.onOpen(false))
  source.addEventListener('trace', event => listener.onTrace(JSON.parse(event.data) as TraceItem))
  source.addEventListener('dropped', event => listener.onDropped((JSON.parse(event.data) as { count: number }).count))
  return () => source.close()
}
