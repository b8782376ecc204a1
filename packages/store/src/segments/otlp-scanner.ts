import { decodeOtlpProto } from '@hopscope/model/formats'
import type { Head } from './head.ts'
import { OtlpContexts } from './otlp-contexts.ts'
import { OTLP_KINDS, type OtlpContext, OtlpMeaning, STATUS_ERROR } from './otlp-meaning.ts'
import { encodeMessage } from './otlp-message.ts'
import { NOT_ORDINARY } from './scan.ts'
import { WireScanner } from './wire-scanner.ts'

/** Keys of the messages of opentelemetry-proto: number of the field × 8 + wire type. */
const REQUEST = { resourceSpans: 0x0a } as const
const RESOURCE_SPANS = { resource: 0x0a, scopeSpans: 0x12, schemaUrl: 0x1a } as const
const SCOPE_SPANS = { scope: 0x0a, span: 0x12, schemaUrl: 0x1a } as const
const SPAN = {
  traceId: 0x0a,
  spanId: 0x12,
  traceState: 0x1a,
  parentSpanId: 0x22,
  name: 0x2a,
  kind: 0x30,
  start: 0x39,
  end: 0x41,
  attribute: 0x4a,
  event: 0x5a,
  link: 0x6a,
  status: 0x7a,
  /** Its key has two bytes: 0x85 0x01. */
  flags: 0x85,
} as const
const EVENT = { time: 0x09, name: 0x12 } as const
const STATUS = { message: 0x12, code: 0x18 } as const
const KEY_VALUE = { key: 0x0a, value: 0x12 } as const
const VALUE = { text: 0x0a, bool: 0x10, int: 0x18 } as const
/** Reads a binary `ExportTraceServiceRequest` as `decodeOtlpProto` of the model does, into columns. What is rare is asked of it. */
export class OtlpScanner extends WireScanner {
  readonly #contexts: OtlpContexts
  readonly #meaning: OtlpMeaning

  constructor(head: Head) {
    super(head)
    this.#meaning = new OtlpMeaning(head)
    this.#contexts = new OtlpContexts(head)
  }

  protected forget(): void {
    this.#contexts.forget()
    this.#meaning.forget()
  }

  protected readMessage(): void {
    const { body } = this
    if (body[this.at++] !== REQUEST.resourceSpans) throw NOT_ORDINARY
    const end = this.end(body.length)
    let resourceFrom = end
    let resourceTo = end
    let isBegun = false
    while (this.at < end) {
      const key = body[this.at++]
      const to = this.end(end)
      if (key === RESOURCE_SPANS.scopeSpans) {
        isBegun = true
        this.#scopeSpans(to, resourceFrom, resourceTo)
      } else if (key === RESOURCE_SPANS.resource) {
        // It stands before what it is the resource of, and once.
        if (isBegun || resourceFrom !== end) throw NOT_ORDINARY
        resourceFrom = this.at
        resourceTo = to
      } else if (key !== RESOURCE_SPANS.schemaUrl) throw NOT_ORDINARY
      this.at = to
    }
    // Without a span it must still be one.
    if (!isBegun) this.#context(resourceFrom, resourceTo, end, end)
  }

