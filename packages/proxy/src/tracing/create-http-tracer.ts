import type { Listener, Node, Tracing } from '@hopscope/envoy-config'
import type { Kind, Microseconds } from '@hopscope/model'
import {
  createIdGenerator,
  extract,
  type IdGenerator,
  type Incoming,
  injectB3Multi,
  injectB3Single,
  injectW3c,
  type PropagationStyle,
  type SpanReporter,
  type SpanWriter,
  type TraceContext,
} from '@hopscope/tracer'
import type { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { Runtime } from '../runtime.ts'
import type { Stats } from '../stats/stats.ts'
import type { Instant, StreamInfo } from '../stream-info.ts'
import { type CustomTags, compileCustomTags, wireText } from './custom-tags.ts'
import type { Attempt, AttemptOutcome, AttemptSpan, HttpTracer, RequestSpan } from './http-tracer.ts'
import {
  type DownstreamTags,
  downstreamMoments,
  downstreamTags,
  type Moment,
  TagWriter,
  upstreamMoments,
  writeAttemptTags,
  writeDownstreamTags,
} from './span-tags.ts'
import { TraceDecision } from './trace-decision.ts'
import type { ZipkinReporters } from './zipkin-reporters.ts'

/** `tracing` of one HttpConnectionManager. */
export interface HttpTracerConfig {
  tracing: Tracing
  statPrefix: string
  direction: Listener['trafficDirection']
  /** The router filter's deprecated `start_child_span`: spans of attempts, without changing what kind the request's span is. */
  startChildSpan?: boolean
}

/** What all tracers of a proxy share. */
export interface TracingServices {
  node: Node
  stats: Stats
  runtime: Runtime
  /** Numbers in [0, 1), for client sampling. */
  random: () => number
  reporters: ZipkinReporters
  ids?: IdGenerator
  /** The process's environment, for custom tags. */
  environment?: Readonly<Record<string, string | undefined>>
}

/** Envoy's tracing of one HttpConnectionManager, with its Zipkin tracer. */
export function createHttpTracer(config: HttpTracerConfig, services: TracingServices): HttpTracer {
  const { tracing, direction } = config
  const decision = new TraceDecision(tracing, config.statPrefix, services.stats, services.runtime, services.random)
  const egress = direction === 'OUTBOUND'
  const provider = tracing.provider
  const spans = provider === undefined ? undefined : new ZipkinSpans(config, provider, egress, services)
  return {
    begin(info, headers) {
      const traced = decision.decide(headers, info.route)
      const name = headers.authority
      const start = spans?.start(headers, traced)
      if (start !== undefined) info.traceId = start.context.traceId
      return new TracedRequest(spans, start, egress, name, info, headers)
    },
    refused() {
      decision.refused()
    },
  }
}

interface SpanStart {
  context: TraceContext
  style: PropagationStyle
}

/** The Zipkin tracer: which ids and kind a span gets, what is written of it, what travels on. */
class ZipkinSpans {
  /** A span for every attempt. */
  readonly spawn: boolean
  readonly #kind: Kind
  readonly #shared: boolean
  readonly #w3c: boolean
  readonly #traceId128: boolean
  readonly #verbose: boolean
  readonly #tags: DownstreamTags
  readonly #customTags: CustomTags | undefined
  readonly #ids: IdGenerator
  readonly #reporter: SpanReporter

  constructor(
    config: HttpTracerConfig,
    provider: NonNullable<Tracing['provider']>,
    egress: boolean,
    services: TracingServices,
  ) {
    const { tracing } = config
    this.spawn = tracing.spawnUpstreamSpan || config.startChildSpan === true
    // With a span for each attempt the request's own is a hop of its own: SERVER on both sides.
    this.#kind = tracing.spawnUpstreamSpan || !egress ? 'SERVER' : 'CLIENT'
    this.#shared = provider.sharedSpanContext
    this.#w3c = provider.w3cPropagation
    this.#traceId128 = provider.traceId128bit
    this.#verbose = tracing.verbose
    this.#tags = downstreamTags(services.node, tracing.maxPathTagLength)
    this.#customTags = compileCustomTags(tracing.customTags, services.environment ?? process.env)
    this.#ids = services.ids ?? createIdGenerator()
    this.#reporter = services.reporters.of(provider)
  }

  /** Undefined after a malformed B3 header: nothing is reported and nothing is written into the headers. */
  start(headers: RequestHeaders, traced: boolean): SpanStart | undefined {
    const incoming = extract(headers, { w3c: this.#w3c })
    if (incoming === 'malformed') return undefined
    if (incoming === 'none') return { context: this.#root(traced), style: 'b3-multi' }
    const sampled = incoming.sampled ?? traced
    const context = incoming.parent === undefined ? this.#root(sampled) : this.#continue(incoming.parent, sampled)
    return { context, style: incoming.style }
  }

  #root(sampled: boolean): TraceContext {
    const spanId = this.#ids.next()
    return { traceId: this.#traceId128 ? this.#ids.next() + spanId : spanId, spanId, sampled }
  }

  #continue(parent: NonNullable<Incoming['parent']>, sampled: boolean): TraceContext {
    if (this.#kind === 'SERVER' && this.#shared) return { ...parent, sampled }
    return { traceId: parent.traceId, spanId: this.#ids.next(), parentId: parent.spanId, sampled }
  }

  child(parent: TraceContext): TraceContext {
    return {
      traceId: parent.traceId,
      spanId: this.#ids.next(),
      parentId: parent.spanId,
      sampled: parent.sampled === true,
    }
  }

  /** Answers in the style of the caller, as Envoy does from 1.40 on. */
  inject(headers: RequestHeaders, context: TraceContext, style: PropagationStyle): void {
    if (style === 'b3') injectB3Single(headers, context)
    else injectB3Multi(headers, context)
    if (this.#w3c) injectW3c(headers, context)
  }

  finishRequest(context: TraceContext, name: string, info: StreamInfo): void {
    const writer = this.#reporter.open()
    if (writer === undefined) return
    const end = momentOf(info, info.endInstant)
    beginSpan(writer, context, this.#kind, name, info.startTime, end)
    if (this.#verbose) annotate(writer, info, downstreamMoments(info))
    writer.annotation(end, this.#kind === 'SERVER' ? 'ss' : 'cr')
    const tags = new TagWriter(writer, this.#customTags?.(info.requestHeaders))
    writeDownstreamTags(tags, this.#tags, info)
    writer.end({ shared: this.#kind === 'SERVER' && this.#shared })
    this.#reporter.commit()
  }

  finishAttempt(
    context: TraceContext,
    name: string,
    start: Microseconds,
    info: StreamInfo,
    attempt: Attempt,
    outcome: AttemptOutcome,
  ): void {
    const writer = this.#reporter.open()
    if (writer === undefined) return
    const end = momentOf(info, outcome.at)
    beginSpan(writer, context, 'CLIENT', name, start, end)
    if (this.#verbose) annotate(writer, info, upstreamMoments(outcome))
    writer.annotation(end, 'cr')
    const tags = new TagWriter(writer, this.#customTags?.(info.requestHeaders))
    const of = {
      clusterName: attempt.mirror?.clusterName ?? info.clusterName,
      clusterObservabilityName: attempt.clusterName,
      number: attempt.number,
    }
    writeAttemptTags(tags, of, outcome)
    writer.end({})
    this.#reporter.commit()
  }
}

/** The request's span, or with `spans` or `start` undefined only the decorator's headers. */
class TracedRequest implements RequestSpan {
  readonly #spans: ZipkinSpans | undefined
  readonly #start: SpanStart | undefined
  readonly #egress: boolean
  readonly #info: StreamInfo
  #name: string
  /** The route's operation, when it is to be told to the other side. */
  #propagated: string | undefined

  constructor(
    spans: ZipkinSpans | undefined,
    start: SpanStart | undefined,
    egress: boolean,
    name: string,
    info: StreamInfo,
    headers: RequestHeaders,
  ) {
    this.#spans = spans
    this.#start = start
    this.#egress = egress
    this.#info = info
    this.#name = name
    const decorator = info.route?.decorator
    if (decorator !== undefined) {
      this.#name = wireText(decorator.operation)
      if (decorator.propagate) this.#propagated = this.#name
    }
    if (egress) {
      if (this.#propagated !== undefined) headers.set('x-envoy-decorator-operation', this.#propagated)
      return
    }
    const given = headers.get('x-envoy-decorator-operation')
    if (given === undefined) return
    if (given !== '') {
      this.#name = given
      this.#propagated = undefined
    }
    headers.remove('x-envoy-decorator-operation')
  }

  beginAttempt(attempt: Attempt, at: Instant): AttemptSpan {
    const spans = this.#spans
    const start = this.#start
    if (spans === undefined || start === undefined) return NO_ATTEMPT_SPAN
    const info = this.#info
    if (!spans.spawn && attempt.mirror === undefined) {
      return { inject: headers => spans.inject(headers, start.context, start.style), finish() {} }
    }
    const child = spans.child(start.context)
    const context = { ...child, sampled: attempt.mirror?.sampled ?? child.sampled === true }
    const name = attempt.mirror === undefined ? `router ${wireText(attempt.clusterName)} egress` : 'mirror'
    return {
      inject: headers => spans.inject(headers, context, start.style),
      finish(outcome) {
        if (context.sampled) spans.finishAttempt(context, name, momentOf(info, at), info, attempt, outcome)
      },
    }
  }

  onResponseHeaders(headers: ResponseHeaders): void {
    if (!this.#egress) {
      if (this.#propagated !== undefined) headers.set('x-envoy-decorator-operation', this.#propagated)
      return
    }
    const given = headers.get('x-envoy-decorator-operation')
    if (given === undefined) return
    if (given !== '') this.#name = given
    headers.remove('x-envoy-decorator-operation')
  }

  finish(info: StreamInfo): void {
    if (this.#start?.context.sampled) this.#spans!.finishRequest(this.#start.context, this.#name, info)
  }
}

const NO_ATTEMPT_SPAN: AttemptSpan = { inject() {}, finish() {} }

function momentOf(info: StreamInfo, at: Instant): Microseconds {
  return info.startTime + Math.round((at - info.startInstant) * 1000)
}

function beginSpan(
  writer: SpanWriter,
  context: TraceContext,
  kind: Kind,
  name: string,
  start: Microseconds,
  end: Microseconds,
): void {
  writer.begin({
    traceId: context.traceId,
    id: context.spanId,
    parentId: context.parentId,
    kind,
    name,
    timestamp: start,
    duration: Math.max(1, end - start),
  })
}

function annotate(writer: SpanWriter, info: StreamInfo, moments: readonly Moment[]): void {
  for (const [name, at] of moments) if (!Number.isNaN(at)) writer.annotation(momentOf(info, at), name)
}
