import { type CompareRoute, formatCompareUrl, parseCompareUrl } from './compare/compare-url.ts'
import { formatLiveUrl, type LiveRoute, parseLiveUrl } from './live/live-url.ts'
import { formatMeshUrl, type MeshRoute, parseMeshUrl } from './mesh/mesh-url.ts'
import {
  formatSearchUrl,
  isZipkinSearch,
  parseSearchUrl,
  parseZipkinSearch,
  type SearchRoute,
} from './search/search-url.ts'
import { formatTraceUrl, parseTraceUrl, type TraceRoute } from './trace/trace-url.ts'

export type { TraceRoute } from './trace/trace-url.ts'

/** What the address bar says. Every page is a pure function of one of these and of what the API answers. */
export type Route =
  | LiveRoute
  | SearchRoute
  | TraceRoute
  | CompareRoute
  | MeshRoute
  | { page: 'open' }
  | { page: 'unknown'; path: string }

/**
 * Path below the base (`traces/463ac35c9f6413ad`) and search part → the page. Zipkin's own links too: a search on the
 * first page, `dependency`, `traceViewer`.
 */
export function parseUrl(path: string, search: string): Route {
  const parameters = new URLSearchParams(search)
  const parts = path.replace(/^\/+|\/+$/g, '').split('/')
  if (parts.length === 2 && parts[0] === 'traces' && parts[1] !== '') {
    return parseTraceUrl(decode(parts[1]!), parameters)
  }
  switch (parts.length === 1 ? parts[0] : undefined) {
    case '':
    case 'index.html':
      return isZipkinSearch(parameters) ? parseZipkinSearch(parameters) : parseLiveUrl(parameters)
    case 'search':
      return parseSearchUrl(parameters)
    case 'compare':
      return parseCompareUrl(parameters)
    case 'mesh':
    case 'dependency':
    case 'dependencies':
      return parseMeshUrl(parameters)
    case 'traceViewer':
      return { page: 'open' }
    default:
      return { page: 'unknown', path: `/${parts.join('/')}` }
  }
}

/** The inverse: `traces/463ac35c9f6413ad?view=spans`, relative to the base. Defaults are left out. */
export function formatUrl(route: Route): string {
  const parameters = new URLSearchParams()
  const path = pathOf(route, (name, value) => {
    if (value !== undefined && value !== '') parameters.set(name, value)
  })
  const search = parameters.toString()
  return search === '' ? path : `${path}?${search}`
}

function pathOf(route: Route, put: (name: string, value: string | undefined) => void): string {
  switch (route.page) {
    case 'live':
      return formatLiveUrl(route, put)
    case 'search':
      return formatSearchUrl(route, put)
    case 'trace':
      return formatTraceUrl(route, put)
    case 'compare':
      return formatCompareUrl(route, put)
    case 'mesh':
      return formatMeshUrl(route, put)
    case 'open':
      return 'traceViewer'
    case 'unknown':
      return route.path.slice(1)
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
