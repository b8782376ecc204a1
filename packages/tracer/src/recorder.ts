import type { Kind, Microseconds } from '@hopscope/model'
import type { TraceContext } from './context.ts'
import type { IdGenerator } from './ids.ts'
import type { Carrier } from './propagation/carrier.ts'
import { extract } from './propagation/extract.ts'
import type { SpanReporter } from './reporter.ts'
import type { Sampler } from './sampler.ts'

/** What a recorder needs. */
export interface RecorderOptions {
  reporter: SpanReporter
  ids: IdGenerator
  sampler: Sampler
  /** Wall clock, µs since the epoch. */
  now(): Microseconds
  /** Roots get 128-bit trace ids. */
  traceId128?: boolean
}

/** What is known of a span when it begins. */
export interface SpanStart {
  name: string
  /** Absent: local work. */
  kind?: Kind
  /** Defaults to now. */
  timestamp?: Microseconds
}

/** Makes the spans of an application: from an incoming message, from a parent, or from nothing. */
export class SpanRecorder {
  readonly #options: RecorderOptions

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  /**
   * The SERVER side of a call. With B3 it joins the caller's span id, as Zipkin's clients do; after a traceparent it is a child.
   * Malformed headers are no context: a new trace begins.
   */
  join(carrier: Carrier, start: SpanStart): ActiveSpan {
    const incoming = extract(carrier, { w3c: true })
    if (incoming === 'none' || incoming === 'malformed' || incoming.parent === undefined) {
      if (typeof incoming === 'string') return this.#root(start, undefined, false)
      return this.#root(start, incoming.debug || incoming.sampled, incoming.debug)
    }
    const { parent, style, debug } = incoming
    const sampled = debug || (incoming.sampled ?? this.#options.sampler(parent.traceId))
    const context: TraceContext =
      style === 'w3c'
        ? { traceId: parent.traceId, spanId: this.#options.ids.next(), parentId: parent.spanId, sampled }
        : { ...parent, sampled, debug, shared: true }
    return this.#start(context, start)
  }

  root(start: SpanStart): ActiveSpan {
    return this.#root(start, undefined, false)
  }

  child(parent: TraceContext, start: SpanStart): ActiveSpan {
    const context: TraceContext = {
      traceId: parent.traceId,
      spanId: this.#options.ids.next(),
      parentId: parent.spanId,
      sampled: parent.sampled ?? this.#options.sampler(parent.traceId),
    }
    if (parent.debug === true) context.debug = true
    return this.#start(context, start)
  }

  #root(start: SpanStart, decision: boolean | undefined, debug: boolean): ActiveSpan {
    const { ids, sampler, traceId128 } = this.#options
    const spanId = ids.next()
    const traceId = traceId128 === true ? ids.next() + spanId : spanId
    return this.#start({ traceId, spanId, sampled: decision ?? sampler(traceId), debug }, start)
  }

  #start(context: TraceContext, start: SpanStart): ActiveSpan {
    return new ActiveSpan(this.#options, context, start)
  }
}

/** A span that is being recorded. Writing to one that is not sampled costs nothing and does nothing. */
export class ActiveSpan {
  readonly context: TraceContext
  name: string

  readonly #options: RecorderOptions
  readonly #kind: Kind | undefined
  readonly #timestamp: Microseconds
  readonly #tags = new Map<string, string>()
  readonly #annotations: { timestamp: Microseconds; value: string }[] = []
  #finished = false

  constructor(options: RecorderOptions, context: TraceContext, start: SpanStart) {
    this.#options = options
    this.context = context
    this.name = start.name
    this.#kind = start.kind
    this.#timestamp = start.timestamp ?? options.now()
  }

  tag(key: string, value: string): void {
    if (this.context.sampled) this.#tags.set(key, value)
  }

  annotate(value: string, timestamp?: Microseconds): void {
    if (this.context.sampled) this.#annotations.push({ timestamp: timestamp ?? this.#options.now(), value })
  }

  /** Reports it; a second call does nothing. */
  finish(timestamp?: Microseconds): void {
    if (this.#finished) return
    this.#finished = true
    const { context } = this
    if (!context.sampled) return
    const end = timestamp ?? this.#options.now()
    const writer = this.#options.reporter.open()
    if (writer === undefined) return
    writer.begin({
      traceId: context.traceId,
      id: context.spanId,
      parentId: context.parentId,
      kind: this.#kind,
      name: this.name,
      timestamp: this.#timestamp,
      duration: Math.max(1, end - this.#timestamp),
    })
    for (const annotation of this.#annotations) writer.annotation(annotation.timestamp, annotation.value)
    for (const [key, value] of this.#tags) writer.tag(key, value)
    writer.end({ shared: context.shared === true, debug: context.debug === true })
    this.#options.reporter.commit()
  }
}
