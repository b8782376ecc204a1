import type { DependencyLink, Microseconds } from '@hopscope/model'
import { formatDuration } from '../shared/duration.ts'
import { short } from '../shared/short-count.ts'

/** Calls of one service to another; what is absent, the collector did not say. */
export interface MeshLink extends DependencyLink {
  /** 1 where nothing was tried again, 1.5 where every second call was. */
  triesPerCall?: number
  p50?: Microseconds
  p95?: Microseconds
  p99?: Microseconds
}

/** What stands on a line. */
export type Metric = 'calls' | 'p50' | 'p95' | 'p99' | 'retries'

export const METRICS: readonly (readonly [Metric, string])[] = [
  ['calls', 'calls'],
  ['p50', 'p50'],
  ['p95', 'p95'],
  ['p99', 'p99'],
  ['retries', 'tries a call'],
]

export function labelOf(link: MeshLink, metric: Metric): string {
  const failed = link.errorCount ? ` ✕ ${share(link.errorCount, link.callCount)}` : ''
  switch (metric) {
    case 'calls':
      return `${short(link.callCount)}${failed}`
    case 'retries':
      return link.triesPerCall === undefined ? '' : formatTries(link.triesPerCall)
    default: {
      const duration = link[metric]
      return duration === undefined ? '' : formatDuration(duration)
    }
  }
}

export function formatTries(triesPerCall: number): string {
  return `×${triesPerCall.toFixed(2)}`
}

export function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100
  return percent > 0 && percent < 1 ? '<1%' : `${Math.round(percent)}%`
}
