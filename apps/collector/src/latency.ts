import { hopsFromTrace, type Microseconds, type Milliseconds, type Span } from '@hopscope/model'
import type { SpanStore } from '@hopscope/store'

/** What is measured: the requests that a service answered, its spans of one name, or its calls to another service. */
export type LatencySubject = { service: string; span?: string } | { caller: string; callee: string }

/** Of the durations that were read, by nearest rank; absent where there is none. */
export interface Percentiles {
  count: number
  errors: number
  p50?: Microseconds
  p90?: Microseconds
  p95?: Microseconds
  p99?: Microseconds
  max?: Microseconds
}

export interface Latency extends Percentiles {
  /** Equal parts of the window, oldest first; `from` in ms since the epoch. */
  buckets: (Percentiles & { from: Milliseconds })[]
  /** Some buckets had more traces than were read: those that were lie all over them. */
  sampled: boolean
}

interface Sample {
  durations: Microseconds[]
  errors: number
}

/** Of each bucket so many traces are read: percentiles hardly move beyond, and a busy hour does not hide the others. */
const TRACES_A_BUCKET = 100
/** All buckets together take about this long, however far from each other their traces lie; but each has some. */
const SAMPLING_MS: Milliseconds = 600
const LEAST_TRACES_A_BUCKET = 20

/** How long something took, over time. Each bucket is a sample of its own. */
export async function measureLatency(
  store: SpanStore,
  subject: LatencySubject,
  window: { endTs: Milliseconds; lookback: Milliseconds; buckets: number },
  signal?: AbortSignal,
): Promise<Latency> {
  const start = window.endTs - window.lookback
  const width = Math.max(1, Math.ceil((window.lookback + 1) / window.buckets))
  const count = Math.ceil((window.lookback + 1) / width)
  const samples = Array.from({ length: count }, (): Sample => ({ durations: [], errors: 0 }))
  const serviceName = 'service' in subject ? subject.service : subject.caller
  const spanName = 'service' in subject ? subject.span : undefined
  let sampled = false
  for (let i = 0; i < count; i++) {
    signal?.throwIfAborted()
    const from = start + i * width
    const endTs = Math.min(from + width - 1, window.endTs)
    const sample = samples[i]!
    const until = performance.now() + SAMPLING_MS / count
    let read = 0
    const visit = (trace: Span[]): boolean => {
      read++
      for (const { span, isError } of measured(subject, trace)) {
        // A trace that begins in one bucket may go on in the next, and is read there, too.
        const ms = Math.floor(span.timestamp! / 1000)
        if (ms < from || ms > endTs) continue
        sample.durations.push(span.duration!)
        if (isError) sample.errors++
      }
      return read < LEAST_TRACES_A_BUCKET || (read < TRACES_A_BUCKET && performance.now() < until)
    }
    const request = { endTs, lookback: endTs - from, serviceName, ...(spanName ? { spanName } : {}) }
    if ((await store.sampleTraces(request, visit, signal)) > read) sampled = true
  }
  const all = { durations: samples.flatMap(({ durations }) => durations), errors: 0 }
  for (const { errors } of samples) all.errors += errors
  return {
    ...percentiles(all),
    sampled,
    buckets: samples.map((sample, i) => ({ from: start + i * width, ...percentiles(sample) })),
  }
}

/** The spans of a trace that have a time and say how long the subject took. */
function measured(subject: LatencySubject, trace: readonly Span[]): { span: Span; isError: boolean }[] {
  const isTimed = (span: Span | undefined): span is Span => span?.timestamp !== undefined && span.duration !== undefined
  if ('caller' in subject) {
    return hopsFromTrace(trace).flatMap(({ caller, callee, call, server }) => {
      if (caller !== subject.caller || callee !== subject.callee) return []
      const span = call ?? server
      return isTimed(span) ? [{ span, isError: isFailed(call) || isFailed(server) }] : []
    })
  }
  return trace.flatMap(span => {
    if (span.localEndpoint?.serviceName !== subject.service || !isTimed(span)) return []
    const isSubject =
      subject.span === undefined ? span.kind === 'SERVER' || span.kind === 'CONSUMER' : span.name === subject.span
    return isSubject ? [{ span, isError: isFailed(span) }] : []
  })
}

function isFailed(span: Span | undefined): boolean {
  return span?.tags?.error !== undefined
}

function percentiles({ durations, errors }: Sample): Percentiles {
  const sorted = durations.sort((a, b) => a - b)
  const count = sorted.length
  if (count === 0) return { count, errors }
  const rank = (share: number) => sorted[Math.max(0, Math.ceil(count * share) - 1)]!
  return { count, errors, p50: rank(0.5), p90: rank(0.9), p95: rank(0.95), p99: rank(0.99), max: sorted[count - 1]! }
}
