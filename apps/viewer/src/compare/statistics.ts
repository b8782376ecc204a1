/** A value with the interval in which it lies with 95 % confidence. */
export interface Interval {
  value: number
  low: number
  high: number
}

/** More change nothing that is shown; fewer make the ends of the interval shake. */
const RESAMPLES = 1_000
const CONFIDENCE = 0.95

/** Of values in ascending order; between two of them in proportion. NaN of none. */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * share
  const low = Math.floor(at)
  return sorted[low]! + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)]! - sorted[low]!)
}

export function ascending(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b)
}

/**
 * The difference of the medians, b's less a's, with its percentile bootstrap interval: both are drawn from anew, with
 * replacement, a thousand times. The same values give the same interval: the seed is fixed. Fewer than five values on a
 * side say nothing: undefined.
 */
export function medianDifference(a: readonly number[], b: readonly number[]): Interval | undefined {
  if (a.length < 5 || b.length < 5) return undefined
  const sortedA = ascending(a)
  const sortedB = ascending(b)
  const random = seededRandom(0x51ab1e)
  const drawA = medianDrawer(sortedA, random)
  const drawB = medianDrawer(sortedB, random)
  const differences = ascending(Array.from({ length: RESAMPLES }, () => drawB() - drawA()))
  return {
    value: quantile(sortedB, 0.5) - quantile(sortedA, 0.5),
    low: quantile(differences, (1 - CONFIDENCE) / 2),
    high: quantile(differences, (1 + CONFIDENCE) / 2),
  }
}

/** How often a value of b is larger than one of a, ties by half: 0.5 is no difference. (Mann–Whitney U over n·m) */
export function shareLarger(a: readonly number[], b: readonly number[]): number {
  const sortedA = ascending(a)
  let sum = 0
  for (const value of b) {
    const below = lowerBound(sortedA, value)
    let ties = below
    while (ties < sortedA.length && sortedA[ties] === value) ties++
    sum += below + (ties - below) / 2
  }
  return sum / (a.length * b.length)
}

/** Draws as many values as there are, and gives their median: values are counted by rank, which needs no sorting. */
function medianDrawer(sorted: readonly number[], random: () => number): () => number {
  const n = sorted.length
  const counts = new Int32Array(n)
  const lowRank = Math.floor((n - 1) / 2)
  const highRank = Math.floor(n / 2)
  return () => {
    counts.fill(0)
    for (let i = 0; i < n; i++) counts[Math.floor(random() * n)]!++
    let seen = 0
    let low = Number.NaN
    for (let i = 0; i < n; i++) {
      seen += counts[i]!
      if (seen > lowRank && Number.isNaN(low)) low = sorted[i]!
      if (seen > highRank) return (low + sorted[i]!) / 2
    }
    return low
  }
}

function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** mulberry32 */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
