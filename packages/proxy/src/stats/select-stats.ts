import type { Histogram, Stats } from './stats.ts'

/** As a regular expression has it. */
export interface NameFilter {
  test(name: string): boolean
}

/** Which stats a page shows. */
export interface StatsSelection {
  usedOnly?: boolean
  /** Found anywhere in the name. */
  filter?: NameFilter
  invertFilter?: boolean
  /** Absent: all. */
  type?: 'counters' | 'gauges' | 'histograms' | 'texts'
}

export interface Scalar {
  name: string
  value: number
}

/** Everything by name. */
export interface SelectedStats {
  texts: { name: string; value: string }[]
  counters: Scalar[]
  gauges: Scalar[]
  histograms: Histogram[]
}

/** The stats that a query of the admin port asks for, sorted by name. */
export function selectStats(stats: Stats, selection: StatsSelection): SelectedStats {
  const { usedOnly = false, filter, invertFilter = false, type } = selection
  const takes = (kind: StatsSelection['type'], name: string, used: boolean) =>
    (type === undefined || type === kind) &&
    (used || !usedOnly) &&
    (filter === undefined || filter.test(name) !== invertFilter)
  return {
    texts: [...stats.texts]
      .filter(([name]) => takes('texts', name, true))
      .map(([name, value]) => ({ name, value }))
      .sort(byName),
    counters: [...stats.counters.values()].filter(c => takes('counters', c.name, c.used)).sort(byName),
    gauges: [...stats.gauges.values()].filter(g => takes('gauges', g.name, g.used)).sort(byName),
    histograms: [...stats.histograms.values()].filter(h => takes('histograms', h.name, h.used)).sort(byName),
  }
}

/** By code unit, as Envoy sorts bytes; not by a language's alphabet. */
export function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}
