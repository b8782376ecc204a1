import type { Metadata } from '@hopscope/envoy-config'
import type { JsonText } from './value.ts'

/** What is at `namespace:key:key…` of a metadata; all of the namespace without keys. Lists and objects are JSON, keys sorted. */
export function metadataValue(
  metadata: Metadata | undefined,
  path: readonly string[],
): string | number | JsonText | undefined {
  let value: unknown = metadata?.get(path[0]!)
  for (const key of path.slice(1)) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return bytesOf(value)
  return typeof value === 'number' ? value : { json: bytesOf(JSON.stringify(value, sortKeys)) }
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
