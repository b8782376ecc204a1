import type { Microseconds, Milliseconds } from '@hopscope/model'

/** What the address bar says. Every page is a pure function of one of these and of what the API answers. */
export type Route =
  | { page: 'search'; query: SearchQuery; sort: Sort }
  | TraceRoute
  | { page: 'dependencies'; time: TimeRange; view: 'graph' | 'table'; selected?: string }
  | { page: 'open' }
  | { page: 'unknown'; path: string }

export interface TraceRoute {
  page: 'trace'
  traceId: string
  view: 'hops' | 'spans'
  /** `raw`: times as reported, `adjusted`: clock skew taken out. */
  clock: 'adjusted' | 'raw'
  /** Id of the selected span. */
  selected?: string
  /** Text looked for inside the trace; '' for none. */
  find: string
  /** The part of the time axis on screen, µs from the trace's start. Absent: all of it. */
  range?: readonly [Microseconds, Microseconds]
}

export type Sort = 'newest' | 'longest' | 'spans'

/** Empty text means: any. Durations stay as typed (`10ms`), so that the link reads as it was meant. */
export interface SearchQuery {
  serviceName: string
  spanName: string
  remoteServiceName: string
  annotationQuery: string
  minDuration: string
  maxDuration: string
  time: TimeRange
  limit: number
}

/** A moving window that ends now (or at `endTs`), or a fixed one. */
export type TimeRange =
  | { kind: 'last'; lookback: Milliseconds; endTs?: Milliseconds }
  | { kind: 'between'; startTs: Milliseconds; endTs: Milliseconds }

export const DEFAULT_LIMIT = 20
export const DEFAULT_LOOKBACK: Milliseconds = 15 * 60_000

export const ANY: SearchQuery = {
  serviceName: '',
  spanName: '',
  remoteServiceName: '',
  annotationQuery: '',
  minDuration: '',
  maxDuration: '',
  time: { kind: 'last', lookback: DEFAULT_LOOKBACK },
  limit: DEFAULT_LIMIT,
}

const LOOKBACK_UNITS: Record<string, Milliseconds> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * Path below the base (`traces/463ac35c9f6413ad`) and search part → the page. Reads Zipkin's own links too:
 * `lookback=15m`, `lookback=millis&millis=900000`, `lookback=custom&startTs=…&endTs=…`, `lookback=900000`.
 */
export function parseUrl(path: string, search: string): Route {
  const parameters = new URLSearchParams(search)
  const text = (name: string) => parameters.get(name) ?? ''
  const parts = path.replace(/^\/+|\/+$/g, '').split('/')
  if (parts.length === 1 && (parts[0] === '' || parts[0] === 'index.html')) {
    const query: SearchQuery = {
      serviceName: anyAsEmpty(text('serviceName')),
      spanName: anyAsEmpty(text('spanName')),
      remoteServiceName: anyAsEmpty(text('remoteServiceName')),
      annotationQuery: text('annotationQuery'),
      minDuration: text('minDuration'),
      maxDuration: text('maxDuration'),
      time: parseTime(parameters),
      limit: positive(text('limit')) ?? DEFAULT_LIMIT,
    }
    const sort = text('sort')
    return { page: 'search', query, sort: sort === 'longest' || sort === 'spans' ? sort : 'newest' }
  }
  if (parts.length === 2 && parts[0] === 'traces' && parts[1] !== '') {
    const route: TraceRoute = {
      page: 'trace',
      traceId: decode(parts[1]!),
      view: text('view') === 'spans' ? 'spans' : 'hops',
      clock: text('clock') === 'raw' ? 'raw' : 'adjusted',
      find: text('find'),
    }
    const selected = text('span')
    if (selected) route.selected = selected
    const range = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text('t'))
    if (range && Number(range[1]) < Number(range[2])) route.range = [Number(range[1]), Number(range[2])]
    return route
  }
  if (parts.length === 1 && (parts[0] === 'dependency' || parts[0] === 'dependencies')) {
    const selected = text('select')
    return {
      page: 'dependencies',
      time: parseTime(parameters),
      view: text('view') === 'table' ? 'table' : 'graph',
      ...(selected ? { selected } : {}),
    }
  }
  if (parts.length === 1 && parts[0] === 'traceViewer') return { page: 'open' }
  return { page: 'unknown', path: `/${parts.join('/')}` }
}

/** The inverse: `traces/463ac35c9f6413ad?view=spans`, relative to the base. Defaults are left out. */
export function formatUrl(route: Route): string {
  const parameters = new URLSearchParams()
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') parameters.set(name, value)
  }
  let path = ''
  switch (route.page) {
    case 'search': {
      const { query } = route
      put('serviceName', query.serviceName)
      put('spanName', query.spanName)
      put('remoteServiceName', query.remoteServiceName)
      put('annotationQuery', query.annotationQuery)
      put('minDuration', query.minDuration)
      put('maxDuration', query.maxDuration)
      formatTime(query.time, put)
      if (query.limit !== DEFAULT_LIMIT) put('limit', String(query.limit))
      if (route.sort !== 'newest') put('sort', route.sort)
      break
    }
    case 'trace':
      path = `traces/${encodeURIComponent(route.traceId)}`
      if (route.view !== 'hops') put('view', route.view)
      if (route.clock !== 'adjusted') put('clock', route.clock)
      put('span', route.selected)
      put('find', route.find)
      if (route.range) put('t', `${route.range[0]}-${route.range[1]}`)
      break
    case 'dependencies':
      path = 'dependency'
      formatTime(route.time, put)
      if (route.view !== 'graph') put('view', route.view)
      put('select', route.selected)
      break
    case 'open':
      path = 'traceViewer'
      break
    case 'unknown':
      path = route.path.slice(1)
  }
  const search = parameters.toString()
  return search === '' ? path : `${path}?${search}`
}

/** `900_000 → 15m`; a value that no unit divides is milliseconds. */
export function formatLookback(lookback: Milliseconds): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = LOOKBACK_UNITS[unit]!
    if (lookback % size === 0) return `${lookback / size}${unit}`
  }
  return String(lookback)
}

function parseTime(parameters: URLSearchParams): TimeRange {
  const lookback = parameters.get('lookback') ?? ''
  const endTs = positive(parameters.get('endTs') ?? '')
  const startTs = positive(parameters.get('startTs') ?? '')
  if (startTs !== undefined && endTs !== undefined && startTs < endTs) return { kind: 'between', startTs, endTs }
  const length =
    lookback === 'millis' ? positive(parameters.get('millis') ?? '') : (positive(lookback) ?? parseLookback(lookback))
  const last = { kind: 'last' as const, lookback: length ?? DEFAULT_LOOKBACK }
  return endTs === undefined ? last : { ...last, endTs }
}

function parseLookback(text: string): Milliseconds | undefined {
  const match = /^(\d+)([smhdw])$/.exec(text)
  return match && Number(match[1]) > 0 ? Number(match[1]) * LOOKBACK_UNITS[match[2]!]! : undefined
}

function formatTime(time: TimeRange, put: (name: string, value: string) => void): void {
  if (time.kind === 'between') {
    put('lookback', 'custom')
    put('startTs', String(time.startTs))
    put('endTs', String(time.endTs))
    return
  }
  if (time.lookback !== DEFAULT_LOOKBACK || time.endTs !== undefined) put('lookback', formatLookback(time.lookback))
  if (time.endTs !== undefined) put('endTs', String(time.endTs))
}

function positive(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : undefined
}

/** Zipkin's older links say `all` for any. */
function anyAsEmpty(name: string): string {
  return name.toLowerCase() === 'all' ? '' : name
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
