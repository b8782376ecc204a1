import { createHistogram, type Milliseconds } from './histogram.ts'
import type { Outcome } from './send.ts'

/** What a run was, printed at its end and as `--json`. */
export interface Summary {
  requests: number
  successes: number
  failures: number
  /** Of the whole run. */
  duration: Milliseconds
  /** How many ended how, by status or by the error's code. */
  statuses: Record<string, number>
  /** Of all requests, failures too; absent when none was sent. */
  latency?: { p50: Milliseconds; p90: Milliseconds; p99: Milliseconds; max: Milliseconds }
}

/** Counts outcomes while they come in. */
export interface Tally {
  add(outcome: Outcome): void
  summary(): Summary
}

export function createTally(): Tally {
  const started = performance.now()
  const statuses = new Map<string, number>()
  const latencies = createHistogram()
  let requests = 0
  let successes = 0
  return {
    add({ status, ok, latency }) {
      // Cut off by our own end: it says nothing about what was called.
      if (status === 'stopped') return
      requests++
      if (ok) successes++
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      latencies.add(latency)
    },
    summary() {
      const at = (share: number) => rounded(latencies.percentile(share) ?? 0)
      return {
        requests,
        successes,
        failures: requests - successes,
        duration: rounded(performance.now() - started),
        statuses: Object.fromEntries([...statuses].sort(([a], [b]) => (a < b ? -1 : 1))),
        ...(requests === 0
          ? {}
          : { latency: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: rounded(latencies.max ?? 0) } }),
      }
    },
  }
}

/** `15 requests in 2.1 s, 7.1/s: 14 × 200, 1 × 503; p50 12.0 ms, p90 31.0 ms, p99 55.2 ms, max 55.2 ms` */
export function formatSummary({ requests, duration, statuses, latency }: Summary): string {
  const seconds = duration / 1000
  const head = `${requests} requests in ${seconds.toFixed(1)} s`
  if (latency === undefined) return head
  const rate = `${(requests / Math.max(seconds, 0.001)).toFixed(1)}/s`
  const ends = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`)
  const marks = Object.entries(latency).map(([name, value]) => `${name} ${value.toFixed(1)} ms`)
  return `${head}, ${rate}: ${ends.join(', ')}; ${marks.join(', ')}`
}

export function formatJson(summary: Summary): string {
  return JSON.stringify(summary)
}

function rounded(value: Milliseconds): Milliseconds {
  return Math.round(value * 100) / 100
}
