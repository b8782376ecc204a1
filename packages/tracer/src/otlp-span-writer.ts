import type { Microseconds } from '@hopscope/model'
import { SpansByKind } from './like-spans.ts'
import { ProtoBytes } from './proto-bytes.ts'
import type { SpanBatch } from './span-batch.ts'

/** Who the spans of a batch are from. */
export interface OtlpSource {
  /** Resource attributes in their order. */
  resource: readonly (readonly [key: string, value: string])[]
  /** Instrumentation scope; undefined: none is named. */
  scope?: { name: string; version: string }
}

/** What an OTLP span begins with. */
export interface OtlpSpanHead {
  /** 32 lower-hex characters. */
  traceId: string
  id: string
  parentId?: string | undefined
  /** As it came; "": none. */
  traceState: string
  /** Whether the parent is of another process. */
  parentIsRemote: boolean
  name: string
  kind: 'SERVER' | 'CLIENT'
  start: Microseconds
  end: Microseconds
}

const KINDS = { SERVER: 2, CLIENT: 3 } as const
/** opentelemetry.proto.trace.v1.SpanFlags: sampled, and where the parent is from. */
const SAMPLED = 0x001
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200
const STATUS_ERROR = 2

/**
 * Writes a batch of spans as an OTLP ExportTraceServiceRequest (protobuf), straight into bytes as `SpanWriter` does. One span is
 * `begin`, then attributes, then events, then `end`. Field numbers: opentelemetry-proto, trace/v1/trace.proto.
 */
export class OtlpSpanWriter implements SpanBatch {
  count = 0
  readonly #spans: ProtoBytes
  readonly #like = new SpansByKind()
  /** Those of which the open span is one. */
  #open = this.#like.of(undefined)
  #events = 0
  readonly #resource: Uint8Array
  readonly #scope: Uint8Array
  /** The beginnings of the two messages that a batch is in. */
  readonly #around = new ProtoBytes('utf8', 32)
  #start = 0
  #flags = 0

  constructor(source: OtlpSource, encoding: 'utf8' | 'latin1' = 'utf8') {
    this.#spans = new ProtoBytes(encoding)
    this.#resource = encodeResource(source.resource)
    this.#scope = encodeScope(source.scope)
  }

  get byteLength(): number {
    return this.#spans.length
  }

  begin(head: OtlpSpanHead): void {
    const spans = this.#spans
    this.#start = spans.open(2)
    const like = head.kind === this.#open.kind ? this.#open : this.#like.of(head.kind)
    this.#open = like
    this.#events = 0
    like.tags.begin(this.#start)
    this.#flags = SAMPLED | HAS_IS_REMOTE | (head.parentIsRemote ? IS_REMOTE : 0)
    spans.hex(1, head.traceId)
    spans.hex(2, head.id)
    if (head.traceState !== '') spans.string(3, head.traceState)
    if (head.parentId !== undefined) spans.hex(4, head.parentId)
    if (head.name === like.name) spans.put(like.named)
    else this.#writeNamed(head)
    spans.fixed64(7, head.start, 1000)
    spans.fixed64(8, head.end, 1000)
  }

  #writeNamed({ kind, name }: OtlpSpanHead): void {
    const spans = this.#spans
    const start = spans.length
    spans.string(5, name)
    spans.varint(6, KINDS[kind])
    this.#open.name = name
    this.#open.named = spans.copySince(start)
  }

  tag(key: string, value: string): void {
    const spans = this.#spans
    const { tags } = this.#open
    if (tags.repeats(key, value)) return
    this.#copyRepeated()
    const start = spans.length
    writeAttribute(spans, 9, key, value)
    tags.wrote(key, value, start, spans.length)
  }

  #copyRepeated(): void {
    const repeated = this.#open.tags
    if (!repeated.any) return
    const { from, bytes } = repeated
    const start = this.#spans.length
    this.#spans.copy(from, bytes)
    repeated.copied(start)
  }

  event(at: Microseconds, name: string): void {
    this.#copyRepeated()
    const n = this.#events++
    const spans = this.#spans
    const { annotations, annotationBytes } = this.#open
    const start = spans.open(11, EVENT_LENGTH_BYTES)
    spans.fixed64(1, at, 1000)
    if (annotations[n] === name) spans.put(annotationBytes[n]!)
    else {
      const named = spans.length
      spans.string(2, name)
      annotations[n] = name
      annotationBytes[n] = spans.copySince(named)
    }
    spans.close(start, EVENT_LENGTH_BYTES)
  }

  /** `none`: without a word about the status; `unset`: with an empty one. */
  end({ status }: { status: 'none' | 'unset' | 'error' }): void {
    this.#copyRepeated()
    const spans = this.#spans
    if (status !== 'none') {
      const start = spans.open(15)
      if (status === 'error') spans.varint(3, STATUS_ERROR)
      spans.close(start)
    }
    spans.fixed32(16, this.#flags)
    if (spans.close(this.#start)) this.#open.tags.forget()
    this.count++
  }

  take(): Uint8Array {
    const spans = this.#spans.bytes()
    const around = this.#around
    around.length = 0
    around.prefix(2, this.#scope.length + spans.length)
    const scopeSpans = around.length
    around.prefix(1, this.#resource.length + scopeSpans + this.#scope.length + spans.length)
    const prefixes = around.bytes()
    const body = Buffer.concat([
      prefixes.subarray(scopeSpans),
      this.#resource,
      prefixes.subarray(0, scopeSpans),
      this.#scope,
      spans,
    ])
    this.clear()
    return body
  }

  clear(): void {
    this.#spans.length = 0
    this.count = 0
    this.#like.forget()
  }
}

function encodeResource(resource: OtlpSource['resource']): Uint8Array {
  const bytes = new ProtoBytes('utf8')
  const start = bytes.open(1)
  for (const [key, value] of resource) writeAttribute(bytes, 1, key, value)
  bytes.close(start)
  return Buffer.from(bytes.bytes())
}

function encodeScope(scope: OtlpSource['scope']): Uint8Array {
  const bytes = new ProtoBytes('utf8')
  if (scope !== undefined) {
    const start = bytes.open(1)
    bytes.string(1, scope.name)
    bytes.string(2, scope.version)
    bytes.close(start)
  }
  return Buffer.from(bytes.bytes())
}

/** Most attributes, and all events of a proxy, have less than 128 bytes. */
const ATTRIBUTE_LENGTH_BYTES = 1
const EVENT_LENGTH_BYTES = 1

/** A KeyValue with a string. */
function writeAttribute(bytes: ProtoBytes, field: number, key: string, value: string): void {
  const start = bytes.open(field, ATTRIBUTE_LENGTH_BYTES)
  bytes.string(1, key)
  const any = bytes.open(2, ATTRIBUTE_LENGTH_BYTES)
  bytes.string(1, value)
  bytes.close(any, ATTRIBUTE_LENGTH_BYTES)
  bytes.close(start, ATTRIBUTE_LENGTH_BYTES)
}
