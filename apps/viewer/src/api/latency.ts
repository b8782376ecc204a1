import type { Microseconds, Milliseconds } from '@hopscope/model'
import { getJson } from './get-json.ts'

/** How long the calls from one service to another took, in the traces of some time. */
export interface Latency {
  count: number
  p50?: Microseconds
  p95?: Microseconds
}

export function fetchLatency(
  { caller, callee }: { caller: string; callee: string },
  window: { endTs: Milliseconds; lookback: Milliseconds },
  signal?: AbortSignal,
): Promise<Latency> {
  return getJson('latency', { hop: `${caller}->${callee}`, ...window, buckets: 4 }, signal, 'hopscope/v1')
}
