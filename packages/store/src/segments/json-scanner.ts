import { isUtf8 } from 'node:buffer'
import { CLIENT, DEBUG, type Head, KINDS, SHARED } from './head.ts'
import { CLOSE, CLOSE_LIST, COLON, COMMA, JsonCursor, OPEN, OPEN_LIST, QUOTE } from './json-cursor.ts'
import { JsonTexts } from './json-texts.ts'
import { NOT_ORDINARY, type Scanner, scanInto } from './scan.ts'
import { HASH_SEED } from './words.ts'

/** Numbers of fields, as in assembly/json-kernel.ts. */
const TRACE_ID = 0
const ID = 1
const PARENT_ID = 2
const KIND = 3
const NAME = 4
const TIMESTAMP = 5
const DURATION = 6
const LOCAL = 7
const REMOTE = 8
const ANNOTATIONS = 9
const TAGS = 10
const DEBUG_FIELD = 11
const SHARED_FIELD = 12
/** By number. */
export const FIELDS = [
  'traceId',
  'id',
  'parentId',
  'kind',
  'name',
  'timestamp',
  'duration',
  'localEndpoint',
  'remoteEndpoint',
  'annotations',
  'tags',
  'debug',
  'shared',
].map(name => Buffer.from(name))
/** Before the first field. */
const NO_FIELD = FIELDS.length
const BOTH_IDS = (1 << TRACE_ID) | (1 << ID)

export const KIND_TEXTS = KINDS.map(kind => Buffer.from(kind ?? ''))

/** Tags beyond this of a span are not guessed. */
const GUESSED = 64

/**
 * Reads a Zipkin v2 JSON list straight into the columns of a head, without making objects. It takes what nearly all
 * reporters send, and refuses everything else without a word: ids of other lengths, escapes in names, nulls, floats, doubled
 * and unknown fields … `decodeJsonV2` of the model then decides, and says what is wrong. What it does take, it must
 * take as that would (json-scanner.test.ts holds both side by side). It leaves to it, too, what looks like Zipkin's earlier format.
 *
 * Most of a body repeats. A field's name is first compared with that of the field which last came behind the one before, a tag
 * with the tag at the same place of the span before, an endpoint and a name with the last.
 */
export class JsonScanner implements Scanner {
  readonly #head: Head
  readonly #cursor = new JsonCursor()
  readonly #texts: JsonTexts
  // By field: where its name last stood in this body, with its quotes and colon, and which field came next.
  #fieldFrom = new Int32Array(FIELDS.length + 1)
  #fieldLength = new Int32Array(FIELDS.length + 1)
  #fieldNext = new Uint8Array(FIELDS.length + 1)
  // By place among the tags of a span.
  #tagFrom = new Int32Array(GUESSED)
  #tagLength = new Int32Array(GUESSED)
  #tagPair = new Int32Array(GUESSED)
  // The last of each in this body; of endpoints, local and remote.
  #nameFrom = 0
  #nameLength = 0
  #nameEntry = 0
  #endpointFrom = new Int32Array(2)
  #endpointLength = new Int32Array(2)
  #endpointEntry = new Int32Array(2)

  constructor(head: Head) {
    this.#head = head
    this.#texts = new JsonTexts(head, this.#cursor)
  }

