import { isUtf8 } from 'node:buffer'
import { decodeOtlpJson } from '@hopscope/model/formats'
import { STRING } from './dictionary.ts'
import type { Head } from './head.ts'
import { BACKSLASH, CLOSE, CLOSE_LIST, COLON, COMMA, JsonCursor, OPEN, OPEN_LIST, QUOTE } from './json-cursor.ts'
import { KnownBytes } from './known-bytes.ts'
import { OtlpContexts } from './otlp-contexts.ts'
import { OTLP_KINDS, type OtlpContext, OtlpMeaning, STATUS_ERROR } from './otlp-meaning.ts'
import { Row } from './row.ts'
import { NOT_ORDINARY, type Scanner, scanInto } from './scan.ts'
import { HASH_SEED, hashBytes } from './words.ts'

const names = (list: string[]): Buffer[] => list.map(name => Buffer.from(name))

/** Numbers of fields are their places in these lists; guesses are kept for all of them together. */
const REQUEST = { first: 0, names: names(['resourceSpans']) }
const RESOURCE = 0
const SCOPES = 1
const RESOURCE_SPANS = { first: 1, names: names(['resource', 'scopeSpans', 'schemaUrl']) }
const SCOPE = 0
const SPANS = 1
const SCOPE_SPANS = { first: 4, names: names(['scope', 'spans', 'schemaUrl']) }
const TRACE_ID = 0
const SPAN_ID = 1
const PARENT_ID = 2
const TRACE_STATE = 3
const NAME = 4
const KIND = 5
const START = 6
const END = 7
const ATTRIBUTES = 8
const EVENTS = 9
const STATUS = 10
const LINKS = 11
const FLAGS = 12
const DROPPED_ATTRIBUTES = 13
const DROPPED_EVENTS = 14
const DROPPED_LINKS = 15
const SPAN = {
  first: 7,
  names: names([
    'traceId',
    'spanId',
    'parentSpanId',
    'traceState',
    'name',
    'kind',
    'startTimeUnixNano',
    'endTimeUnixNano',
    'attributes',
    'events',
    'status',
    'links',
    'flags',
    'droppedAttributesCount',
    'droppedEventsCount',
    'droppedLinksCount',
  ]),
}
const CODE = 0
const STATUS_FIELDS = { first: 23, names: names(['code', 'message']) }
const TIME = 0
const EVENT_NAME = 1
const EVENT_ATTRIBUTES = 2
const EVENT_FIELDS = { first: 25, names: names(['timeUnixNano', 'name', 'attributes', 'droppedAttributesCount']) }
const FIELD_COUNT = 29
type Fields = typeof SPAN

