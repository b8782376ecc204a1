import type { MeshLink } from '../mesh/mesh-link.ts'
import { type TimeRange, windowOf } from '../shared/time-range.ts'
import { getJson } from './get-json.ts'

/** Who calls whom, and how it goes: percentiles and tries are those of the newest `sampled` traces. */
export function fetchLinks(time: TimeRange, signal?: AbortSignal): Promise<{ links: MeshLink[]; sampled: number }> {
  return getJson('links', windowOf(time), signal, 'hopscope/v1')
}
