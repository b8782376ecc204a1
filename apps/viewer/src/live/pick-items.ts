import type { Microseconds, Milliseconds } from '@hopscope/model'
import { hasTrouble, type TraceItem } from '../api/trace-item.ts'
import { TROUBLES, type Trouble } from './live-url.ts'

/** A part of the scatter: start, and duration. */
export interface Brush {
  from: Milliseconds
  to: Milliseconds
  shortest: Microseconds
  longest: Microseconds
}

/** Traces with any of the troubles, and inside the brush. */
export function pickItems(
  items: readonly TraceItem[],
  only: readonly Trouble[],
  brush: Brush | undefined,
): readonly TraceItem[] {
  if (only.length === 0 && !brush) return items
  return items.filter(item => {
    if (only.length > 0 && !only.some(trouble => hasTrouble(item, trouble))) return false
    if (!brush) return true
    const start = (item.timestamp ?? 0) / 1_000
    const duration = item.duration ?? 0
    return start >= brush.from && start <= brush.to && duration >= brush.shortest && duration <= brush.longest
  })
}

export function countTroubles(items: readonly TraceItem[]): Record<Trouble, number> {
  const counts = { error: 0, retry: 0, timeout: 0, untraced: 0 }
  for (const item of items) for (const trouble of TROUBLES) if (hasTrouble(item, trouble)) counts[trouble]++
  return counts
}
