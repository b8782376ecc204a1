import type { TraceItem } from '../api/trace-item.ts'
import type { Sort } from './search-url.ts'

const BY: Record<Sort, (a: TraceItem, b: TraceItem) => number> = {
  newest: (a, b) => (b.timestamp ?? 0) - (a.timestamp ?? 0),
  longest: (a, b) => (b.duration ?? 0) - (a.duration ?? 0),
  spans: (a, b) => b.spanCount - a.spanCount,
}

/** Ties keep the order in which the API gave them. */
export function sortItems(items: readonly TraceItem[], sort: Sort): TraceItem[] {
  return items.toSorted(BY[sort])
}
