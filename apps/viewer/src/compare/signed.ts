import type { Microseconds } from '@hopscope/model'
import { formatDuration } from '../shared/duration.ts'

/** `+12.3ms`, `−4ms`, `0ms` */
export function signed(us: Microseconds): string {
  const rounded = Math.round(us)
  return rounded > 0 ? `+${formatDuration(rounded)}` : formatDuration(rounded)
}
