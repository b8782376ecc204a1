import type { Span } from '@hopscope/model'
import { type Continuation, findContinuations, looseEnds } from '@hopscope/model/continuations'
import { decodeSpans } from './decode-spans.ts'

/** What may belong together though it is two traces. */
export interface LostCall {
  /** `onward`: the other trace goes on from this one; `origin`: this one goes on from the other. */
  direction: 'onward' | 'origin'
  otherTraceId: string
  /** Who did not pass the headers on. */
  service: string
  callee: string | undefined
  /** Id of the span below which the call belongs. */
  arrivalId: string
  confidence: number
  because: string[]
}

/** What a search for lost calls came to. */
export interface LostCalls {
  calls: LostCall[]
  /** Services where the trace may have broken off, and of how many of them the other traces were looked at. */
  ends: number
  looked: number
}

/** Services that are asked about: a trace of hundreds is not worth hundreds of searches. */
const MAX_SERVICES = 20
const MAX_TRACES = 100
const MAX_FOUND = 5
/** ms around the trace: a request that was under way then may have begun before. */
const MARGIN = 1_000

/**
 * Looks around a trace, in the collector's other traces of that moment, for calls whose headers were not passed on. `load`
 * answers a search of Zipkin's API: `traces?serviceName=shop&endTs=…`.
 */
export async function findLostCalls(
  spans: readonly Span[],
  load: (path: string) => Promise<unknown>,
): Promise<LostCalls> {
  const times = spans.flatMap(({ timestamp, duration = 0 }) =>
    timestamp === undefined ? [] : [timestamp, timestamp + duration],
  )
  if (times.length === 0) return { calls: [], ends: 0, looked: 0 }
  const start = times.reduce((a, b) => Math.min(a, b)) / 1_000
  const end = times.reduce((a, b) => Math.max(a, b)) / 1_000
  const others = new Map<string, Span[]>()
  const ends = looseEnds(spans)
  const looked = ends.slice(0, MAX_SERVICES)
  for (const service of looked) {
    const parameters = new URLSearchParams({
      serviceName: service,
      endTs: String(Math.ceil(end) + 1),
      lookback: String(Math.ceil(end - start) + MARGIN + 2),
      limit: String(MAX_TRACES),
    })
    const traces = await load(`traces?${parameters}`)
    for (const trace of Array.isArray(traces) ? traces : []) {
      if (!Array.isArray(trace) || trace.length === 0) continue
      const decoded = decodeSpans(trace).spans
      others.set(decoded[0]!.traceId, decoded)
    }
  }
  others.delete(spans[0]!.traceId)
  const all = [...others.values()]
  const found = findContinuations(spans, all).map(one => lostCall('onward', one.call.traceId, one))
  const around = [...all, spans]
  for (const other of all) {
    for (const one of findContinuations(other, around)) {
      if (one.call.traceId === spans[0]!.traceId) found.push(lostCall('origin', other[0]!.traceId, one))
    }
  }
  const calls = found.sort((a, b) => b.confidence - a.confidence).slice(0, MAX_FOUND)
  return { calls, ends: ends.length, looked: looked.length }
}

function lostCall(direction: LostCall['direction'], otherTraceId: string, one: Continuation): LostCall {
  const { service, callee, arrival, confidence, because } = one
  return { direction, otherTraceId, service, callee, arrivalId: arrival.id, confidence, because }
}
