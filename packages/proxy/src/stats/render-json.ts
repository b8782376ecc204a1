import type { Buckets, Histogram } from './histogram.ts'
import { BOUNDS, countsByBound } from './histogram-bounds.ts'
import { type BucketMode, QUANTILES, SHARES } from './render-text.ts'
import { byName, type SelectedStats } from './select-stats.ts'
import { gaugeText } from './stats.ts'

/** `/stats?format=json`, one line. */
export function renderStatsJson(selected: SelectedStats, buckets: BucketMode = 'summary'): string {
  const stats: object[] = [
    ...selected.texts,
    ...[...selected.counters, ...selected.gauges]
      .sort(byName)
      .map(({ name, value }) => ({ name, value: whole(value) })),
  ]
  if (selected.histograms.length > 0) {
    stats.push({ histograms: histogramsJson(selected.histograms, buckets) })
  }
  return JSON.stringify({ stats })
}

/** A number of 64 bits is written with all of its digits. */
function whole(value: number): unknown {
  return value < 0 ? rawJSON(gaugeText(value)) : value
}

// TypeScript does not know it yet. (ECMAScript, JSON.parse source text access)
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

function histogramsJson(histograms: readonly Histogram[], mode: BucketMode): object {
  if (mode === 'summary') {
    return {
      supported_quantiles: QUANTILES,
      computed_quantiles: histograms.map(histogram => ({ name: histogram.name, values: quantiles(histogram) })),
    }
  }
  if (mode === 'detailed') {
    const ranges = (buckets: Buckets) =>
      buckets.ranges().map(({ lower, width, count }) => ({ lower_bound: lower, width, count }))
    return {
      supported_percentiles: QUANTILES,
      details: histograms.map(histogram => ({
        name: histogram.name,
        totals: ranges(histogram.cumulative),
        intervals: ranges(histogram.interval),
        percentiles: quantiles(histogram),
      })),
    }
  }
  return histograms.map(histogram => {
    const interval = countsByBound(histogram.interval, mode)
    const cumulative = countsByBound(histogram.cumulative, mode)
    const counts = BOUNDS.map((upper_bound, i) => ({ upper_bound, interval: interval[i], cumulative: cumulative[i] }))
    return { name: histogram.name, buckets: counts }
  })
}

/** A quantile of nothing is NaN, which JSON writes as null. */
function quantiles(histogram: Histogram): object[] {
  const interval = histogram.interval.quantiles(SHARES)
  const cumulative = histogram.cumulative.quantiles(SHARES)
  return SHARES.map((_, i) => ({ cumulative: cumulative[i], interval: interval[i] }))
}
