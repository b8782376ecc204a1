import type { Microseconds } from '@hopscope/model'
import { fetchLatency } from '../api/latency.ts'
import { useFetch } from '../shared/use-fetch.ts'

/** A call, as somebody asks how long it usually takes. */
export interface Pair {
  caller: string
  callee: string
}

/** The median of the calls of one service to another, in the hour before. */
export interface Usual {
  median: Microseconds
  p95: Microseconds
  calls: number
}

const HOUR = 3_600_000
/** Fewer calls are no custom. */
const MIN_CALLS = 20
/** ms: the rows come first. */
const AFTER_ROWS = 300

export const keyOf = ({ caller, callee }: Pair) => `${caller}->${callee}`

/**
 * What calls like these usually take, by {@link keyOf}; those of whom too little is known are missing. `until`: µs since the
 * epoch, undefined for a trace that is not the collector's: nothing is asked then.
 */
export function useUsual(pairs: readonly Pair[], until: Microseconds | undefined): ReadonlyMap<string, Usual> {
  const keys = [...new Set(pairs.map(keyOf))]
  const isAsked = until !== undefined && keys.length > 0
  const [fetched] = useFetch(isAsked ? `${keys.join(' ')} ${until}` : undefined, async signal => {
    await new Promise(resolve => setTimeout(resolve, AFTER_ROWS))
    const window = { endTs: Math.floor(until! / 1_000), lookback: HOUR }
    const found = new Map<string, Usual>()
    for (const key of keys) {
      if (signal.aborted) break
      const pair = pairs.find(each => keyOf(each) === key)!
      const { count, p50, p95 } = await fetchLatency(pair, window, signal)
      if (count >= MIN_CALLS && p50 !== undefined) found.set(key, { median: p50, p95: p95 ?? p50, calls: count })
    }
    return found
  })
  // Nothing depends on it, so that a question that fails says nothing.
  return fetched.data ?? NOTHING
}

const NOTHING: ReadonlyMap<string, Usual> = new Map()
