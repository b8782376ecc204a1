import type { TraceItem } from '../api/trace-item.ts'

export function TourCard(_props: { items: readonly TraceItem[] }) {
  return null
}