  scan(body: Uint8Array, maxSpans = Number.POSITIVE_INFINITY): number | undefined {
    if (!isUtf8(body)) return undefined
    const head = this.#head
    this.#cursor.open(body)
    this.#fieldLength.fill(0)
    this.#tagLength.fill(0)
    this.#nameLength = 0
    this.#endpointLength.fill(0)
    this.#texts.begin()
    try {
      return scanInto(head, firstRow => this.#list(firstRow + maxSpans))
    } finally {
      this.#cursor.open(NOTHING)
    }
  }

  #list(maxRows: number): void {
    const cursor = this.#cursor
    cursor.expect(OPEN_LIST)
    if (cursor.peek() === CLOSE_LIST) cursor.at++
    else {
      for (;;) {
        this.#span()
        if (this.#head.rows.length > maxRows) throw NOT_ORDINARY
        const next = cursor.next()
        if (next === CLOSE_LIST) break
        if (next !== COMMA) throw NOT_ORDINARY
      }
    }
    cursor.blanks()
    if (cursor.at !== cursor.length) throw NOT_ORDINARY
  }

  #span(): void {
    const { rows, tags, annotations } = this.#head
    const cursor = this.#cursor
    let seen = 0
    let field = NO_FIELD
    let lowHigh = 0
    let lowLow = 0
    let highHigh = 0
    let highLow = 0
    let wide = 0
    let idHigh = 0
    let idLow = 0
    let parentHigh = 0
    let parentLow = 0
    let kind = 0
    let name = 0
    let timestamp = 0
    let duration = 0
    let local = 0
    let remote = 0
    let isDebug = false
    let isShared = false
    cursor.expect(OPEN)
    if (cursor.peek() === CLOSE) throw NOT_ORDINARY
    for (;;) {
      field = this.#field(field)
      if (seen & (1 << field)) throw NOT_ORDINARY
      seen |= 1 << field
      switch (field) {
        case TRACE_ID: {
          cursor.expect(QUOTE)
          cursor.hex16()
          if (cursor.body[cursor.at] !== QUOTE) {
            highHigh = cursor.high
            highLow = cursor.low
            wide = 1
            cursor.hex16()
            if (highHigh === 0 && highLow === 0) wide = 0
          }
          lowHigh = cursor.high
          lowLow = cursor.low
          // A right half of zeros is an id like any other, all zeros is none.
          if (lowHigh === 0 && lowLow === 0 && wide === 0) throw NOT_ORDINARY
          cursor.closeQuote()
          break
        }
        case ID:
          cursor.expect(QUOTE)
          cursor.hex16()
          cursor.closeQuote()
          idHigh = cursor.high
          idLow = cursor.low
          if (idHigh === 0 && idLow === 0) throw NOT_ORDINARY
          break
        case PARENT_ID:
          cursor.expect(QUOTE)
          cursor.hex16()
          cursor.closeQuote()
          parentHigh = cursor.high
          parentLow = cursor.low
          break
        case KIND:
          kind = this.#cursor.word(KIND_TEXTS, 1)
          break
        case NAME:
          name = this.#name()
          break
        case TIMESTAMP:
          timestamp = cursor.integer()
          break
        case DURATION:
          duration = cursor.integer()
          break
        case LOCAL:
          local = this.#endpoint(0)
          break
        case REMOTE:
          remote = this.#endpoint(1)
          break
        case ANNOTATIONS:
          this.#annotations()
          break
        case TAGS:
          this.#tags()
          break
        case DEBUG_FIELD:
          isDebug = cursor.boolean()
          break
        case SHARED_FIELD:
          isShared = cursor.boolean()
          break
      }
      const next = cursor.next()
      if (next === CLOSE) break
      if (next !== COMMA) throw NOT_ORDINARY
    }
    if ((seen & BOTH_IDS) !== BOTH_IDS) throw NOT_ORDINARY
    const trace = this.#head.trace(lowHigh, lowLow, highHigh, highLow, wide)
    rows.reserve(1)
    const row = rows.length++
    const to = rows.columns
    to.trace[row] = trace
    to.idHigh[row] = idHigh
    to.idLow[row] = idLow
    const isOwnParent = parentHigh === idHigh && parentLow === idLow
    to.parentHigh[row] = isOwnParent ? 0 : parentHigh
    to.parentLow[row] = isOwnParent ? 0 : parentLow
    // A client does not share: it began.
    to.flags[row] = kind | (isDebug ? DEBUG : 0) | (isShared && kind !== CLIENT ? SHARED : 0)
    to.name[row] = name
    to.local[row] = local
    to.remote[row] = remote
    to.timestamp[row] = timestamp
    to.duration[row] = duration
    to.tagEnd[row] = tags.length
    to.annotationEnd[row] = annotations.length
    this.#head.finishRow(row)
  }

