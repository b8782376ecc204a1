import type { TraceSummary } from '@hopscope/model'
import type { Sort } from '../url.ts'

/** Ties keep the order in which the API gave them. */
export function sortSummaries(summaries: readonly TraceSummary[], sort: Sort): TraceSummary[] {
  const by: Record<Sort, (a: TraceSummary, b: TraceSummary) => number> = {
    newest: (a, b) => (b.timestamp ?? 0) - (a.timestamp ?? 0),
    longest: (a, b) => (b.duration ?? 0) - (a.duration ?? 0),
    spans: (a, b) => b.spanCount - a.spanCount,
  }
  return summaries.toSorted(by[sort])
}
