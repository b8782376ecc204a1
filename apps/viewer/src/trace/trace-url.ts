import type { Microseconds } from '@hopscope/model'
import { formatJoins, type Join, parseJoins } from './join-traces.ts'

export const TRACE_VIEWS = ['hops', 'spans', 'flame', 'sequence', 'table'] as const
export type TraceView = (typeof TRACE_VIEWS)[number]

/** What a link says of a trace's page. */
export interface TraceRoute {
  page: 'trace'
  traceId: string
  view: TraceView
  /** `raw`: times as reported, `adjusted`: clock skew taken out. */
  clock: 'adjusted' | 'raw'
  /** The critical path is marked. */
  critical: boolean
  /** Id of the selected span. */
  selected?: string
  /** Text looked for inside the trace; '' for none. */
  find: string
  /** Of the timeline's rows only those that were found, and what is above them. */
  onlyFound?: true
  /** Other traces that were put below spans of this one. */
  joined?: readonly Join[]
  /** The part of the time axis on screen, µs from the trace's start. Absent: all of it. */
  range?: readonly [Microseconds, Microseconds]
}

/** A trace as it opens when nothing else is said. */
export function traceRoute(traceId: string, selected?: string): TraceRoute {
  const route: TraceRoute = { page: 'trace', traceId, view: 'hops', clock: 'adjusted', critical: true, find: '' }
  return selected === undefined ? route : { ...route, selected }
}

export function parseTraceUrl(traceId: string, parameters: URLSearchParams): TraceRoute {
  const text = (name: string) => parameters.get(name) ?? ''
  const route: TraceRoute = {
    page: 'trace',
    traceId,
    view: TRACE_VIEWS.find(view => view === text('view')) ?? 'hops',
    clock: text('clock') === 'raw' ? 'raw' : 'adjusted',
    critical: text('critical') !== 'off',
    find: text('find'),
  }
  if (text('rows') === 'found') route.onlyFound = true
  const selected = text('span')
  if (selected) route.selected = selected
  const joined = parseJoins(text('join'))
  if (joined.length > 0) route.joined = joined
  const range = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text('t'))
  if (range && Number(range[1]) < Number(range[2])) route.range = [Number(range[1]), Number(range[2])]
  return route
}

export function formatTraceUrl(route: TraceRoute, put: (name: string, value: string | undefined) => void): string {
  if (route.view !== 'hops') put('view', route.view)
  if (route.clock !== 'adjusted') put('clock', route.clock)
  if (!route.critical) put('critical', 'off')
  put('span', route.selected)
  put('find', route.find)
  if (route.onlyFound) put('rows', 'found')
  if (route.joined) put('join', formatJoins(route.joined))
  if (route.range) put('t', `${route.range[0]}-${route.range[1]}`)
  return `traces/${encodeURIComponent(route.traceId)}`
}
