import { splitTypedQuery } from '@hopscope/model'
import { useMemo } from 'react'
import { fetchDependencies, fetchServices, fetchSpanNames, fetchTagKeys, fetchTagValues } from '../api/queries.ts'
import { DEFAULT_TIME } from '../shared/time-range.ts'
import { useFetch } from '../shared/use-fetch.ts'
import type { KnownNames } from './complete.ts'

/** Tags that proxies write, also where the collector offers none. */
const USUAL_TAGS = [
  'http.status_code',
  'http.method',
  'http.url',
  'response_flags',
  'upstream_cluster.name',
  'retry.count',
  'grpc.status_code',
  'error',
  'peer.address',
  'guid:x-request-id',
]
const USUAL_VALUES: Record<string, readonly string[]> = {
  'http.status_code': ['200', '404', '500', '502', '503', '504'],
  'http.method': ['GET', 'POST', 'PUT', 'DELETE'],
  response_flags: ['UT', 'UF', 'UO', 'UH', 'URX', 'DC', 'NR'],
}

/** Names for completion: services and calls of the mesh, span names of the service and values of the tag being typed. */
export function useKnownNames(text: string): KnownNames {
  const words = splitTypedQuery(text)
  const service = words.find(({ field }) => field === 'service')?.value.toLowerCase()
  const key = words.findLast(({ field, value }) => field === 'tag' && value.includes('='))?.value.split('=')[0]
  const [services] = useFetch('services', fetchServices)
  // Counting calls is work for the collector: only for who asks about them.
  const isOfHop = words.some(({ field }) => field === 'hop')
  const [links] = useFetch(isOfHop ? 'links' : undefined, signal => fetchDependencies(DEFAULT_TIME, signal))
  const [tags] = useFetch('tags', fetchTagKeys)
  const isKnown = service !== undefined && services.data?.includes(service)
  const [spans] = useFetch(isKnown ? `spans ${service}` : undefined, signal => fetchSpanNames(service!, signal))
  const isOffered = key !== undefined && tags.data?.includes(key)
  const [values] = useFetch(isOffered ? `values ${key}` : undefined, signal => fetchTagValues(key!, signal))
  return useMemo(
    () => ({
      services: services.data ?? [],
      spans: spans.data ?? [],
      hops: (links.data ?? [])
        .filter(({ parent, child }) => parent !== child)
        .map(({ parent, child }) => `${parent}->${child}`),
      tags: [...new Set([...(tags.data ?? []), ...USUAL_TAGS])],
      tagValues: values.data ?? (key === undefined ? [] : (USUAL_VALUES[key] ?? [])),
    }),
    [services.data, spans.data, links.data, tags.data, values.data, key],
  )
}
