import { extractTags, type TaggedName } from './extract-tags.ts'
import { BOUNDS } from './histogram-bounds.ts'
import { SHARES } from './render-text.ts'
import { byName, type SelectedStats } from './select-stats.ts'
import { gaugeText, type Histogram } from './stats.ts'

/** `/stats/prometheus`: counters, gauges, histograms; within each by name without its tags, then by full name. */
export function renderPrometheus(selected: SelectedStats, buckets: 'cumulative' | 'summary' = 'cumulative'): string {
  return (
    renderGroup('counter', selected.counters, (name, labels, { value }) => `${name}{${labels}} ${value}\n`) +
    renderGroup('gauge', selected.gauges, (name, labels, { value }) => `${name}{${labels}} ${gaugeText(value)}\n`) +
    (buckets === 'cumulative'
      ? renderGroup('histogram', selected.histograms, histogramLines)
      : renderGroup('summary', selected.histograms, summaryLines))
  )
}

function renderGroup<Stat extends { name: string }>(
  type: string,
  stats: readonly Stat[],
  lines: (name: string, labels: string, stat: Stat) => string,
): string {
  const families = new Map<string, { name: string; members: Member<Stat>[] }>()
  for (const stat of stats) {
    const tagged = extractTags(stat.name)
    let family = families.get(tagged.name)
    if (family === undefined) {
      family = { name: tagged.name, members: [] }
      families.set(tagged.name, family)
    }
    // Names are compared piece by piece: `a.x` comes before `a-b.x`.
    family.members.push({ tagged, stat, order: stat.name.replaceAll('.', '\0') })
  }
  let page = ''
  for (const { name, members } of [...families.values()].sort(byName)) {
    const metric = `envoy_${name.replace(/[^a-zA-Z0-9_]/g, '_')}`
    page += `# TYPE ${metric} ${type}\n`
    members.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    for (const { tagged, stat } of members) page += lines(metric, labelText(tagged), stat)
  }
  return page
}

interface Member<Stat> {
  tagged: TaggedName
  stat: Stat
  order: string
}

function labelText({ labels }: TaggedName): string {
  return labels.map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`).join(',')
}

function histogramLines(name: string, labels: string, histogram: Histogram): string {
  const { cumulative } = histogram
  const also = labels === '' ? '' : `${labels},`
  let lines = ''
  for (const bound of BOUNDS) lines += `${name}_bucket{${also}le="${bound}"} ${cumulative.countUpTo(bound)}\n`
  lines += `${name}_bucket{${also}le="+Inf"} ${cumulative.total}\n`
  lines += `${name}_sum{${labels}} ${digits32(cumulative.sum())}\n`
  lines += `${name}_count{${labels}} ${cumulative.total}\n`
  return lines
}

function summaryLines(name: string, labels: string, { cumulative }: Histogram): string {
  const also = labels === '' ? '' : `${labels},`
  const values = cumulative.quantiles(SHARES)
  let lines = ''
  for (const [i, share] of SHARES.entries())
    lines += `${name}{${also}quantile="${Number(share.toFixed(4))}"} ${Number.isNaN(values[i]!) ? 'nan' : digits32(values[i]!)}\n`
  lines += `${name}_sum{${labels}} ${digits32(cumulative.sum())}\n`
  lines += `${name}_count{${labels}} ${cumulative.total}\n`
  return lines
}

/** C's `%.32g`. */
function digits32(value: number): string {
  const text = value.toPrecision(32)
  return text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text
}
