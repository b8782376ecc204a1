import type { MeshLink } from '../mesh/mesh-link.ts'
import { type TimeRange, windowOf } from '../shared/time-range.ts'
import { getJson } from './get-json.ts'

export interface Links {
  links: MeshLink[]
  /** Traces that percentiles and tries are of: spread over the window when it has more. */
  sampled: number
  /** In the window. */
  traces: number
}

/** Who calls whom, and how it goes. */
export function fetchLinks(time: TimeRange, signal?: AbortSignal): Promise<Links> {
  return getJson('links', windowOf(time), signal, 'hopscope/v1')
}
