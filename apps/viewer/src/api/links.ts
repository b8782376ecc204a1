import type { MeshLink } from '../mesh/mesh-link.ts'
import type { TimeRange } from '../shared/time-range.ts'
import { fetchDependencies } from './queries.ts'

/** Who calls whom, and how it goes. */
export function fetchLinks(time: TimeRange, signal?: AbortSignal): Promise<MeshLink[]> {
  return fetchDependencies(time, signal)
}
