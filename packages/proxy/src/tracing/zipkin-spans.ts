import type { Tracing, ZipkinConfig } from '@hopscope/envoy-config'
import type { Kind, Microseconds } from '@hopscope/model'
import {
  createIdGenerator,
  extract,
  type IdGenerator,
  type Incoming,
  injectB3Multi,
  injectB3Single,
  injectW3c,
  type SpanReporter,
  type TraceContext,
  type ZipkinBatch,
} from '@hopscope/tracer'
import type { RequestHeaders } from '../http/headers.ts'
import type { StreamInfo } from '../stream-info.ts'
import { RouteTags } from './custom-tags.ts'
import type { AttemptOutcome, SentAttempt } from './http-tracer.ts'
import { writeDownstreamMoments, writeUpstreamMoments } from './moments.ts'
import { type DownstreamTags, downstreamTags, TagWriter, writeAttemptTags, writeDownstreamTags } from './span-tags.ts'
import { momentOf, type SpanStart, type Spans } from './spans.ts'
import type { HttpTracerConfig, TracingServices } from './tracing-services.ts'

/** Envoy's Zipkin tracer. */
export class ZipkinSpans implements Spans {
  readonly spawn: boolean
  readonly #kind: Kind
  readonly #provider: ZipkinConfig
  readonly #tracing: Tracing
  readonly #tags: DownstreamTags
  readonly #customTags: RouteTags
  readonly #ids: IdGenerator
  readonly #reporter: SpanReporter<ZipkinBatch>

  constructor(config: HttpTracerConfig, provider: ZipkinConfig, egress: boolean, services: TracingServices) {
    const { tracing } = config
    this.spawn = tracing.spawnUpstreamSpan || config.startChildSpan === true
    // With a span for each attempt the request's own is a hop of its own: SERVER on both sides. `split_spans_for_request` makes
    // it one without making those spans. (Seen in Envoy 1.40)
    this.#kind = tracing.spawnUpstreamSpan || provider.splitSpans || !egress ? 'SERVER' : 'CLIENT'
    this.#provider = provider
    this.#tracing = tracing
    this.#tags = downstreamTags(services.node, tracing.maxPathTagLength)
    this.#customTags = new RouteTags(tracing.customTags, services.environment ?? process.env)
    this.#ids = services.ids ?? createIdGenerator()
    this.#reporter = services.reporters.ofZipkin(provider)
  }

  start(headers: RequestHeaders, traced: boolean): SpanStart | undefined {
    const incoming = extract(headers, { w3c: this.#provider.w3cPropagation })
    if (incoming === 'malformed') return undefined
    if (incoming === 'none') return starting(this.#root(traced), 'b3-multi', true)
    const sampled = incoming.sampled ?? traced
    const context = incoming.parent === undefined ? this.#root(sampled) : this.#continue(incoming.parent, sampled)
    return starting(context, incoming.style, incoming.sampled === undefined)
  }

  #root(sampled: boolean): TraceContext {
    const spanId = this.#ids.next()
    const { traceId128bit, timestampTraceIds } = this.#provider
    // A narrow id with the time in it is all that half, and no span's.
    const traceId = traceId128bit ? this.#highHalf() + spanId : timestampTraceIds ? this.#highHalf() : spanId
    return { traceId, spanId, sampled }
  }

  #highHalf(): string {
    const random = this.#ids.next()
    if (!this.#provider.timestampTraceIds) return random
    const seconds = Math.floor(Date.now() / 1000)
    return seconds.toString(16).padStart(8, '0') + random.slice(8)
  }

  #continue(parent: NonNullable<Incoming['parent']>, sampled: boolean): TraceContext {
    if (this.#kind === 'SERVER' && this.#provider.sharedSpanContext) return { ...parent, sampled }
    return { traceId: parent.traceId, spanId: this.#ids.next(), parentId: parent.spanId, sampled }
  }

  child({ context, style }: SpanStart): SpanStart {
    const { traceId, spanId: parentId } = context
    return starting({ traceId, spanId: this.#ids.next(), parentId, sampled: context.sampled === true }, style, false)
  }

  /** Answers in the style of the caller, as Envoy does from 1.40 on. */
  inject(headers: RequestHeaders, { context, style }: SpanStart): void {
    if (this.#tracing.noContextPropagation) return
    if (style === 'b3') injectB3Single(headers, context)
    else injectB3Multi(headers, context)
    if (this.#provider.w3cPropagation) injectW3c(headers, context)
  }

  name(headers: RequestHeaders): string {
    return headers.authority
  }

  log({ context }: SpanStart, info: StreamInfo): void {
    info.traceId = context.traceId
  }

  finishRequest({ context }: SpanStart, name: string, info: StreamInfo): void {
    const writer = this.#reporter.open()
    if (writer === undefined) return
    const end = momentOf(info, info.endInstant)
    beginSpan(writer, context, this.#kind, name, info.startTime, end)
    if (this.#tracing.verbose) writeDownstreamMoments(writer, annotate, info)
    writer.annotation(end, this.#kind === 'SERVER' ? 'ss' : 'cr')
    writeDownstreamTags(new TagWriter(writer, this.#customTags.of(info)), this.#tags, info)
    writer.end({ shared: this.#kind === 'SERVER' && this.#provider.sharedSpanContext })
    this.#reporter.commit()
  }

  finishAttempt(
    { context }: SpanStart,
    name: string,
    begun: Microseconds,
    info: StreamInfo,
    attempt: SentAttempt,
    cluster: string,
    outcome: AttemptOutcome,
  ): void {
    const writer = this.#reporter.open()
    if (writer === undefined) return
    const end = momentOf(info, outcome.at)
    beginSpan(writer, context, 'CLIENT', name, begun, end)
    if (this.#tracing.verbose && attempt.aside === undefined) writeUpstreamMoments(writer, annotate, info, outcome)
    writer.annotation(end, 'cr')
    const customTags = attempt.aside === undefined ? this.#customTags.of(info) : undefined
    writeAttemptTags(new TagWriter(writer, customTags), attempt, cluster, outcome)
    writer.end({})
    this.#reporter.commit()
  }
}

function starting(context: TraceContext, style: SpanStart['style'], decidedHere: boolean): SpanStart {
  return { context, style, traceState: '', parentIsRemote: false, decidedHere }
}

function beginSpan(
  writer: ZipkinBatch,
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

function annotate(writer: ZipkinBatch, at: Microseconds, name: string): void {
  writer.annotation(at, name)
}
