import { isUtf8 } from 'node:buffer'
import { decodeJsonV2 } from '@hopscope/model'
import { HASH_PRIME, HASH_SEED, STRING } from './dictionary.ts'
import { DEBUG, type Head, KINDS, SHARED } from './head.ts'
import { KnownBytes } from './known-bytes.ts'
import { NOT_ORDINARY, type Scanner, scanInto } from './scan.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const BACKSLASH = 0x5c
const ZERO = 0x30

/** Value of a lower-hex character; 255: it is none. */
const HEX = new Uint8Array(256).fill(255)
for (const [value, character] of [...'0123456789abcdef'].entries()) HEX[character.charCodeAt(0)] = value

const TRACE_ID = 1
const ID = 2
const PARENT_ID = 4
const KIND = 8
const NAME = 16
const TIMESTAMP = 32
const DURATION = 64
const LOCAL = 128
const REMOTE = 256
const ANNOTATIONS = 512
const TAGS = 1024
const DEBUG_FIELD = 2048
const SHARED_FIELD = 4096

/** By length; the text is compared. */
const FIELDS = new Map<string, number>([
  ['traceId', TRACE_ID],
  ['id', ID],
  ['parentId', PARENT_ID],
  ['kind', KIND],
  ['name', NAME],
  ['timestamp', TIMESTAMP],
  ['duration', DURATION],
  ['localEndpoint', LOCAL],
  ['remoteEndpoint', REMOTE],
  ['annotations', ANNOTATIONS],
  ['tags', TAGS],
  ['debug', DEBUG_FIELD],
  ['shared', SHARED_FIELD],
])
const FIELDS_BY_LENGTH: { bytes: Buffer; field: number }[][] = Array.from({ length: 16 }, () => [])
for (const [name, field] of FIELDS) FIELDS_BY_LENGTH[name.length]!.push({ bytes: Buffer.from(name), field })

const KIND_TEXTS = KINDS.map(kind => Buffer.from(kind ?? ''))

/** Tags beyond this of a span are not guessed. */
const GUESSED = 64
/**
 * Reads a Zipkin v2 JSON list straight into the columns of a head, without making objects. It takes what nearly all
 * reporters send, and refuses everything else without a word: ids of other lengths, escapes in names, nulls, floats, doubled
 * and unknown fields … `decodeJsonV2` of the model then decides, and says what is wrong. What it does take, it must
 * take as that would (json-scanner.test.ts holds both side by side).
 *
 * Most of a body repeats: a tag is first compared with the tag at the same place of the span before.
 */
export class JsonScanner implements Scanner {
  readonly #head: Head
  #body: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #at = 0
  // What a step has read.
  #high = 0
  #low = 0
  #from = 0
  #to = 0
  #hash = 0
  #isPlain = true
  // By place among the tags of a span.
  #tagFrom = new Int32Array(GUESSED)
  #tagLength = new Int32Array(GUESSED)
  #tagPair = new Int32Array(GUESSED)
  // The last of each in this body.
  #nameFrom = 0
  #nameLength = 0
  #nameEntry = 0
  #endpointFrom = [0, 0]
  #endpointLength = [0, 0]
  #endpointEntry = [0, 0]
  #endpoints = new KnownBytes()
  #rollbacks = 0

  constructor(head: Head) {
    this.#head = head
  }

  /**
   * Adds the spans of `body` and returns how many; undefined, and the head as it was, when it is not for this scanner, or
   * holds more than `maxSpans`.
   */
  scan(body: Uint8Array, maxSpans = Number.POSITIVE_INFINITY): number | undefined {
    if (!isUtf8(body)) return undefined
    const head = this.#head
    this.#body = body
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength)
    this.#at = 0
    this.#tagLength.fill(0)
    this.#nameLength = 0
    this.#endpointLength = [0, 0]
    if (this.#rollbacks !== head.rollbacks) {
      this.#rollbacks = head.rollbacks
      this.#endpoints.clear()
    }
    try {
      return scanInto(head, firstRow => this.#list(firstRow + maxSpans))
    } finally {
      this.#body = new Uint8Array(0)
    }
  }

