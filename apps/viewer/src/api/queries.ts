import type { DependencyLink, Span } from '@hopscope/model'
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

/** Whole traces, in the order of the ids, those that are there. */
export async function fetchTracesById(traceIds: readonly string[], signal?: AbortSignal): Promise<Span[][]> {
  // The API wants more than one.
  if (traceIds.length === 1) return [await fetchTrace(traceIds[0]!, signal)]
  return traceIds.length === 0 ? [] : getJson<Span[][]>('traceMany', { traceIds: traceIds.join(',') }, signal)
}