  #scopeSpans(end: number, resourceFrom: number, resourceTo: number): void {
    const { body } = this
    let scopeFrom = end
    let scopeTo = end
    let context: OtlpContext | undefined
    while (this.at < end) {
      const key = body[this.at++]
      const to = this.end(end)
      if (key === SCOPE_SPANS.span) {
        context ??= this.#context(resourceFrom, resourceTo, scopeFrom, scopeTo)
        this.#span(to, context)
        if (this.at !== to) throw NOT_ORDINARY
      } else if (key === SCOPE_SPANS.scope) {
        if (scopeFrom !== end || context !== undefined) throw NOT_ORDINARY
        scopeFrom = this.at
        scopeTo = to
      } else if (key !== SCOPE_SPANS.schemaUrl) throw NOT_ORDINARY
      this.at = to
    }
    if (context === undefined) this.#context(resourceFrom, resourceTo, scopeFrom, scopeTo)
  }

  #context(resourceFrom: number, resourceTo: number, scopeFrom: number, scopeTo: number): OtlpContext {
    const resource = this.body.subarray(resourceFrom, resourceTo)
    const scope = this.body.subarray(scopeFrom, scopeTo)
    return this.#contexts.of(resource, scope, () => decodeOtlpProto(encodeMessage({ resource, scope })).spans[0]!)
  }

  #span(end: number, context: OtlpContext): void {
    const { body, row, head } = this
    const meaning = this.#meaning
    meaning.begin(row, context)
    let seen = 0
    let place = 0
    let links = 0
    let start = 0
    let startRest = 0
    let finish = 0
    let finishRest = 0
    let statusCode = 0
    let statusText = ''
    const firstAnnotation = head.annotations.length
    while (this.at < end) {
      const key = body[this.at++]!
      if (key === SPAN.attribute) {
        meaning.attribute(this.tag(place++, end))
        continue
      }
      if (key === SPAN.event) {
        this.#event(end)
        continue
      }
      if (key === SPAN.link) {
        this.#link(links++, end)
        continue
      }
      if (seen & (1 << (key >> 3))) throw NOT_ORDINARY
      seen |= 1 << (key >> 3)
      switch (key) {
        case SPAN.traceId:
          if (body[this.at] !== 16) throw NOT_ORDINARY
          this.traceId(end)
          break
        case SPAN.spanId:
          this.spanId(end)
          break
        case SPAN.parentSpanId:
          if (body[this.at] === 0) this.at++
          else this.parentId(end)
          break
        case SPAN.name:
          this.name(end)
          break
        case SPAN.kind:
          row.kind = OTLP_KINDS[this.varint()] ?? 9
          if (row.kind > 4) throw NOT_ORDINARY
          break
        case SPAN.start:
          start = this.#microseconds(end)
          startRest = this.low
          break
        case SPAN.end:
          finish = this.#microseconds(end)
          finishRest = this.low
          break
        case SPAN.status: {
          const to = this.end(end)
          while (this.at < to) {
            const part = body[this.at++]
            if (part === STATUS.code) statusCode = this.varint()
            else if (part === STATUS.message) {
              const textTo = this.end(to)
              statusText = this.text(this.at, textTo)
              this.at = textTo
            } else throw NOT_ORDINARY
          }
          if (this.at !== to || statusCode > STATUS_ERROR) throw NOT_ORDINARY
          break
        }
        case SPAN.traceState: {
          const to = this.end(end)
          if (to > this.at) meaning.late.push(head.dictionary.pair('w3c.tracestate', this.text(this.at, to)))
          this.at = to
          break
        }
        case SPAN.flags:
          if (body[this.at] !== 1) throw NOT_ORDINARY
          this.at += 5
          break
        default:
          throw NOT_ORDINARY
      }
    }
    meaning.time(row, start, startRest, finish, finishRest)
    meaning.end(row, statusCode, statusText)
    head.sortAnnotations(firstAnnotation)
    this.addRow()
  }

  /** Of nanoseconds in eight bytes; leaves what is below a microsecond in `low`. */
  #microseconds(limit: number): number {
    this.fixed64(limit)
    const { high, low } = this
    const thousands = Math.floor(high / 1000)
    const rest = (high - thousands * 1000) * 2 ** 32 + low
    const micros = thousands * 2 ** 32 + Math.floor(rest / 1000)
    if (micros > Number.MAX_SAFE_INTEGER) throw NOT_ORDINARY
    this.low = rest % 1000
    return micros
  }

  /** A key and a text, a whole number or a boolean; any other value is asked of the model. */
  protected readPair(end: number): number {
    const { body } = this
    const from = this.at
    if (body[this.at++] !== KEY_VALUE.key) throw NOT_ORDINARY
    const keyTo = this.end(end)
    const keyFrom = this.at
    this.at = keyTo
    if (keyTo === end || body[this.at++] !== KEY_VALUE.value) throw NOT_ORDINARY
    if (this.end(end) !== end || this.at === end) throw NOT_ORDINARY
    const kind = body[this.at++]
    if (kind === VALUE.text) {
      const valueTo = this.end(end)
      const valueFrom = this.at
      if (valueTo !== end) throw NOT_ORDINARY
      this.at = end
      return this.pairOf(keyFrom, keyTo, valueFrom, valueTo)
    }
    // A negative number has the highest bit of ten bytes.
    if ((kind === VALUE.int || kind === VALUE.bool) && end - this.at < 8) {
      const number = this.varint()
      if (this.at !== end) throw NOT_ORDINARY
      const value = kind === VALUE.int ? String(number) : String(number !== 0)
      return this.head.dictionary.pair(this.text(keyFrom, keyTo), value)
    }
    const attribute = body.subarray(from, end)
    const tags = Object.entries(decodeOtlpProto(encodeMessage({ attributes: [attribute] })).spans[0]!.tags ?? {})
    // `error` that is false is no tag.
    if (tags.length !== 1) throw NOT_ORDINARY
    this.at = end
    return this.head.dictionary.pair(...tags[0]!)
  }

  /** Few spans have any: what they become is the model's to say. */
  #link(number: number, limit: number): void {
    const end = this.end(limit)
    const { spans } = decodeOtlpProto(encodeMessage({ link: this.body.subarray(this.at, end) }))
    this.#meaning.late.push(this.head.dictionary.pair(`otlp.link.${number}`, spans[0]!.tags!['otlp.link.0']!))
    this.at = end
  }

  /** One that has attributes becomes a text that the model writes. */
  #event(limit: number): void {
    const { body, head } = this
    const end = this.end(limit)
    const from = this.at
    if (body[this.at++] === EVENT.time) {
      const time = this.#microseconds(end)
      if (time !== 0 && body[this.at++] === EVENT.name) {
        const to = this.end(end)
        if (to === end && to > this.at) {
          head.annotate(time, this.stringOf(this.at, to))
          this.at = end
          return
        }
      }
    }
    const { spans } = decodeOtlpProto(encodeMessage({ event: body.subarray(from, end) }))
    for (const { timestamp, value } of spans[0]!.annotations ?? [])
      head.annotate(timestamp, head.dictionary.string(value))
    this.at = end
  }
}