const BOTH_IDS = (1 << TRACE_ID) | (1 << SPAN_ID)
const KINDS = names(['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(n => `SPAN_KIND_${n}`))
const STATUSES = names(['UNSET', 'OK', 'ERROR'].map(name => `STATUS_CODE_${name}`))
const KEY_BEGIN = Buffer.from('{"key":"')
const TEXT_BEGIN = Buffer.from(',"value":{"stringValue":"')
const TEXT_END = Buffer.from('}}')
const NOTHING = new Uint8Array(0)
const ZERO = 0x30

/** Attributes beyond this of a span are not guessed. */
const GUESSED = 64

/**
 * Reads an OTLP/JSON `ExportTraceServiceRequest` as `decodeOtlpJson` of the model does, into columns: bodies as SDKs and the OpenTelemetry
 * Collector write them, with ids in lower case, times as text, and each field once. Anything else is left to the model.
 *
 * Most of a body repeats: an attribute is first compared with the one at the same place of the span before.
 */
export class OtlpJsonScanner implements Scanner {
  readonly #head: Head
  readonly #cursor = new JsonCursor()
  readonly #meaning: OtlpMeaning
  readonly #row = new Row()
  #maxRows = 0
  #rollbacks = 0
  readonly #contexts: OtlpContexts
  /** By its bytes, the pair of an attribute that is no plain text. */
  #attributes = new KnownBytes()
  // By field: where its name last stood in this body, with its quotes and colon; by the field before, which came next.
  #fieldFrom = new Int32Array(FIELD_COUNT)
  #fieldLength = new Int32Array(FIELD_COUNT)
  #fieldNext = new Uint8Array(FIELD_COUNT + 1)
  // By place among the attributes of a span.
  #tagFrom = new Int32Array(GUESSED)
  #tagLength = new Int32Array(GUESSED)
  #tagPair = new Int32Array(GUESSED)
  #nameFrom = 0
  #nameLength = 0
  #nameEntry = 0
  /** Nanoseconds beyond the microseconds that `#nanoseconds` has returned. */
  #rest = 0

  constructor(head: Head) {
    this.#head = head
    this.#meaning = new OtlpMeaning(head)
    this.#contexts = new OtlpContexts(head)
  }

  scan(body: Uint8Array, maxSpans = Number.POSITIVE_INFINITY): number | undefined {
    if (!isUtf8(body)) return undefined
    this.#cursor.open(body)
    this.#fieldLength.fill(0)
    this.#tagLength.fill(0)
    this.#nameLength = 0
    if (this.#rollbacks !== this.#head.rollbacks) this.#forget()
    try {
      return scanInto(this.#head, firstRow => {
        this.#maxRows = firstRow + maxSpans
        this.#request()
      })
    } finally {
      this.#cursor.open(NOTHING)
    }
  }

  #forget(): void {
    this.#rollbacks = this.#head.rollbacks
    this.#contexts.forget()
    this.#attributes.clear()
    this.#meaning.forget()
  }

  #request(): void {
    const cursor = this.#cursor
    cursor.expect(OPEN)
    this.#field(REQUEST, -1)
    this.#list(() => this.#resourceSpans())
    cursor.expect(CLOSE)
    cursor.blanks()
    if (cursor.at !== cursor.length) throw NOT_ORDINARY
  }

  /** Goes through a list; the cursor stands before each item when `item` is called. */
  #list(item: () => void): void {
    const cursor = this.#cursor
    cursor.expect(OPEN_LIST)
    if (cursor.peek() === CLOSE_LIST) {
      cursor.at++
      return
    }
    do item()
    while (this.#isMore(CLOSE_LIST))
  }

  /** Goes past a comma: true; or past `close`: false. */
  #isMore(close: number): boolean {
    const next = this.#cursor.next()
    if (next === close) return false
    if (next !== COMMA) throw NOT_ORDINARY
    return true
  }

  #resourceSpans(): void {
    const cursor = this.#cursor
    let [from, to] = [0, 0]
    let seen = 0
    cursor.expect(OPEN)
    if (cursor.peek() === CLOSE) throw NOT_ORDINARY
    let field = -1
    do {
      field = this.#field(RESOURCE_SPANS, field)
      if (seen & (1 << field)) throw NOT_ORDINARY
      seen |= 1 << field
      if (field === RESOURCE) {
        // It stands before what it is the resource of.
        if (seen & (1 << SCOPES)) throw NOT_ORDINARY
        cursor.peek()
        from = cursor.at
        this.#skipObject()
        to = cursor.at
      } else if (field === SCOPES) this.#list(() => this.#scopeSpans(from, to))
      else this.#skipText()
    } while (this.#isMore(CLOSE))
    // Without a span it must still be one.
    if (!(seen & (1 << SCOPES))) this.#context(from, to, 0, 0)
  }

  #scopeSpans(resourceFrom: number, resourceTo: number): void {
    const cursor = this.#cursor
    let [from, to] = [0, 0]
    let seen = 0
    let context: OtlpContext | undefined
    cursor.expect(OPEN)
    if (cursor.peek() === CLOSE) throw NOT_ORDINARY
    let field = -1
    do {
      field = this.#field(SCOPE_SPANS, field)
      if (seen & (1 << field)) throw NOT_ORDINARY
      seen |= 1 << field
      if (field === SCOPE) {
        if (seen & (1 << SPANS)) throw NOT_ORDINARY
        cursor.peek()
        from = cursor.at
        this.#skipObject()
        to = cursor.at
      } else if (field === SPANS) {
        context = this.#context(resourceFrom, resourceTo, from, to)
        const ofScope = context
        this.#list(() => this.#span(ofScope))
      } else this.#skipText()
    } while (this.#isMore(CLOSE))
    if (context === undefined) this.#context(resourceFrom, resourceTo, from, to)
  }

  #context(resourceFrom: number, resourceTo: number, scopeFrom: number, scopeTo: number): OtlpContext {
    const cursor = this.#cursor
    const resource = cursor.body.subarray(resourceFrom, resourceTo)
    const scope = cursor.body.subarray(scopeFrom, scopeTo)
    return this.#contexts.of(resource, scope, () =>
      this.#ask('', cursor.slice(resourceFrom, resourceTo) || '{}', cursor.slice(scopeFrom, scopeTo) || '{}'),
    )
  }

  /** What the model makes of a span with these fields, beside its ids and kind. */
  #ask(fields: string, resource = '{}', scope = '{}') {
    const span = `{"traceId":"${'1'.repeat(32)}","spanId":"${'1'.repeat(16)}","kind":3${fields}}`
    const text = `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[${span}]}]}]}`
    const [read] = decodeOtlpJson(Buffer.from(text)).spans
    if (read === undefined || !isWellFormed(read)) throw NOT_ORDINARY
    return read
  }

  #span(context: OtlpContext): void {
    const head = this.#head
    const cursor = this.#cursor
    const row = this.#row
    const meaning = this.#meaning
    meaning.begin(row, context)
    const firstAnnotation = head.annotations.length
    let seen = 0
    let field = -1
    let start = 0
    let startRest = 0
    let end = 0
    let endRest = 0
    let statusCode = 0
    let statusText = ''
    let traceState = 0
    cursor.expect(OPEN)
    if (cursor.peek() === CLOSE) throw NOT_ORDINARY
    do {
      field = this.#field(SPAN, field)
      if (seen & (1 << field)) throw NOT_ORDINARY
      seen |= 1 << field
      switch (field) {
        case TRACE_ID:
          cursor.expect(QUOTE)
          cursor.hex16()
          row.traceHighHigh = cursor.high
          row.traceHighLow = cursor.low
          cursor.hex16()
          row.traceLowHigh = cursor.high
          row.traceLowLow = cursor.low
          cursor.closeQuote()
          break
        case SPAN_ID:
          cursor.expect(QUOTE)
          cursor.hex16()
          row.idHigh = cursor.high
          row.idLow = cursor.low
          cursor.closeQuote()
          break
        case PARENT_ID:
          cursor.expect(QUOTE)
          if (cursor.body[cursor.at] !== QUOTE) {
            cursor.hex16()
            row.parentHigh = cursor.high
            row.parentLow = cursor.low
          }
          cursor.closeQuote()
          break
        case TRACE_STATE: {
          const text = this.#text()
          if (text !== '') traceState = head.dictionary.pair('w3c.tracestate', text)
          break
        }
        case NAME:
          row.name = this.#name()
          break
        case KIND:
          row.kind = OTLP_KINDS[this.#enumeration(KINDS)]!
          break
        case START:
          start = this.#nanoseconds()
          startRest = this.#rest
          break
        case END:
          end = this.#nanoseconds()
          endRest = this.#rest
          break
        case ATTRIBUTES: {
          let place = 0
          this.#list(() => meaning.attribute(this.#attribute(place++)))
          break
        }
        case EVENTS:
          this.#list(() => this.#event())
          break
        case STATUS: {
          cursor.expect(OPEN)
          let part = -1
          let seenParts = 0
          if (cursor.peek() === CLOSE) cursor.at++
          else {
            do {
              part = this.#field(STATUS_FIELDS, part)
              if (seenParts & (1 << part)) throw NOT_ORDINARY
              seenParts |= 1 << part
              if (part === CODE) statusCode = this.#enumeration(STATUSES)
              else statusText = this.#text()
            } while (this.#isMore(CLOSE))
          }
          break
        }
        case LINKS: {
          cursor.peek()
          const from = cursor.at
          this.#skipList()
          const { tags = {} } = this.#ask(`,"links":${cursor.slice(from, cursor.at)}`)
          for (const key in tags) meaning.late.push(head.dictionary.pair(key, tags[key]!))
          break
        }
        case FLAGS:
          cursor.integer()
          break
        case DROPPED_ATTRIBUTES:
        case DROPPED_EVENTS:
        case DROPPED_LINKS:
          if (cursor.integer() !== 0) throw NOT_ORDINARY
          break
      }
    } while (this.#isMore(CLOSE))
    if ((seen & BOTH_IDS) !== BOTH_IDS || statusCode > STATUS_ERROR) throw NOT_ORDINARY
    if ((row.traceLowHigh | row.traceLowLow | row.traceHighHigh | row.traceHighLow) === 0) throw NOT_ORDINARY
    if ((row.idHigh | row.idLow) === 0 || head.rows.length >= this.#maxRows) throw NOT_ORDINARY
    meaning.time(row, start, startRest, end, endRest)
    if (traceState !== 0) meaning.late.push(traceState)
    meaning.end(row, statusCode, statusText)
    head.sortAnnotations(firstAnnotation)
    head.append(row)
  }

  /** The place among `fields` of the one whose name comes next, and goes past its colon; `before`: of the field before it, or -1. */
  #field({ first, names }: Fields, before: number): number {
    const cursor = this.#cursor
    cursor.peek()
    const after = before === -1 ? FIELD_COUNT : first + before
    const guess = this.#fieldNext[after]!
    if (guess >= first && guess < first + names.length) {
      if (cursor.repeats(this.#fieldFrom[guess]!, this.#fieldLength[guess]!)) {
        cursor.at += this.#fieldLength[guess]!
        return guess - first
      }
    }
    const start = cursor.at
    cursor.expect(QUOTE)
    for (let field = 0; field < names.length; field++) {
      const name = names[field]!
      if (!cursor.isNext(name) || cursor.body[cursor.at + name.length] !== QUOTE) continue
      cursor.at += name.length + 1
      cursor.expect(COLON)
      this.#fieldNext[after] = first + field
      this.#fieldFrom[first + field] = start
      this.#fieldLength[first + field] = cursor.at - start
      return field
    }
    throw NOT_ORDINARY
  }

  /** A text, with its escapes resolved. */
  #text(): string {
    const cursor = this.#cursor
    cursor.text(HASH_SEED)
    return cursor.parsed(cursor.from, cursor.to)
  }

  /** Its escapes are not looked at: one that has any is left to the model. */
  #skipText(): void {
    this.#cursor.text(HASH_SEED)
    if (!this.#cursor.isPlain) throw NOT_ORDINARY
  }

  #name(): number {
    const cursor = this.#cursor
    const { dictionary } = this.#head
    cursor.peek()
    const start = cursor.at
    if (cursor.repeats(this.#nameFrom, this.#nameLength)) {
      cursor.at += this.#nameLength
      return this.#nameEntry
    }
    cursor.text(HASH_SEED)
    let entry: number
    if (cursor.isPlain) entry = dictionary.internLowerCase(cursor.view, cursor.from, cursor.to)
    else {
      const text = cursor.parsed(cursor.from, cursor.to)
      entry = text === '' ? 0 : dictionary.string(text.toLowerCase())
    }
    this.#nameFrom = start
    this.#nameLength = cursor.at - start
    this.#nameEntry = entry
    return entry
  }

  /** One of these by number, or by name. */
  #enumeration(names: readonly Buffer[]): number {
    const cursor = this.#cursor
    if (cursor.peek() !== QUOTE) {
      const number = cursor.integer()
      if (number >= names.length) throw NOT_ORDINARY
      return number
    }
    return cursor.word(names, 0)
  }

  /** Digits between quotes. Returns whole microseconds, and leaves what is beyond them in `#rest`. */
  #nanoseconds(): number {
    const cursor = this.#cursor
    const { body } = cursor
    cursor.expect(QUOTE)
    const from = cursor.at
    let to = from
    while (body[to]! >= ZERO && body[to]! <= ZERO + 9) to++
    const digits = to - from
    // More than 19 might be no 64-bit number, and are no time.
    if (digits === 0 || digits > 19 || body[to] !== QUOTE) throw NOT_ORDINARY
    let micros = 0
    let at = from
    for (; at < to - 3; at++) micros = micros * 10 + body[at]! - ZERO
    let rest = 0
    for (; at < to; at++) rest = rest * 10 + body[at]! - ZERO
    if (micros > Number.MAX_SAFE_INTEGER) throw NOT_ORDINARY
    this.#rest = rest
    cursor.at = to + 1
    return micros
  }

  /** The pair of the attribute that comes next, number `place` of its span. */
  #attribute(place: number): number {
    const cursor = this.#cursor
    cursor.peek()
    const start = cursor.at
    if (place < GUESSED && cursor.repeats(this.#tagFrom[place]!, this.#tagLength[place]!)) {
      cursor.at += this.#tagLength[place]!
      return this.#tagPair[place]!
    }
    const pair = this.#textAttribute() ?? this.#otherAttribute(start)
    if (place < GUESSED) {
      this.#tagFrom[place] = start
      this.#tagLength[place] = cursor.at - start
      this.#tagPair[place] = pair
    }
    return pair
  }

  /** `{"key":"…","value":{"stringValue":"…"}}` without blanks or escapes; anything else: undefined. */
  #textAttribute(): number | undefined {
    const cursor = this.#cursor
    if (!cursor.isNext(KEY_BEGIN)) return undefined
    cursor.at += KEY_BEGIN.length - 1
    cursor.text(HASH_SEED)
    if (!cursor.isPlain || !cursor.isNext(TEXT_BEGIN)) return undefined
    const { from: keyFrom, to: keyTo } = cursor
    cursor.at += TEXT_BEGIN.length - 1
    cursor.text(cursor.hash)
    if (!cursor.isPlain || !cursor.isNext(TEXT_END)) return undefined
    cursor.at += TEXT_END.length
    return this.#head.dictionary.internPair(cursor.view, keyFrom, keyTo, cursor.from, cursor.to, cursor.hash)
  }

  /** The attribute at `start`, of which the model says once what it means. */
  #otherAttribute(start: number): number {
    const cursor = this.#cursor
    cursor.at = start
    this.#skipObject()
    const hash = hashBytes(cursor.view, start, cursor.at, HASH_SEED)
    return this.#attributes.get(cursor.view, start, cursor.at, hash, () => {
      const tags = Object.entries(this.#ask(`,"attributes":[${cursor.slice(start, cursor.at)}]`).tags ?? {})
      // `error` that is false is no tag.
      if (tags.length !== 1) throw NOT_ORDINARY
      return this.#head.dictionary.pair(...tags[0]!)
    })
  }

  /** One that has attributes becomes a text that the model writes. */
  #event(): void {
    const cursor = this.#cursor
    const head = this.#head
    cursor.peek()
    const start = cursor.at
    let time = 0
    let value = 0
    let isPlain = true
    let seen = 0
    let field = -1
    cursor.expect(OPEN)
    if (cursor.peek() === CLOSE) throw NOT_ORDINARY
    do {
      field = this.#field(EVENT_FIELDS, field)
      if (seen & (1 << field)) throw NOT_ORDINARY
      seen |= 1 << field
      if (field === TIME) time = this.#nanoseconds()
      else if (field === EVENT_NAME) {
        cursor.text(HASH_SEED)
        if (!cursor.isPlain || cursor.from === cursor.to) isPlain = false
        else value = head.dictionary.internHashed(cursor.view, cursor.from, cursor.to, STRING, cursor.hash)
      } else if (field === EVENT_ATTRIBUTES) {
        const from = cursor.at
        this.#skipList()
        if (cursor.slice(from, cursor.at) !== '[]') isPlain = false
      } else if (cursor.integer() !== 0) isPlain = false
    } while (this.#isMore(CLOSE))
    if (isPlain && time !== 0 && value !== 0) {
      head.annotate(time, value)
      return
    }
    const { annotations = [] } = this.#ask(`,"events":[${cursor.slice(start, cursor.at)}]`)
    for (const annotation of annotations) head.annotate(annotation.timestamp, head.dictionary.string(annotation.value))
  }

  #skipObject(): void {
    if (this.#cursor.peek() !== OPEN) throw NOT_ORDINARY
    this.#skip()
  }

  #skipList(): void {
    if (this.#cursor.peek() !== OPEN_LIST) throw NOT_ORDINARY
    this.#skip()
  }

  /** Goes past an object or a list. Whether it is one, who reads it says: here only brackets and quotes are looked at. */
  #skip(): void {
    const cursor = this.#cursor
    const { body } = cursor
    let depth = 0
    do {
      const byte = body[cursor.at]
      if (byte === undefined || byte === BACKSLASH) throw NOT_ORDINARY
      if (byte === QUOTE) {
        cursor.text(HASH_SEED)
        continue
      }
      if (byte === OPEN || byte === OPEN_LIST) depth++
      else if (byte === CLOSE || byte === CLOSE_LIST) depth--
      cursor.at++
    } while (depth > 0)
  }
}

/** Half a surrogate pair would be changed when it is stored, and what is stored is what is sorted here. */
function isWellFormed(span: ReturnType<typeof decodeOtlpJson>['spans'][number]): boolean {
  for (const key in span.tags) if (!key.isWellFormed() || !span.tags[key]!.isWellFormed()) return false
  for (const endpoint of [span.localEndpoint, span.remoteEndpoint])
    if (endpoint?.serviceName?.isWellFormed() === false) return false
  return (span.annotations ?? []).every(({ value }) => value.isWellFormed())
}
