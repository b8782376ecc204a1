import { QUANTILES, SHARES } from './render-text.ts'
import { byName, type SelectedStats } from './select-stats.ts'

/** `/stats?format=json`, one line. */
export function renderStatsJson(selected: SelectedStats): string {
  const stats: object[] = [
    ...selected.texts,
    ...[...selected.counters, ...selected.gauges].sort(byName).map(({ name, value }) => ({ name, value })),
  ]
  if (selected.histograms.length > 0) {
    stats.push({
      histograms: {
        supported_quantiles: QUANTILES,
        computed_quantiles: selected.histograms.map(histogram => {
          const interval = histogram.interval.quantiles(SHARES)
          const cumulative = histogram.cumulative.quantiles(SHARES)
          // A quantile of nothing is NaN, which JSON writes as null.
          return {
            name: histogram.name,
            values: SHARES.map((_, i) => ({ cumulative: cumulative[i], interval: interval[i] })),
          }
        }),
      },
    })
  }
  return JSON.stringify({ stats })
}
