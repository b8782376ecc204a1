import { compileRegex } from '@hopscope/envoy-config'
import {
  BUCKET_MODES,
  type BucketMode,
  type NameFilter,
  renderPrometheus,
  renderStatsJson,
  renderStatsText,
  type Stats,
  type StatsSelection,
  selectStats,
} from '@hopscope/proxy'
import type { AdminPage, AdminReply } from './admin-server.ts'
import { statsHtml } from './home-page.ts'

const TYPES: Readonly<Record<string, StatsSelection['type']>> = {
  All: undefined,
  Counters: 'counters',
  Gauges: 'gauges',
  Histograms: 'histograms',
  TextReadouts: 'texts',
}

const HIDDEN = ['include', 'only', 'exclude']

const FORMATS = ['html', 'active-html', 'json', 'prometheus', 'text']

/** `present` gives the stats of now, those that are not counted but measured (uptime, memory) too. */
export function statsPages(present: () => Promise<Stats>, resetCounters: () => Promise<void>): AdminPage[] {
  const page = async (query: URLSearchParams, format: string): Promise<AdminReply> => {
    const selection = selectionOf(query)
    if ('refused' in selection) return { status: 400, body: selection.refused }
    if (!FORMATS.includes(format)) return { status: 400, body: `usage: /stats?format=(${FORMATS.join('|')})\n\n` }
    const asked = query.get('histogram_buckets')
    // `none`: as if nobody had asked, though in Prometheus' format that is a summary then.
    const buckets = asked === 'none' ? 'summary' : asked
    if (buckets === 'prometheusnative' && format === 'prometheus') {
      return {
        status: 400,
        body: 'unsupported prometheusnative histogram type when not using protobuf exposition format',
      }
    }
    if (buckets !== null && !(BUCKET_MODES as readonly string[]).includes(buckets)) {
      return { status: 400, body: `usage: /stats?histogram_buckets=(${BUCKET_MODES.join('|')}|prometheusnative)\n` }
    }
    const mode = (buckets as BucketMode | null) ?? (format === 'prometheus' ? 'cumulative' : 'summary')
    if (format === 'prometheus' && mode !== 'cumulative' && mode !== 'summary') {
      return { status: 400, body: 'unsupported prometheus histogram bucket mode' }
    }
    // Whoever scrapes wants all of them: the type is not looked at there.
    if (format === 'prometheus') delete selection.type
    const selected = selectStats(await present(), selection)
    if (format === 'prometheus') return { body: renderPrometheus(selected, mode as 'cumulative' | 'summary') }
    if (format === 'json') return { type: 'json', body: renderStatsJson(selected, mode) }
    const text = renderStatsText(selected, mode)
    return format === 'text' ? { body: text } : { type: 'html', body: statsHtml(text, query) }
  }
  return [
    {
      path: '/stats',
      help:
        'print server stats\n' +
        '      usedonly: Only include stats that have been written by system since restart\n' +
        '      filter: Regular expression for filtering stats\n' +
        '      invert_filter: Invert the filter regex\n' +
        '      format: Format to use; One of (html, active-html, text, json)\n' +
        '      type: Stat types to include.; One of (All, Counters, Histograms, Gauges, TextReadouts)\n' +
        '      histogram_buckets: Histogram bucket display mode; One of (cumulative, disjoint, none, detailed, summary)\n' +
        '      hidden: Stats that are hidden by default, of which there are none here; One of (include, only, exclude)',
      handle: ({ query }) => page(query, query.get('format') ?? 'text'),
    },
    {
      path: '/stats/prometheus',
      help: 'print server stats in prometheus format\n      usedonly, filter, invert_filter: as for /stats\n      histogram_buckets: One of (cumulative, summary)',
      handle: ({ query }) => page(query, 'prometheus'),
    },
    {
      path: '/reset_counters',
      help: 'reset all counters to zero',
      mutates: true,
      async handle() {
        await resetCounters()
        return { body: 'OK\n' }
      },
    },
  ]
}

function selectionOf(query: URLSearchParams): StatsSelection | { refused: string } {
  const type = query.get('type') ?? 'All'
  if (!(type in TYPES)) return { refused: 'invalid &type= param' }
  const hidden = query.get('hidden') ?? 'exclude'
  if (!HIDDEN.includes(hidden)) return { refused: `usage: /stats?hidden=(${HIDDEN.join('|')})\n\n` }
  const selection: StatsSelection = { usedOnly: query.has('usedonly'), invertFilter: query.has('invert_filter') }
  const kind = TYPES[type]
  if (kind !== undefined) selection.type = kind
  const filter = query.get('filter')
  if (filter !== null) {
    const compiled = compileFilter(filter)
    if (typeof compiled === 'string') return { refused: compiled }
    selection.filter = compiled
  }
  // None of ours is.
  if (hidden === 'only') selection.filter = { test: () => selection.invertFilter === true }
  return selection
}

/** Whether a name has what a pattern looks for; or what is wrong with the pattern. */
export function compileFilter(pattern: string): NameFilter | string {
  if (pattern === '') return { test: () => true }
  try {
    const regex = compileRegex(pattern)
    return { test: name => regex.finds(name) }
  } catch (error) {
    return `Invalid re2 regex: ${(error as Error).message}`
  }
}
