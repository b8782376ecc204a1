import type { DependencyLink, Milliseconds, Span } from '@hopscope/model'
import { parseDuration } from '../shared/duration.ts'
import type { SearchQuery, TimeRange } from '../url.ts'
import { getJson } from './get-json.ts'

export const fetchServices = (signal?: AbortSignal) => getJson<string[]>('services', {}, signal)

export const fetchSpanNames = (serviceName: string, signal?: AbortSignal) =>
  getJson<string[]>('spans', { serviceName }, signal)

export const fetchRemoteServices = (serviceName: string, signal?: AbortSignal) =>
  getJson<string[]>('remoteServices', { serviceName }, signal)

export const fetchTraces = (query: SearchQuery, signal?: AbortSignal) =>
  getJson<Span[][]>(
    'traces',
    {
      serviceName: query.serviceName,
      spanName: query.spanName,
      remoteServiceName: query.remoteServiceName,
      annotationQuery: query.annotationQuery,
      // The API takes maxDuration only beside a minDuration.
      minDuration: parseDuration(query.minDuration) || (query.maxDuration ? 1 : undefined),
      maxDuration: parseDuration(query.maxDuration),
      ...windowOf(query.time),
      limit: query.limit,
    },
    signal,
  )

export const fetchDependencies = (time: TimeRange, signal?: AbortSignal) =>
  getJson<DependencyLink[]>('dependencies', windowOf(time), signal)

/** What the API calls a window: its end and its length. */
export function windowOf(time: TimeRange, now: Milliseconds = Date.now()): { endTs: number; lookback: number } {
  if (time.kind === 'between') return { endTs: time.endTs, lookback: time.endTs - time.startTs }
  return { endTs: time.endTs ?? now, lookback: time.lookback }
}
