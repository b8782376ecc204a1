import { byName, type SelectedStats } from './select-stats.ts'
import type { Histogram } from './stats.ts'

/** In percent, as Envoy shows them. */
export const QUANTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100]
export const SHARES = QUANTILES.map(percent => percent / 100)

/** `/stats`: one `name: value` a line; texts, then counters and gauges together, then histograms. */
export function renderStatsText(selected: SelectedStats): string {
  let page = ''
  for (const { name, value } of selected.texts) page += `${name}: "${value}"\n`
  for (const { name, value } of [...selected.counters, ...selected.gauges].sort(byName)) page += `${name}: ${value}\n`
  for (const histogram of selected.histograms) page += `${histogram.name}: ${quantileText(histogram)}\n`
  return page
}

function quantileText(histogram: Histogram): string {
  if (!histogram.used) return 'No recorded values'
  const interval = histogram.interval.quantiles(SHARES)
  const cumulative = histogram.cumulative.quantiles(SHARES)
  return QUANTILES.map((percent, i) => `P${percent}(${numberText(interval[i]!)},${numberText(cumulative[i]!)})`).join(
    ' ',
  )
}

function numberText(value: number): string {
  return Number.isNaN(value) ? 'nan' : String(value)
}
