import { isUtf8 } from 'node:buffer'
import { STRING, viewOf } from './dictionary.ts'
import type { Head } from './head.ts'
import { Row } from './row.ts'
import { NOT_ORDINARY, type Scanner, scanInto } from './scan.ts'
import { HASH_SEED, hashBytes, isAscii, sameBytes } from './words.ts'

/** As the model reads texts: what is no UTF-8 becomes U+FFFD, a byte order mark is text. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Tags beyond this of a span are not guessed. */
const GUESSED = 64

/**
 * What the scanners of protobuf share. They take what nearly all reporters send (keys of one byte, each field once) and refuse
 * everything else without a word: the decoder of the model then decides, and says what is wrong. What they do take, they must
 * take as that would (wire-scanner.test.ts holds both side by side).
 *
 * Most of a body repeats: a tag is first compared with the tag at the same place of the span before.
 */
export abstract class WireScanner implements Scanner {
  protected readonly head: Head
  protected readonly row = new Row()
  protected body: Uint8Array = new Uint8Array(0)
  protected view: DataView = new DataView(new ArrayBuffer(0))
  protected at = 0
  #maxRows = 0
  #rollbacks = 0
  // What `whole` and `id` have read.
  protected high = 0
  protected low = 0
  // By place among the tags of a span.
  #tagFrom = new Int32Array(GUESSED)
  #tagLength = new Int32Array(GUESSED)
  #tagPair = new Int32Array(GUESSED)

  constructor(head: Head) {
    this.head = head
  }

  scan(body: Uint8Array, maxSpans = Number.POSITIVE_INFINITY): number | undefined {
    this.body = body
    this.view = viewOf(body)
    this.at = 0
    this.#tagLength.fill(0)
    if (this.#rollbacks !== this.head.rollbacks) {
      this.#rollbacks = this.head.rollbacks
      this.forget()
    }
    try {
      return scanInto(this.head, firstRow => {
        this.#maxRows = firstRow + maxSpans
        while (this.at < body.length) this.readMessage()
      })
    } finally {
      this.body = new Uint8Array(0)
    }
  }

  /** One message of the list that a body is. */
  protected abstract readMessage(): void
  /** Entries may have another meaning from now on. */
  protected abstract forget(): void

  protected addRow(): void {
    const { row, head } = this
    if ((row.traceLowHigh | row.traceLowLow | row.traceHighHigh | row.traceHighLow) === 0) throw NOT_ORDINARY
    if ((row.idHigh | row.idLow) === 0 || head.rows.length >= this.#maxRows) throw NOT_ORDINARY
    head.append(row)
  }

  /** Up to 2^53 - 1. */
  protected varint(): number {
    const { body } = this
    let byte = body[this.at++]
    if (byte === undefined) throw NOT_ORDINARY
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    for (let scale = 128; scale <= 2 ** 49; scale *= 128) {
      byte = body[this.at++]
      if (byte === undefined) throw NOT_ORDINARY
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw NOT_ORDINARY
        return value
      }
    }
    throw NOT_ORDINARY
  }

  /** Where a text or a message ends, whose length comes next. */
  protected end(limit: number): number {
    const length = this.varint()
    if (length > limit - this.at) throw NOT_ORDINARY
    return this.at + length
  }

  /** Eight bytes of an id into `high` and `low`. */
  protected id(limit: number): void {
    if (this.at + 8 > limit) throw NOT_ORDINARY
    this.high = this.view.getUint32(this.at)
    this.low = this.view.getUint32(this.at + 4)
    this.at += 8
  }

  /** A number of eight bytes, little-endian, into `high` and `low`. */
  protected fixed64(limit: number): void {
    if (this.at + 8 > limit) throw NOT_ORDINARY
    this.low = this.view.getUint32(this.at, true)
    this.high = this.view.getUint32(this.at + 4, true)
    this.at += 8
  }

  /** 8 or 16 bytes; a left half of zeros is none. */
  protected traceId(limit: number): void {
    const { row } = this
    const end = this.end(limit)
    const length = end - this.at
    if (length !== 8 && length !== 16) throw NOT_ORDINARY
    row.traceHighHigh = 0
    row.traceHighLow = 0
    if (length === 16) {
      this.id(end)
      row.traceHighHigh = this.high
      row.traceHighLow = this.low
    }
    this.id(end)
    row.traceLowHigh = this.high
    row.traceLowLow = this.low
  }

  protected spanId(limit: number): void {
    const end = this.end(limit)
    if (end - this.at !== 8) throw NOT_ORDINARY
    this.id(end)
    this.row.idHigh = this.high
    this.row.idLow = this.low
  }

  protected parentId(limit: number): void {
    const end = this.end(limit)
    if (end - this.at !== 8) throw NOT_ORDINARY
    this.id(end)
    this.row.parentHigh = this.high
    this.row.parentLow = this.low
  }

  protected name(limit: number): void {
    const end = this.end(limit)
    this.row.name = this.head.dictionary.internLowerCase(this.view, this.at, end)
    this.at = end
  }

  /** Whether the next `length` bytes are those at `from`. */
  protected repeats(from: number, length: number): boolean {
    const { view, at } = this
    if (length === 0 || at + length > this.body.length) return false
    return sameBytes(view, at, view, from, length)
  }

  /** The pair of the tag whose length comes next, number `place` of its span; `readPair` reads one up to its end. */
  protected tag(place: number, limit: number): number {
    const start = this.at
    if (place < GUESSED && this.repeats(this.#tagFrom[place]!, this.#tagLength[place]!)) {
      this.at += this.#tagLength[place]!
      return this.#tagPair[place]!
    }
    const end = this.end(limit)
    const pair = this.readPair(end)
    if (this.at !== end) throw NOT_ORDINARY
    if (place < GUESSED) {
      this.#tagFrom[place] = start
      this.#tagLength[place] = end - start
      this.#tagPair[place] = pair
    }
    return pair
  }

  protected abstract readPair(end: number): number

  protected addTag(pair: number): void {
    this.head.tag(pair)
  }

  /** The pair of a key and a value that stand in the body. */
  protected pairOf(keyFrom: number, keyTo: number, valueFrom: number, valueTo: number): number {
    const { view } = this
    const { dictionary } = this.head
    if (!(this.#isUtf8(keyFrom, keyTo) && this.#isUtf8(valueFrom, valueTo))) {
      return dictionary.pair(this.text(keyFrom, keyTo), this.text(valueFrom, valueTo))
    }
    const hash = hashBytes(view, valueFrom, valueTo, hashBytes(view, keyFrom, keyTo, HASH_SEED))
    return dictionary.internPair(view, keyFrom, keyTo, valueFrom, valueTo, hash)
  }

  protected stringOf(from: number, to: number): number {
    const { dictionary } = this.head
    return this.#isUtf8(from, to)
      ? dictionary.intern(this.view, from, to, STRING)
      : dictionary.string(this.text(from, to))
  }

  #isUtf8(from: number, to: number): boolean {
    return isAscii(this.view, from, to) || isUtf8(this.body.subarray(from, to))
  }

  protected text(from: number, to: number): string {
    return UTF8.decode(this.body.subarray(from, to))
  }
}
