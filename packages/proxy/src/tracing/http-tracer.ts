import type { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { Instant, StreamInfo } from '../stream-info.ts'

/** What the connection manager asks of tracing, in the order in which a request meets it. One per HttpConnectionManager. */
export interface HttpTracer {
  /**
   * After the route is known (`info.route`), before the filters: decides (Envoy §8.1), writes the reason into `x-request-id`,
   * counts `http.<prefix>.tracing.*`, starts the downstream span.
   */
  begin(info: StreamInfo, headers: RequestHeaders): RequestSpan
  /** As `begin`, for a request that a redirect goes on with: nothing is decided again. */
  continue(info: StreamInfo, headers: RequestHeaders): RequestSpan
  /** A request is answered before there is a trace decision: it counts as not traceable. */
  refused(): void
}

/** The downstream span; a null object when there is no provider or the incoming context is malformed. */
export interface RequestSpan {
  /** One upstream attempt is about to be sent: its span with `spawn_upstream_span`, else one that only injects this span's context. */
  beginAttempt(attempt: SentAttempt, at: Instant): AttemptSpan
  /** The request has another route than before (`info.route`): decision and names are that route's. */
  onOtherRoute(headers: RequestHeaders): void
  /** The response's head is about to go downstream (decorator operation is consumed or returned here). */
  onResponseHeaders(headers: ResponseHeaders): void
  /** A health check: it is no part of a trace. */
  leaveOut(): void
  /** The stream is done (`info.endInstant`); also after resets and local replies. */
  finish(info: StreamInfo): void
}

export interface AttemptSpan {
  /** Writes the propagation headers of this attempt. */
  inject(headers: RequestHeaders): void
  /** Absent: nothing is told of the attempt. */
  finish?(outcome: AttemptOutcome): void
}

/** What a tracer is told of an attempt as it is sent. */
export interface SentAttempt {
  /** Observability name of the cluster. */
  clusterName: string
  /** 1 for the first. */
  number: number
  /** For another cluster than the request's own: a span in any case, named so, without what the connection manager asks of spans (custom tags, `verbose`). `sampled` undefined: as the request. */
  aside?: { spanName: string; clusterName: string; sampled?: boolean | undefined }
}

/** What became of one upstream attempt. Instants NaN: did not happen. */
export interface AttemptOutcome {
  at: Instant
  /** `ip:port`; "" when no host was chosen. */
  upstreamAddress: string
  /** 0: no response. */
  statusCode: number
  responseFlags: string
  /** Of the response, if there was one. */
  responseHeaders: ResponseHeaders | undefined
  /** From the sender, beside those that every attempt has. */
  tags?: readonly (readonly [name: string, value: string])[]
  /** `connection termination`, `remote connection failure`, `protocol error`, …; absent when there was an answer. */
  resetReason?: string
  /** The proxy itself reset the attempt: a timeout, a client gone, a discarded unfinished response. */
  canceled: boolean
  firstUpstreamTxByte: Instant
  lastUpstreamTxByte: Instant
  firstUpstreamRxByte: Instant
  lastUpstreamRxByte: Instant
}
