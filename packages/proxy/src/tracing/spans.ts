import type { Microseconds } from '@hopscope/model'
import type { PropagationStyle, TraceContext } from '@hopscope/tracer'
import type { RequestHeaders } from '../http/headers.ts'
import type { Instant, StreamInfo } from '../stream-info.ts'
import type { AttemptOutcome, SentAttempt } from './http-tracer.ts'

/** A span that is under way, and how it speaks of itself. */
export interface SpanStart {
  context: TraceContext
  style: PropagationStyle
  /** W3C's, as it came and goes on. */
  traceState: string
  parentIsRemote: boolean
  /** Whether it is sampled was decided here, not upstream of us. */
  decidedHere: boolean
}

/** One of Envoy's tracers: which ids and kind a span gets, what is written of it, what travels on. */
export interface Spans {
  /** A span for every attempt. */
  readonly spawn: boolean
  /** Undefined after headers that cannot be read: nothing is reported and nothing is written into the headers. */
  start(headers: RequestHeaders, traced: boolean): SpanStart | undefined
  child(parent: SpanStart): SpanStart
  inject(headers: RequestHeaders, start: SpanStart): void
  /** The name of a request's span that nothing else names. */
  name(headers: RequestHeaders): string
  /** Tells the access log. */
  log(start: SpanStart, info: StreamInfo): void
  finishRequest(start: SpanStart, name: string, info: StreamInfo): void
  finishAttempt(
    start: SpanStart,
    name: string,
    begun: Microseconds,
    info: StreamInfo,
    attempt: SentAttempt,
    cluster: string,
    outcome: AttemptOutcome,
  ): void
}

export function momentOf(info: StreamInfo, at: Instant): Microseconds {
  return info.startTime + Math.round((at - info.startInstant) * 1000)
}
