import type { Buckets } from './histogram.ts'

/** Upper bounds of the buckets that Envoy shows of every histogram. */
export const BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
]

/** `cumulative`: values up to each bound. `disjoint`: those above the bound before it. */
export function countsByBound(buckets: Buckets, mode: 'cumulative' | 'disjoint'): number[] {
  const upTo = BOUNDS.map(bound => buckets.countUpTo(bound))
  return mode === 'cumulative' ? upTo : upTo.map((count, i) => count - (upTo[i - 1] ?? 0))
}
