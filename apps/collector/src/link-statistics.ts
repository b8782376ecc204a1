import {
  attemptCount,
  type DependencyLink,
  hopsFromTrace,
  type Microseconds,
  type Milliseconds,
  type Span,
} from '@hopscope/model'
import type { SpanStore } from '@hopscope/store'

/** How the calls between two services go. Calls and errors are of all traces, the rest is of a sample of them. */
export interface LinkStatistics extends DependencyLink {
  /** Calls and their tries, a call: 1 where nothing was tried again. */
  triesPerCall?: number
  p50?: Microseconds
  p95?: Microseconds
  p99?: Microseconds
}

export interface LinkReport {
  links: LinkStatistics[]
  /** Traces that percentiles and tries are of. Fewer than `traces`: spread evenly over the window. */
  sampled: number
  /** In the window; roughly, when not all were read. */
  traces: number
}

/** How long traces are read for percentiles. */
const SAMPLING_MS: Milliseconds = 300
/** However fast that goes: percentiles hardly move beyond. */
const MOST_TRACES = 5_000

/** Links of a window, with percentiles and tries from the calls of traces all over it. */
export async function reportLinks(
  store: SpanStore,
  endTs: Milliseconds,
  lookback: Milliseconds,
  signal?: AbortSignal,
): Promise<LinkReport> {
  const links = await store.getDependencies(endTs, lookback, signal)
  if (links.length === 0) return { links, sampled: 0, traces: 0 }
  const sample = new LinkSample()
  const until = performance.now() + SAMPLING_MS
  const visit = (spans: Span[]): boolean => {
    sample.add(spans)
    return performance.now() < until && sample.traces < MOST_TRACES
  }
  const traces = await store.sampleTraces({ endTs, lookback }, visit, signal)
  return { links: links.map(link => sample.describe(link)), sampled: sample.traces, traces }
}

interface Calls {
  durations: Microseconds[]
  tries: number
}

/** Calls of some traces, by link. */
class LinkSample {
  traces = 0
  #calls = new Map<string, Calls>()

  add(spans: readonly Span[]): void {
    this.traces++
    for (const hop of hopsFromTrace(spans)) {
      const duration = (hop.call ?? hop.server)?.duration
      if (hop.caller === undefined || hop.callee === undefined || duration === undefined) continue
      const key = `${hop.caller}\n${hop.callee}`
      const calls = this.#calls.get(key) ?? { durations: [], tries: 0 }
      calls.durations.push(duration)
      calls.tries += attemptCount(hop)
      this.#calls.set(key, calls)
    }
  }

  /** A link that no trace has stays as it is. */
  describe(link: DependencyLink): LinkStatistics {
    const calls = this.#calls.get(`${link.parent}\n${link.child}`)
    if (!calls) return link
    const sorted = calls.durations.sort((a, b) => a - b)
    const rank = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
    return { ...link, triesPerCall: calls.tries / sorted.length, p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) }
  }
}
