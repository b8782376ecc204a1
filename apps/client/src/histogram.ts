/** Durations of requests and pauses. */
export type Milliseconds = number

/** Buckets grow by one percent: a percentile is off by half of that at most, and a day of load needs a few hundred. */
const GROWTH = Math.log(1.01)

/** Latencies in little memory, whatever their number. */
export interface Histogram {
  add(latency: Milliseconds): void
  /** The smallest latency that `share` (0..1) of all did not exceed; undefined when there are none. */
  percentile(share: number): Milliseconds | undefined
  readonly max: Milliseconds | undefined
}

export function createHistogram(): Histogram {
  const counts = new Map<number, number>()
  let total = 0
  let max: Milliseconds | undefined
  return {
    add(latency) {
      const bucket = Math.round(Math.log(Math.max(latency, 0.001)) / GROWTH)
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
      total++
      max = Math.max(max ?? 0, latency)
    },
    percentile(share) {
      const rank = Math.max(1, Math.ceil(total * share))
      let seen = 0
      for (const bucket of [...counts.keys()].sort((a, b) => a - b)) {
        seen += counts.get(bucket)!
        if (seen >= rank) return Math.min(Math.exp(bucket * GROWTH), max!)
      }
      return undefined
    },
    get max() {
      return max
    },
  }
}
