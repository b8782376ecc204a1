import type { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { Instant, StreamInfo } from '../stream-info.ts'
import { wireText } from './custom-tags.ts'
import type { AttemptOutcome, AttemptSpan, HttpTracer, RequestSpan, SentAttempt } from './http-tracer.ts'
import { OpenTelemetrySpans } from './opentelemetry-spans.ts'
import { type Names, SpanNames } from './span-names.ts'
import { momentOf, type SpanStart, type Spans } from './spans.ts'
import { TraceDecision, type TraceReason } from './trace-decision.ts'
import type { HttpTracerConfig, TracingServices } from './tracing-services.ts'
import { ZipkinSpans } from './zipkin-spans.ts'

/** Envoy's tracing of one HttpConnectionManager, with its Zipkin or its OpenTelemetry tracer. */
export function createHttpTracer(config: HttpTracerConfig, services: TracingServices): HttpTracer {
  const { tracing, direction } = config
  const { stats, runtime, random } = services
  const decision = new TraceDecision(tracing, config.statPrefix, stats, runtime, random, config.requestId)
  const egress = direction === 'OUTBOUND'
  const spans = createSpans(config, egress, services)
  const names = new SpanNames(tracing)
  function start(reason: TraceReason, decided: boolean, info: StreamInfo, headers: RequestHeaders): RequestSpan {
    const traced = reason !== 'not traceable'
    info.traced = traced
    const begun = spans?.start(headers, traced)
    if (begun !== undefined) spans!.log(begun, info)
    const name = spans?.name(headers) ?? ''
    const verdict = { decision: decided ? decision : undefined, reason }
    return new TracedRequest(spans, begun, egress, name, names, verdict, info, headers)
  }

  return {
    begin: (info, headers) => start(decision.decide(headers, info.route), true, info, headers),
    continue(info, headers) {
      decision.refused()
      return start('not traceable', false, info, headers)
    },
    refused() {
      decision.refused()
    },
  }
}

function createSpans(config: HttpTracerConfig, egress: boolean, services: TracingServices): Spans | undefined {
  const { provider } = config.tracing
  if (provider === undefined) return undefined
  if (provider.type === 'zipkin') return new ZipkinSpans(config, provider, egress, services)
  return new OpenTelemetrySpans(config, provider, egress, services)
}

/** Why a request is traced, or not; `decision` undefined: that was not for us to decide. */
interface TraceVerdict {
  decision: TraceDecision | undefined
  reason: TraceReason
}

/** The request's span, or with `spans` or `start` undefined only the decorator's headers. */
class TracedRequest implements RequestSpan {
  readonly #spans: Spans | undefined
  readonly #start: SpanStart | undefined
  readonly #egress: boolean
  readonly #spanNames: SpanNames
  #names: Names
  readonly #verdict: TraceVerdict
  readonly #info: StreamInfo
  #name: string
  /** The route's operation, when it is to be told to the other side. */
  #propagated: string | undefined
  /** The other side has said what the operation is. */
  #told = false

  constructor(
    spans: Spans | undefined,
    start: SpanStart | undefined,
    egress: boolean,
    name: string,
    names: SpanNames,
    verdict: TraceVerdict,
    info: StreamInfo,
    headers: RequestHeaders,
  ) {
    this.#spans = spans
    this.#start = start
    this.#egress = egress
    this.#info = info
    this.#spanNames = names
    this.#names = names.of(info.route)
    this.#verdict = verdict
    this.#name = name
    this.#takeNames(headers)
    if (egress || this.#names.withoutDecorators) return
    const given = headers.get('x-envoy-decorator-operation')
    if (given === undefined) return
    if (given !== '') {
      this.#name = given
      this.#propagated = undefined
      this.#told = true
    }
    headers.remove('x-envoy-decorator-operation')
  }

  onOtherRoute(headers: RequestHeaders): void {
    const { decision, reason } = this.#verdict
    const info = this.#info
    if (decision !== undefined) {
      this.#verdict.reason = decision.decideAgain(reason, headers, info.route)
      info.traced = this.#verdict.reason !== 'not traceable'
      if (this.#start?.decidedHere) this.#start.context.sampled = info.traced
    }
    this.#takeNames(headers)
  }

  #takeNames(headers: RequestHeaders): void {
    const { route } = this.#info
    this.#names = this.#spanNames.of(route)
    this.#propagated = undefined
    const decorator = this.#names.withoutDecorators ? undefined : route?.decorator
    if (decorator === undefined) return
    this.#name = wireText(decorator.operation)
    if (!decorator.propagate || this.#told) return
    this.#propagated = this.#name
    if (this.#egress) headers.set('x-envoy-decorator-operation', this.#name)
  }

  beginAttempt(attempt: SentAttempt, at: Instant): AttemptSpan {
    const spans = this.#spans
    const start = this.#start
    if (spans === undefined || start === undefined) return NO_ATTEMPT_SPAN
    if (!spans.spawn && attempt.aside === undefined) return new OwnContext(spans, start)
    return new SpannedAttempt(spans, spans.child(start), this.#info, this.#names, attempt, at)
  }

  onResponseHeaders(headers: ResponseHeaders): void {
    if (this.#names.withoutDecorators) return
    if (!this.#egress) {
      if (this.#propagated !== undefined) headers.set('x-envoy-decorator-operation', this.#propagated)
      return
    }
    const given = headers.get('x-envoy-decorator-operation')
    if (given === undefined) return
    if (given !== '') this.#name = given
    headers.remove('x-envoy-decorator-operation')
  }

  leaveOut(): void {
    this.#verdict.decision?.leaveOut(this.#verdict.reason)
    if (this.#start !== undefined) this.#start.context.sampled = false
  }

  finish(info: StreamInfo): void {
    if (this.#start?.context.sampled)
      this.#spans!.finishRequest(this.#start, this.#names.request?.(info) ?? this.#name, info)
  }
}

/** An attempt without a span of its own: it carries on the request's. */
class OwnContext implements AttemptSpan {
  readonly #spans: Spans
  readonly #start: SpanStart

  constructor(spans: Spans, start: SpanStart) {
    this.#spans = spans
    this.#start = start
  }

  inject(headers: RequestHeaders): void {
    this.#spans.inject(headers, this.#start)
  }
}

/** An attempt with a span of its own. */
class SpannedAttempt implements AttemptSpan {
  readonly #spans: Spans
  readonly #start: SpanStart
  readonly #info: StreamInfo
  readonly #names: Names
  readonly #attempt: SentAttempt
  /** A redirect may lead the request elsewhere before the attempt is over. */
  readonly #cluster: string
  readonly #at: Instant

  constructor(spans: Spans, start: SpanStart, info: StreamInfo, names: Names, attempt: SentAttempt, at: Instant) {
    this.#spans = spans
    this.#start = start
    this.#info = info
    this.#names = names
    this.#attempt = attempt
    this.#cluster = attempt.aside?.clusterName ?? info.clusterName
    this.#at = at
    if (attempt.aside?.sampled !== undefined) start.context.sampled = attempt.aside.sampled
  }

  inject(headers: RequestHeaders): void {
    this.#spans.inject(headers, this.#start)
  }

  finish(outcome: AttemptOutcome): void {
    if (!this.#start.context.sampled) return
    const info = this.#info
    const { aside, clusterName } = this.#attempt
    const name = aside?.spanName ?? this.#names.attempt?.(info) ?? routerSpanName(clusterName)
    const begun = momentOf(info, this.#at)
    this.#spans.finishAttempt(this.#start, name, begun, info, this.#attempt, this.#cluster, outcome)
  }
}

const routerSpanNames = new Map<string, string>()

/** As Envoy's router names it; the same string each time, for batches look whether it is that of the span before. */
function routerSpanName(clusterName: string): string {
  let name = routerSpanNames.get(clusterName)
  if (name === undefined) {
    name = `router ${wireText(clusterName)} egress`
    routerSpanNames.set(clusterName, name)
  }
  return name
}

const NO_ATTEMPT_SPAN: AttemptSpan = { inject() {} }
