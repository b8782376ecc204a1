import {
  type DependencyLink,
  isAfterthought,
  matchesTypedQuery,
  parseTypedQuery,
  queryRequestOf,
  type Span,
} from '@hopscope/model'
import { type TimeRange, windowOf } from '../shared/time-range.ts'
import { getJson } from './get-json.ts'

export const fetchServices = (signal?: AbortSignal) => getJson<string[]>('services', {}, signal)

export const fetchSpanNames = (serviceName: string, signal?: AbortSignal) =>
  getJson<string[]>('spans', { serviceName }, signal)

export const fetchTagKeys = (signal?: AbortSignal) => getJson<string[]>('autocompleteKeys', {}, signal)

export const fetchTagValues = (key: string, signal?: AbortSignal) =>
  getJson<string[]>('autocompleteValues', { key }, signal)

export const fetchTrace = (traceId: string, signal?: AbortSignal) =>
  getJson<Span[]>(`trace/${encodeURIComponent(traceId)}`, {}, signal)

export const fetchDependencies = (time: TimeRange, signal?: AbortSignal) =>
  getJson<DependencyLink[]>('dependencies', windowOf(time), signal)

/** Whole traces that a typed query finds. */
export async function fetchTraces(
  text: string,
  time: TimeRange,
  limit: number,
  signal?: AbortSignal,
): Promise<Span[][]> {
  const { query } = parseTypedQuery(text)
  const { annotationQuery, ...request } = queryRequestOf(query, { ...windowOf(time), limit })
  const words = [...(annotationQuery ?? [])].map(([key, value]) => (value === '' ? key : `${key}=${value}`))
  const traces = await getJson<Span[][]>('traces', { ...request, annotationQuery: words.join(' and ') }, signal)
  return isAfterthought(query) ? traces.filter(spans => matchesTypedQuery(query, spans)) : traces
}
