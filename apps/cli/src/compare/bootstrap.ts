/** A value and the interval in which it lies with 95 % confidence. */
export interface Estimate {
  value: number
  low: number
  high: number
}

const RESAMPLES = 1000

/** The nearest rank: `share` 0.5 is the median. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** A percentile of a sample, by bootstrap; the same sample gives the same interval. */
export function estimate(sample: readonly number[], share: number): Estimate {
  return interval(
    percentile(sorted(sample), share),
    resampled([sample], ([one]) => percentile(one!, share)),
  )
}

/** How much larger a percentile of `b` is than of `a`. */
export function estimateDifference(a: readonly number[], b: readonly number[], share: number): Estimate {
  const difference = ([x, y]: Float64Array[]) => percentile(y!, share) - percentile(x!, share)
  return interval(difference([sorted(a), sorted(b)]), resampled([a, b], difference))
}

function resampled(
  samples: readonly (readonly number[])[],
  statistic: (samples: Float64Array[]) => number,
): Float64Array {
  const random = xorshift(0x9e3779b9)
  const values = new Float64Array(RESAMPLES)
  const drawn = samples.map(({ length }) => new Float64Array(length))
  for (let i = 0; i < RESAMPLES; i++) {
    for (const [k, sample] of samples.entries()) {
      const into = drawn[k]!
      for (let j = 0; j < into.length; j++) into[j] = sample[Math.floor(random() * sample.length)]!
      into.sort()
    }
    values[i] = statistic(drawn)
  }
  return values.sort()
}

function interval(value: number, values: Float64Array): Estimate {
  return { value, low: percentile(values, 0.025), high: percentile(values, 0.975) }
}

function sorted(sample: readonly number[]): Float64Array {
  return Float64Array.from(sample).sort()
}

/** Numbers in [0, 1), the same ones each time. */
function xorshift(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
