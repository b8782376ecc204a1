import type { OpenTelemetryConfig, Tracing } from '@hopscope/envoy-config'
import type { Microseconds } from '@hopscope/model'
import {
  createIdGenerator,
  extractW3c,
  type IdGenerator,
  injectW3c,
  type OtlpSpanWriter,
  type SpanReporter,
} from '@hopscope/tracer'
import type { RequestHeaders } from '../http/headers.ts'
import type { StreamInfo } from '../stream-info.ts'
import { RouteTags } from './custom-tags.ts'
import type { AttemptOutcome, SentAttempt } from './http-tracer.ts'
import { writeDownstreamMoments, writeUpstreamMoments } from './moments.ts'
import { compileSampler, type OpenTelemetrySampling } from './opentelemetry-sampler.ts'
import { type DownstreamTags, downstreamTags, TagWriter, writeAttemptTags, writeDownstreamTags } from './span-tags.ts'
import { momentOf, type SpanStart, type Spans } from './spans.ts'
import type { HttpTracerConfig, TracingServices } from './tracing-services.ts'

/** Envoy's OpenTelemetry tracer: W3C trace context, spans as OTLP. */
export class OpenTelemetrySpans implements Spans {
  readonly spawn: boolean
  readonly #kind: 'SERVER' | 'CLIENT'
  readonly #direction: 'ingress' | 'egress'
  readonly #tracing: Tracing
  readonly #sampling: OpenTelemetrySampling | undefined
  readonly #tags: DownstreamTags
  readonly #customTags: RouteTags
  readonly #ids: IdGenerator
  readonly #reporter: SpanReporter<OtlpSpanWriter>

  constructor(config: HttpTracerConfig, provider: OpenTelemetryConfig, egress: boolean, services: TracingServices) {
    const { tracing } = config
    this.spawn = tracing.spawnUpstreamSpan || config.startChildSpan === true
    this.#kind = tracing.spawnUpstreamSpan || !egress ? 'SERVER' : 'CLIENT'
    this.#direction = egress ? 'egress' : 'ingress'
    this.#tracing = tracing
    this.#sampling = provider.sampler && compileSampler(provider.sampler)
    this.#tags = { ...downstreamTags(services.node, tracing.maxPathTagLength), methods: METHODS }
    this.#customTags = new RouteTags(tracing.customTags, services.environment ?? process.env)
    this.#ids = services.ids ?? createIdGenerator()
    this.#reporter = services.reporters.ofOpenTelemetry(provider)
  }

  start(headers: RequestHeaders, traced: boolean): SpanStart | undefined {
    const incoming = extractW3c(headers)
    if (incoming === 'malformed') return undefined
    const spanId = this.#ids.next()
    if (incoming === 'none' || incoming.parent === undefined) {
      const traceId = this.#ids.next() + this.#ids.next()
      const sampled = traced && (this.#sampling?.(traceId, undefined) ?? true)
      const context = { traceId, spanId, sampled }
      return { context, style: 'w3c', traceState: '', parentIsRemote: false, decidedHere: true }
    }
    const { traceId, spanId: parentId } = incoming.parent
    const given = incoming.sampled === true
    const sampled = traced && (this.#sampling?.(traceId, given) ?? given)
    const traceState = headers.getAll('tracestate').join(',')
    const context = { traceId, spanId, parentId, sampled }
    return { context, style: 'w3c', traceState, parentIsRemote: true, decidedHere: false }
  }

  child({ context, style, traceState }: SpanStart): SpanStart {
    const { traceId, spanId: parentId } = context
    const sampled = context.sampled === true
    return {
      context: { traceId, spanId: this.#ids.next(), parentId, sampled },
      style,
      traceState,
      parentIsRemote: false,
      decidedHere: false,
    }
  }

  inject(headers: RequestHeaders, { context, traceState }: SpanStart): void {
    if (this.#tracing.noContextPropagation) return
    injectW3c(headers, context)
    headers.set('tracestate', traceState)
  }

  name(headers: RequestHeaders): string {
    return this.#direction === 'egress' ? `egress ${headers.authority}` : 'ingress'
  }

  log({ context }: SpanStart, info: StreamInfo): void {
    info.traceId = context.traceId
    info.spanId = context.spanId
  }

  finishRequest(start: SpanStart, name: string, info: StreamInfo): void {
    const writer = this.#begin(start, name, this.#kind, info.startTime, momentOf(info, info.endInstant))
    if (writer === undefined) return
    writeDownstreamTags(new TagWriter(writer, this.#customTags.of(info), 'keep empty'), this.#tags, info)
    if (this.#tracing.verbose) writeDownstreamMoments(writer, addEvent, info)
    this.#end(writer, this.#kind, info.responseCode, info.responseHeaders?.get('grpc-status'))
  }

  finishAttempt(
    start: SpanStart,
    name: string,
    begun: Microseconds,
    info: StreamInfo,
    attempt: SentAttempt,
    cluster: string,
    outcome: AttemptOutcome,
  ): void {
    const writer = this.#begin(start, name, 'CLIENT', begun, momentOf(info, outcome.at))
    if (writer === undefined) return
    const customTags = attempt.aside === undefined ? this.#customTags.of(info) : undefined
    writeAttemptTags(new TagWriter(writer, customTags, 'keep empty'), attempt, cluster, outcome)
    if (this.#tracing.verbose && attempt.aside === undefined) writeUpstreamMoments(writer, addEvent, info, outcome)
    this.#end(writer, 'CLIENT', outcome.statusCode, outcome.responseHeaders?.get('grpc-status'))
  }

  #begin(
    { context, traceState, parentIsRemote }: SpanStart,
    name: string,
    kind: 'SERVER' | 'CLIENT',
    start: Microseconds,
    end: Microseconds,
  ): OtlpSpanWriter | undefined {
    const writer = this.#reporter.open()
    const { traceId, spanId: id, parentId } = context
    writer?.begin({ traceId, id, parentId, traceState, parentIsRemote, name, kind, start, end })
    return writer
  }

  #end(writer: OtlpSpanWriter, kind: 'SERVER' | 'CLIENT', statusCode: number, grpcStatus?: string): void {
    // The status of a gRPC call is always written, even when it is UNSET.
    const status = isFailure(kind, statusCode, grpcStatus) ? 'error' : grpcStatus === undefined ? 'none' : 'unset'
    writer.end({ status })
    this.#reporter.commit()
  }
}

function addEvent(writer: OtlpSpanWriter, at: Microseconds, name: string): void {
  writer.event(at, name)
}

/** gRPC's statuses that are the server's fault. */
const SERVER_FAULTS: ReadonlySet<string> = new Set(['2', '4', '12', '13', '14', '15'])

/** By OpenTelemetry's conventions for HTTP and RPC some failures are the client's alone. */
function isFailure(kind: 'SERVER' | 'CLIENT', statusCode: number, grpcStatus: string | undefined): boolean {
  if (statusCode >= (kind === 'CLIENT' ? 400 : 500)) return true
  if (grpcStatus === undefined || grpcStatus === '0') return false
  return kind === 'CLIENT' || SERVER_FAULTS.has(grpcStatus)
}

/** The methods that OpenTelemetry's conventions know; others are `_OTHER`, for there is no bound to them. */
const METHODS: ReadonlySet<string> = new Set('CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT QUERY TRACE'.split(' '))
