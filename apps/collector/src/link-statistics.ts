import { attemptCount, type DependencyLink, hopsFromTrace, type Microseconds, type Span } from '@hopscope/model'

/** How the calls between two services go. Calls and errors are of all traces, the rest is of a sample of the newest. */
export interface LinkStatistics extends DependencyLink {
  /** Calls and their tries, a call: 1 where nothing was tried again. */
  triesPerCall?: number
  p50?: Microseconds
  p95?: Microseconds
  p99?: Microseconds
}

/** Traces whose calls are folded before others have their turn. */
const AT_ONCE = 20

interface Sample {
  durations: Microseconds[]
  tries: number
}

/** Adds percentiles and tries to links, from the calls of some traces. Links that no trace has stay as they are. */
export async function withStatistics(
  links: readonly DependencyLink[],
  traces: readonly Span[][],
  signal?: AbortSignal,
): Promise<LinkStatistics[]> {
  const samples = new Map<string, Sample>()
  for (const [i, spans] of traces.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await new Promise(resolve => setImmediate(resolve))
    signal?.throwIfAborted()
    for (const hop of hopsFromTrace(spans)) {
      const duration = (hop.call ?? hop.server)?.duration
      if (hop.caller === undefined || hop.callee === undefined || duration === undefined) continue
      const key = `${hop.caller}\n${hop.callee}`
      const sample = samples.get(key) ?? { durations: [], tries: 0 }
      sample.durations.push(duration)
      sample.tries += attemptCount(hop)
      samples.set(key, sample)
    }
  }
  return links.map(link => {
    const sample = samples.get(`${link.parent}\n${link.child}`)
    if (!sample) return link
    const sorted = sample.durations.sort((a, b) => a - b)
    const rank = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!
    return { ...link, triesPerCall: sample.tries / sorted.length, p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) }
  })
}