  #list(maxRows: number): void {
    this.#expect(OPEN_LIST)
    if (this.#peek() === CLOSE_LIST) this.#at++
    else {
      for (;;) {
        this.#span()
        if (this.#head.rows.length > maxRows) throw NOT_ORDINARY
        const next = this.#peek()
        this.#at++
        if (next === CLOSE_LIST) break
        if (next !== COMMA) throw NOT_ORDINARY
      }
    }
    this.#blanks()
    if (this.#at !== this.#body.length) throw NOT_ORDINARY
  }

  #blanks(): void {
    const body = this.#body
    let byte = body[this.#at]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = body[++this.#at]
  }

  /** The next byte that is no blank. */
  #peek(): number {
    const byte = this.#body[this.#at]
    if (byte !== undefined && byte > 0x20) return byte
    this.#blanks()
    return this.#body[this.#at] ?? 0
  }

  #expect(byte: number): void {
    if (this.#peek() !== byte) throw NOT_ORDINARY
    this.#at++
  }

  #span(): void {
    const { rows, tags, annotations } = this.#head
    let seen = 0
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
    this.#expect(OPEN)
    if (this.#peek() === CLOSE) throw NOT_ORDINARY
    for (;;) {
      const field = this.#field()
      if (seen & field) throw NOT_ORDINARY
      seen |= field
      switch (field) {
        case TRACE_ID: {
          this.#expect(QUOTE)
          this.#hex16()
          if (this.#body[this.#at] !== QUOTE) {
            highHigh = this.#high
            highLow = this.#low
            wide = 1
            this.#hex16()
            if (highHigh === 0 && highLow === 0) wide = 0
          }
          lowHigh = this.#high
          lowLow = this.#low
          // A right half of zeros is an id like any other, all zeros is none.
          if (lowHigh === 0 && lowLow === 0 && wide === 0) throw NOT_ORDINARY
          this.#closeQuote()
          break
        }
        case ID:
          this.#expect(QUOTE)
          this.#hex16()
          this.#closeQuote()
          idHigh = this.#high
          idLow = this.#low
          if (idHigh === 0 && idLow === 0) throw NOT_ORDINARY
          break
        case PARENT_ID:
          this.#expect(QUOTE)
          this.#hex16()
          this.#closeQuote()
          parentHigh = this.#high
          parentLow = this.#low
          break
        case KIND:
          kind = this.#kind()
          break
        case NAME:
          name = this.#name()
          break
        case TIMESTAMP:
          timestamp = this.#integer()
          break
        case DURATION:
          duration = this.#integer()
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
          isDebug = this.#boolean()
          break
        case SHARED_FIELD:
          isShared = this.#boolean()
          break
      }
      const next = this.#peek()
      this.#at++
      if (next === CLOSE) break
      if (next !== COMMA) throw NOT_ORDINARY
    }
    if ((seen & (TRACE_ID | ID)) !== (TRACE_ID | ID)) throw NOT_ORDINARY
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
    to.flags[row] = kind | (isDebug ? DEBUG : 0) | (isShared && kind !== 1 ? SHARED : 0)
    to.name[row] = name
    to.local[row] = local
    to.remote[row] = remote
    to.timestamp[row] = timestamp
    to.duration[row] = duration
    to.tagEnd[row] = tags.length
    to.annotationEnd[row] = annotations.length
    this.#head.finishRow(row)
  }

  /** A name of a span's field, and its colon. */
  #field(): number {
    this.#expect(QUOTE)
    const body = this.#body
    const from = this.#at
    let at = from
    while (at - from < 16 && body[at] !== QUOTE) at++
    const length = at - from
    const candidates = FIELDS_BY_LENGTH[length]
    if (candidates !== undefined) {
      for (let i = 0; i < candidates.length; i++) {
        const { bytes, field } = candidates[i]!
        let j = 0
        while (j < length && bytes[j] === body[from + j]) j++
        if (j < length) continue
        this.#at = at + 1
        this.#expect(COLON)
        return field
      }
    }
    throw NOT_ORDINARY
  }

