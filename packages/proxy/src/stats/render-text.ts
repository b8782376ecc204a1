import type { Buckets } from './histogram.ts'
import { BOUNDS, countsByBound } from './histogram-bounds.ts'
import { byName, type SelectedStats } from './select-stats.ts'
import { gaugeText, type Histogram } from './stats.ts'

/** In percent, as Envoy shows them. */
export const QUANTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]
export const SHARES = QUANTILES.map(percent => percent / 100)

/** `/stats`: one `name: value` a line; texts, then counters and gauges together, then histograms. */
export function renderStatsText(selected: SelectedStats, buckets: BucketMode = 'summary'): string {
  let page = ''
  for (const { name, value } of selected.texts) page += `${name}: "${value}"\n`
  for (const { name, value } of [...selected.counters, ...selected.gauges].sort(byName))
    page += `${name}: ${gaugeText(value)}\n`
  for (const histogram of selected.histograms) page += `${histogram.name}:${histogramText(histogram, buckets)}\n`
  return page
}

/** How histograms are shown: quantiles, counts by fixed bounds, or both with all that there is. (`histogram_buckets`) */
export const BUCKET_MODES = ['cumulative', 'disjoint', 'detailed', 'summary'] as const
/** How histograms are written (`?histogram_buckets=`). */
export type BucketMode = (typeof BUCKET_MODES)[number]

function histogramText(histogram: Histogram, mode: BucketMode): string {
  if (!histogram.used) return ' No recorded values'
  if (mode === 'summary') return ` ${quantileText(histogram)}`
  if (mode === 'detailed') {
    const ranges = (buckets: Buckets) =>
      buckets
        .ranges()
        .map(({ lower, width, count }) => `${lower},${width}:${count}`)
        .join(' ')
    return `\n  totals=${ranges(histogram.cumulative)}\n  intervals=${ranges(histogram.interval)}\n  summary=${quantileText(histogram)}`
  }
  const interval = countsByBound(histogram.interval, mode)
  const cumulative = countsByBound(histogram.cumulative, mode)
  return ` ${BOUNDS.map((bound, i) => `B${sixDigits(bound)}(${interval[i]},${cumulative[i]})`).join(' ')}`
}

/** C's `%g`. */
function sixDigits(value: number): string {
  return value < 1e6 ? String(value) : value.toExponential().replace(/e\+(\d)$/, 'e+0$1')
}

function quantileText(histogram: Histogram): string {
  const interval = histogram.interval.quantiles(SHARES)
  const cumulative = histogram.cumulative.quantiles(SHARES)
  return QUANTILES.map((percent, i) => `P${percent}(${numberText(interval[i]!)},${numberText(cumulative[i]!)})`).join(
    ' ',
  )
}

function numberText(value: number): string {
  return Number.isNaN(value) ? 'nan' : String(value)
}