  /** A name of a span's field, and its colon; `before` is the field before it. */
  #field(before: number): number {
    const cursor = this.#cursor
    cursor.peek()
    const guess = this.#fieldNext[before]!
    if (cursor.repeats(this.#fieldFrom[guess]!, this.#fieldLength[guess]!)) {
      cursor.at += this.#fieldLength[guess]!
      return guess
    }
    const start = cursor.at
    cursor.expect(QUOTE)
    for (let field = 0; field < FIELDS.length; field++) {
      const name = FIELDS[field]!
      if (!cursor.isNext(name) || cursor.body[cursor.at + name.length] !== QUOTE) continue
      cursor.at += name.length + 1
      cursor.expect(COLON)
      this.#fieldNext[before] = field
      this.#fieldFrom[field] = start
      this.#fieldLength[field] = cursor.at - start
      return field
    }
    throw NOT_ORDINARY
  }

  #name(): number {
    const cursor = this.#cursor
    cursor.peek()
    const start = cursor.at
    if (cursor.repeats(this.#nameFrom, this.#nameLength)) {
      cursor.at += this.#nameLength
      return this.#nameEntry
    }
    const entry = this.#texts.name()
    this.#nameFrom = start
    this.#nameLength = cursor.at - start
    this.#nameEntry = entry
    return entry
  }

  /** An object without nesting and escapes; what it means is asked of the model once. */
  #endpoint(which: 0 | 1): number {
    const cursor = this.#cursor
    if (cursor.peek() !== OPEN) throw NOT_ORDINARY
    const start = cursor.at
    if (cursor.repeats(this.#endpointFrom[which]!, this.#endpointLength[which]!)) {
      cursor.at += this.#endpointLength[which]!
      return this.#endpointEntry[which]!
    }
    const entry = this.#texts.endpoint()
    this.#endpointFrom[which] = start
    this.#endpointLength[which] = cursor.at - start
    this.#endpointEntry[which] = entry
    return entry
  }

  #tags(): void {
    const { tags } = this.#head
    const cursor = this.#cursor
    cursor.expect(OPEN)
    if (cursor.peek() === CLOSE) {
      cursor.at++
      return
    }
    for (let place = 0; ; place++) {
      cursor.peek()
      const start = cursor.at
      let pair: number
      if (place < GUESSED && cursor.repeats(this.#tagFrom[place]!, this.#tagLength[place]!)) {
        cursor.at += this.#tagLength[place]!
        pair = this.#tagPair[place]!
      } else {
        pair = this.#texts.pair()
        if (place < GUESSED) {
          this.#tagFrom[place] = start
          this.#tagLength[place] = cursor.at - start
          this.#tagPair[place] = pair
        }
      }
      tags.reserve(1)
      tags.columns.pair[tags.length++] = pair
      const next = cursor.next()
      if (next === CLOSE) return
      if (next !== COMMA) throw NOT_ORDINARY
    }
  }

  #annotations(): void {
    const { annotations } = this.#head
    const cursor = this.#cursor
    cursor.expect(OPEN_LIST)
    if (cursor.peek() === CLOSE_LIST) {
      cursor.at++
      return
    }
    const first = annotations.length
    for (;;) {
      let timestamp: number | undefined
      let value: number | undefined
      cursor.expect(OPEN)
      for (;;) {
        cursor.text(HASH_SEED)
        const length = cursor.to - cursor.from
        const isTimestamp = length === 9 && cursor.isAt(cursor.from, TIMESTAMP_TEXT)
        const isValue = length === 5 && cursor.isAt(cursor.from, VALUE_TEXT)
        cursor.expect(COLON)
        if (isTimestamp && timestamp === undefined) timestamp = cursor.integer()
        else if (isValue && value === undefined) value = this.#texts.value()
        else throw NOT_ORDINARY
        const next = cursor.next()
        if (next === CLOSE) break
        if (next !== COMMA) throw NOT_ORDINARY
      }
      if (timestamp === undefined || value === undefined) throw NOT_ORDINARY
      this.#head.annotate(timestamp, value)
      const next = cursor.next()
      if (next === CLOSE_LIST) break
      if (next !== COMMA) throw NOT_ORDINARY
    }
    this.#head.sortAnnotations(first)
  }
}

const NOTHING = new Uint8Array(0)
const TIMESTAMP_TEXT = Buffer.from('timestamp')
const VALUE_TEXT = Buffer.from('value')
