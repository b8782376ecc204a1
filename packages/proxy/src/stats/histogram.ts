/**
 * A histogram of whole values in log-linear buckets of two significant digits (1.0, 1.1 … 9.9, 10, 11 … 99, 100, 110 …), as
 * Envoy's: small numbers are exact, memory does not grow with the number of values.
 */
export class Buckets {
  /** Lower bound of a bucket → values in it. */
  readonly #counts = new Map<number, number>()
  /** Of the bucket that was added to last, mostly the next one's too; not among `#counts` yet. */
  #lastLower = 0
  #lastCount = 0
  total = 0

  add(value: number, count = 1): void {
    const lower = lowerBound(value)
    if (lower !== this.#lastLower) {
      this.#settle()
      this.#lastLower = lower
    }
    this.#lastCount += count
    this.total += count
  }

  #settle(): void {
    if (this.#lastCount > 0)
      this.#counts.set(this.#lastLower, (this.#counts.get(this.#lastLower) ?? 0) + this.#lastCount)
    this.#lastCount = 0
  }

  /** All counts. */
  get #settled(): ReadonlyMap<number, number> {
    this.#settle()
    return this.#counts
  }

  addAll(other: Buckets): void {
    for (const [lower, count] of other.#settled) this.add(lower, count)
  }

  /** Of all that have values, lowest first. */
  ranges(): { lower: number; width: number; count: number }[] {
    return this.#sorted().map(([lower, count]) => ({ lower, width: widthAt(lower), count }))
  }

  /** Lower bound and count of each, in no order. */
  entries(): [lower: number, count: number][] {
    return [...this.#settled]
  }

  clear(): void {
    this.#counts.clear()
    this.total = this.#lastCount = 0
  }

  /** Values at the given shares (0..1, ascending): values of one bucket are taken as evenly spread inside it. */
  quantiles(shares: readonly number[]): number[] {
    if (this.total === 0) return shares.map(() => Number.NaN)
    const buckets = this.#sorted()
    let bucket = 0
    let below = 0
    return shares.map(share => {
      const rank = Math.max(1, Math.ceil(this.total * share))
      while (below + buckets[bucket]![1] < rank) below += buckets[bucket++]![1]
      const [lower, count] = buckets[bucket]!
      return lower + (widthAt(lower) * (rank - below)) / (count + 1)
    })
  }

  /** Values in buckets that begin at `bound` or below. */
  countUpTo(bound: number): number {
    let count = 0
    for (const [lower, n] of this.#settled) if (lower <= bound) count += n
    return count
  }

  /** Near the sum of the values: a bucket counts as the harmonic mean of its bounds. */
  sum(): number {
    let sum = 0
    for (const [lower, count] of this.#sorted()) {
      if (lower === 0) continue
      const upper = lower + widthAt(lower)
      sum += ((2 * lower * upper) / (lower + upper)) * count
    }
    return sum
  }

  #sorted(): [lower: number, count: number][] {
    return [...this.#settled].sort((a, b) => a[0] - b[0])
  }
}

function lowerBound(value: number): number {
  const whole = value >= 1 ? Math.floor(value) : 0
  if (whole < 100) return whole
  const step = widthAt(whole)
  return Math.floor(whole / step) * step
}

/** 0.1 for 1..9, 1 for 10..99, 10 for 100..999 … */
function widthAt(lower: number): number {
  if (lower === 0) return 0
  if (lower < 10) return 0.1
  let width = 1
  while (lower >= width * 100) width *= 10
  return width
}

export class Histogram {
  readonly name: string
  /** Of the last whole flush interval. */
  readonly interval = new Buckets()
  /** Of all flushed intervals. */
  readonly cumulative = new Buckets()
  readonly #open = new Buckets()

  constructor(name: string) {
    this.name = name
  }

  /** Whole milliseconds, unless the name says otherwise. */
  record(value: number): void {
    this.#open.add(value)
  }

  /** Has values that were flushed. */
  get used(): boolean {
    return this.cumulative.total > 0
  }

  /** The open interval ends. */
  flush(): void {
    this.interval.clear()
    if (this.#open.total === 0) return
    this.interval.addAll(this.#open)
    this.cumulative.addAll(this.#open)
    this.#open.clear()
  }
}