  #hex16(): void {
    const body = this.#body
    let at = this.#at
    let high = 0
    let low = 0
    let bad = 0
    for (const end = at + 8; at < end; at++) {
      const value = HEX[body[at] ?? 0]!
      bad |= value
      high = (high << 4) | value
    }
    for (const end = at + 8; at < end; at++) {
      const value = HEX[body[at] ?? 0]!
      bad |= value
      low = (low << 4) | value
    }
    if (bad > 15) throw NOT_ORDINARY
    this.#high = high >>> 0
    this.#low = low >>> 0
    this.#at = at
  }

  #closeQuote(): void {
    if (this.#body[this.#at++] !== QUOTE) throw NOT_ORDINARY
  }

  #kind(): number {
    this.#expect(QUOTE)
    for (let kind = 1; kind < KIND_TEXTS.length; kind++) {
      if (!this.#isNext(KIND_TEXTS[kind]!)) continue
      this.#at += KIND_TEXTS[kind]!.length
      this.#closeQuote()
      return kind
    }
    throw NOT_ORDINARY
  }

  #isNext(bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i++) if (this.#body[this.#at + i] !== bytes[i]) return false
    return true
  }

  #boolean(): boolean {
    const first = this.#peek()
    const text = first === 0x74 ? TRUE : FALSE
    if (!this.#isNext(text)) throw NOT_ORDINARY
    this.#at += text.length
    return text === TRUE
  }

  /** Digits alone, below 2^53. */
  #integer(): number {
    const first = this.#peek()
    const body = this.#body
    let value = first - ZERO
    if (value < 0 || value > 9) throw NOT_ORDINARY
    const from = this.#at++
    for (let digit = body[this.#at]! - ZERO; digit >= 0 && digit <= 9; digit = body[this.#at]! - ZERO) {
      value = value * 10 + digit
      this.#at++
    }
    if (this.#at - from > 16 || (first === ZERO && this.#at - from > 1)) throw NOT_ORDINARY
    if (value > Number.MAX_SAFE_INTEGER) throw NOT_ORDINARY
    const next = body[this.#at]
    // A fraction or an exponent.
    if (next === 0x2e || next === 0x65 || next === 0x45) throw NOT_ORDINARY
    return value
  }

  /** Whether the next `length` bytes are those at `from`, and `from` comes before. */
  #repeats(from: number, length: number): boolean {
    const view = this.#view
    const at = this.#at
    if (length === 0 || at + length > this.#body.length) return false
    let i = 0
    for (; i + 4 <= length; i += 4) if (view.getUint32(at + i) !== view.getUint32(from + i)) return false
    for (; i < length; i++) if (this.#body[at + i] !== this.#body[from + i]) return false
    return true
  }

  /** A text between quotes: where it stands, its hash going on from `hash`, and whether it has no escape. */
  #text(hash: number): void {
    this.#expect(QUOTE)
    const body = this.#body
    const from = this.#at
    let at = from
    let byte = body[at]
    while (byte !== QUOTE && byte !== BACKSLASH) {
      // A control character, or the end.
      if (byte === undefined || byte < 0x20) throw NOT_ORDINARY
      hash = Math.imul(hash ^ byte, HASH_PRIME)
      byte = body[++at]
    }
    this.#isPlain = byte === QUOTE
    while (byte !== QUOTE) {
      if (byte === undefined || byte < 0x20) throw NOT_ORDINARY
      at += byte === BACKSLASH ? 2 : 1
      byte = body[at]
    }
    this.#from = from
    this.#to = at
    this.#hash = hash
    this.#at = at + 1
  }

  #parsed(from: number, to: number): string {
    const text = JSON.parse(this.#slice(from - 1, to + 1)) as string
    // Half a surrogate pair would be changed when it is stored, and what is stored is what is sorted here.
    if (!text.isWellFormed()) throw NOT_ORDINARY
    return text
  }

  #slice(from: number, to: number): string {
    const { buffer, byteOffset } = this.#body
    return Buffer.from(buffer, byteOffset + from, to - from).toString()
  }

  #name(): number {
    this.#peek()
    const start = this.#at
    if (this.#repeats(this.#nameFrom, this.#nameLength)) {
      this.#at += this.#nameLength
      return this.#nameEntry
    }
    this.#text(HASH_SEED)
    const entry = this.#lowerCase(this.#from, this.#to)
    this.#nameFrom = start
    this.#nameLength = this.#at - start
    this.#nameEntry = entry
    return entry
  }

  #lowerCase(from: number, to: number): number {
    const { dictionary } = this.#head
    if (this.#isPlain) return dictionary.internLowerCase(this.#body, from, to)
    const text = this.#parsed(from, to)
    return text === '' ? 0 : dictionary.string(text.toLowerCase())
  }

  /** An object without nesting and escapes; what it means is asked of the model once. */
  #endpoint(which: 0 | 1): number {
    if (this.#peek() !== OPEN) throw NOT_ORDINARY
    const start = this.#at
    if (this.#repeats(this.#endpointFrom[which]!, this.#endpointLength[which]!)) {
      this.#at += this.#endpointLength[which]!
      return this.#endpointEntry[which]!
    }
    const body = this.#body
    let at = start + 1
    for (let byte = body[at]; byte !== CLOSE; byte = body[++at]) {
      if (byte === undefined || byte === BACKSLASH || byte === OPEN) throw NOT_ORDINARY
    }
    const entry = this.#endpoints.get(body, start, at + 1, () => {
      const text = this.#slice(start, at + 1)
      const [span] = decodeJsonV2(Buffer.from(`[{"traceId":"1","id":"1","localEndpoint":${text}}]`))
      return this.#head.endpointEntry(span?.localEndpoint)
    })
    this.#at = at + 1
    this.#endpointFrom[which] = start
    this.#endpointLength[which] = this.#at - start
    this.#endpointEntry[which] = entry
    return entry
  }

  #tags(): void {
    const { tags, dictionary } = this.#head
    this.#expect(OPEN)
    if (this.#peek() === CLOSE) {
      this.#at++
      return
    }
    for (let place = 0; ; place++) {
      this.#peek()
      const start = this.#at
      let pair: number
      if (place < GUESSED && this.#repeats(this.#tagFrom[place]!, this.#tagLength[place]!)) {
        this.#at += this.#tagLength[place]!
        pair = this.#tagPair[place]!
      } else {
        this.#text(HASH_SEED)
        const keyFrom = this.#from
        const keyTo = this.#to
        const isKeyPlain = this.#isPlain
        this.#expect(COLON)
        this.#text(this.#hash)
        if (isKeyPlain && this.#isPlain) {
          pair = dictionary.internPair(this.#body, keyFrom, keyTo, this.#from, this.#to, this.#hash)
        } else pair = dictionary.pair(this.#parsed(keyFrom, keyTo), this.#parsed(this.#from, this.#to))
        if (place < GUESSED) {
          this.#tagFrom[place] = start
          this.#tagLength[place] = this.#at - start
          this.#tagPair[place] = pair
        }
      }
      tags.reserve(1)
      tags.columns.pair[tags.length++] = pair
      const next = this.#peek()
      this.#at++
      if (next === CLOSE) return
      if (next !== COMMA) throw NOT_ORDINARY
    }
  }

  #annotations(): void {
    const { annotations, dictionary } = this.#head
    this.#expect(OPEN_LIST)
    if (this.#peek() === CLOSE_LIST) {
      this.#at++
      return
    }
    const first = annotations.length
    for (;;) {
      let timestamp: number | undefined
      let value: number | undefined
      this.#expect(OPEN)
      for (;;) {
        this.#text(HASH_SEED)
        const length = this.#to - this.#from
        const isTimestamp = length === 9 && this.#isAt(this.#from, TIMESTAMP_TEXT)
        const isValue = length === 5 && this.#isAt(this.#from, VALUE_TEXT)
        this.#expect(COLON)
        if (isTimestamp && timestamp === undefined) timestamp = this.#integer()
        else if (isValue && value === undefined) {
          this.#text(HASH_SEED)
          value = this.#isPlain
            ? dictionary.intern(this.#body, this.#from, this.#to, STRING)
            : dictionary.string(this.#parsed(this.#from, this.#to))
        } else throw NOT_ORDINARY
        const next = this.#peek()
        this.#at++
        if (next === CLOSE) break
        if (next !== COMMA) throw NOT_ORDINARY
      }
      if (timestamp === undefined || value === undefined) throw NOT_ORDINARY
      this.#head.annotate(timestamp, value)
      const next = this.#peek()
      this.#at++
      if (next === CLOSE_LIST) break
      if (next !== COMMA) throw NOT_ORDINARY
    }
    this.#head.sortAnnotations(first)
  }

  #isAt(from: number, bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i++) if (this.#body[from + i] !== bytes[i]) return false
    return true
  }
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const TIMESTAMP_TEXT = Buffer.from('timestamp')
const VALUE_TEXT = Buffer.from('value')
