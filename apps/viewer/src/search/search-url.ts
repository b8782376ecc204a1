import { formatTypedQuery, parseAnnotationQuery, parseTypedQuery, type TypedQuery } from '@hopscope/model'
import { DEFAULT_TIME, formatTime, parseTime, type TimeRange } from '../shared/time-range.ts'

/** What a link says of a search: the text as it was typed, also when it cannot be read. */
export interface SearchRoute {
  page: 'search'
  q: string
  time: TimeRange
  sort: Sort
}

export type Sort = 'newest' | 'longest' | 'spans'

/** A search for what the query says. */
export function searchRoute(query: TypedQuery, time: TimeRange = DEFAULT_TIME): SearchRoute {
  return { page: 'search', q: formatTypedQuery(query), time, sort: 'newest' }
}

export function parseSearchUrl(parameters: URLSearchParams): SearchRoute {
  const sort = parameters.get('sort')
  return {
    page: 'search',
    q: parameters.get('q') ?? '',
    time: parseTime(parameters),
    sort: sort === 'longest' || sort === 'spans' ? sort : 'newest',
  }
}

export function formatSearchUrl(route: SearchRoute, put: (name: string, value: string) => void): string {
  put('q', route.q)
  formatTime(route.time, put)
  if (route.sort !== 'newest') put('sort', route.sort)
  return 'search'
}

const ZIPKIN_PARAMETERS = [
  'serviceName',
  'spanName',
  'remoteServiceName',
  'annotationQuery',
  'minDuration',
  'maxDuration',
  'lookback',
  'startTs',
  'endTs',
  'limit',
]

export function isZipkinSearch(parameters: URLSearchParams): boolean {
  return ZIPKIN_PARAMETERS.some(name => parameters.has(name))
}

/** `?serviceName=shop&annotationQuery=error and x=y&minDuration=10ms` → `service=shop error tag=x=y duration>=10ms`. */
export function parseZipkinSearch(parameters: URLSearchParams): SearchRoute {
  const name = (parameter: string) => {
    const value = (parameters.get(parameter) ?? '').trim()
    // older links say `all` for any
    return value.toLowerCase() === 'all' ? '' : value
  }
  const query: TypedQuery = {}
  if (name('serviceName')) query.serviceName = name('serviceName')
  if (name('spanName')) query.spanName = name('spanName')
  if (name('remoteServiceName')) query.remoteServiceName = name('remoteServiceName')
  const tags = parseAnnotationQuery(parameters.get('annotationQuery') ?? '')
  if (tags.size > 0) query.annotationQuery = tags
  const durations = [
    ['>=', name('minDuration')],
    ['<=', name('maxDuration')],
  ].filter(([, value]) => value !== '')
  const parsed = parseTypedQuery(durations.map(([operator, value]) => `duration${operator}${value}`).join(' '))
  return searchRoute({ ...query, ...parsed.query }, parseTime(parameters))
}
