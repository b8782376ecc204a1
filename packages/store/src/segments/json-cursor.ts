import { viewOf } from './dictionary.ts'
import { NOT_ORDINARY } from './scan.ts'
import { endsOfText, firstByte, firstBytes, fourDigits, hashWord, lastWord, sameBytes } from './words.ts'

export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN = 0x7b
export const CLOSE = 0x7d
export const OPEN_LIST = 0x5b
export const CLOSE_LIST = 0x5d
export const BACKSLASH = 0x5c
const ZERO = 0x30

/** Value of two lower-hex characters, by the two bytes as one number; 256: they are not. */
const HEX_PAIRS = new Uint16Array(65_536).fill(256)
for (const [high, a] of [...'0123456789abcdef'].entries()) {
  for (const [low, b] of [...'0123456789abcdef'].entries()) {
    HEX_PAIRS[a.charCodeAt(0) | (b.charCodeAt(0) << 8)] = (high << 4) | low
  }
}

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')

/** A place in a JSON text, and what may stand there. Whatever is not ordinary is thrown as such. */
export class JsonCursor {
  body: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(new ArrayBuffer(0))
  /** Of the body, bytes. */
  length = 0
  at = 0
  // What a step has read.
  high = 0
  low = 0
  from = 0
  to = 0
  hash = 0
  /** The text has no escape. */
  isPlain = true

  open(body: Uint8Array): void {
    this.body = body
    this.view = viewOf(body)
    this.length = body.length
    this.at = 0
  }

  blanks(): void {
    const { body } = this
    let byte = body[this.at]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = body[++this.at]
  }

  /** The next byte that is no blank. */
  peek(): number {
    const byte = this.body[this.at]
    if (byte !== undefined && byte > 0x20) return byte
    this.blanks()
    return this.body[this.at] ?? 0
  }

  /** The next byte that is no blank, and goes past it. */
  next(): number {
    const byte = this.peek()
    this.at++
    return byte
  }

  expect(byte: number): void {
    if (this.peek() !== byte) throw NOT_ORDINARY
    this.at++
  }

  /** Whether the next bytes are these. */
  isNext(bytes: Uint8Array): boolean {
    return this.isAt(this.at, bytes)
  }

  isAt(from: number, bytes: Uint8Array): boolean {
    for (let i = 0; i < bytes.length; i++) if (this.body[from + i] !== bytes[i]) return false
    return true
  }

  /** Whether the next `length` bytes are those at `from`, which come before; of none, no. */
  repeats(from: number, length: number): boolean {
    const { view, at } = this
    if (length === 0 || at + length > this.length) return false
    return sameBytes(view, at, view, from, length)
  }

  /** 16 lower-hex characters into `high` and `low`. */
  hex16(): void {
    const { view, at } = this
    if (at + 16 > this.length) throw NOT_ORDINARY
    const a = HEX_PAIRS[view.getUint16(at, true)]!
    const b = HEX_PAIRS[view.getUint16(at + 2, true)]!
    const c = HEX_PAIRS[view.getUint16(at + 4, true)]!
    const d = HEX_PAIRS[view.getUint16(at + 6, true)]!
    const e = HEX_PAIRS[view.getUint16(at + 8, true)]!
    const f = HEX_PAIRS[view.getUint16(at + 10, true)]!
    const g = HEX_PAIRS[view.getUint16(at + 12, true)]!
    const h = HEX_PAIRS[view.getUint16(at + 14, true)]!
    if ((a | b | c | d | e | f | g | h) > 255) throw NOT_ORDINARY
    this.high = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
    this.low = ((e << 24) | (f << 16) | (g << 8) | h) >>> 0
    this.at = at + 16
  }

  closeQuote(): void {
    if (this.body[this.at++] !== QUOTE) throw NOT_ORDINARY
  }

  /** Which of these, from `first` on, the next text is. */
  word(words: readonly Uint8Array[], first: number): number {
    this.expect(QUOTE)
    for (let i = first; i < words.length; i++) {
      const word = words[i]!
      if (!this.isNext(word)) continue
      this.at += word.length
      this.closeQuote()
      return i
    }
    throw NOT_ORDINARY
  }

  boolean(): boolean {
    const text = this.peek() === 0x74 ? TRUE : FALSE
    if (!this.isNext(text)) throw NOT_ORDINARY
    this.at += text.length
    return text === TRUE
  }

  /** Digits alone, below 2^53. */
  integer(): number {
    const first = this.peek()
    const { body, view } = this
    const from = this.at
    let at = from
    let value = 0
    for (let four = 0; at + 4 <= this.length && at - from <= 12; at += 4) {
      four = fourDigits(view.getInt32(at, true))
      if (four < 0) break
      value = value * 10_000 + four
    }
    for (let digit = body[at]! - ZERO; digit >= 0 && digit <= 9 && at - from <= 16; digit = body[++at]! - ZERO) {
      value = value * 10 + digit
    }
    const digits = at - from
    if (digits === 0 || digits > 16 || (first === ZERO && digits > 1)) throw NOT_ORDINARY
    if (value > Number.MAX_SAFE_INTEGER) throw NOT_ORDINARY
    const next = body[at]
    // A fraction or an exponent.
    if (next === 0x2e || next === 0x65 || next === 0x45) throw NOT_ORDINARY
    this.at = at
    return value
  }

  /** A text between quotes: where it stands, its hash going on from `hash`, and whether it has no escape. */
  text(hash: number): void {
    this.expect(QUOTE)
    const { body, view } = this
    const from = this.at
    const last = this.length - 4
    let at = from
    let ends = 0
    for (; at <= last; at += 4) {
      const word = view.getInt32(at, true)
      ends = endsOfText(word)
      if (ends !== 0) {
        const count = firstByte(ends)
        if (count > 0) hash = hashWord(hash, firstBytes(word, count))
        at += count
        break
      }
      hash = hashWord(hash, word)
    }
    // It begins, or goes on, in the last three bytes of the body.
    if (ends === 0) {
      const begin = at
      for (let byte = body[at]; byte !== QUOTE && byte !== BACKSLASH; byte = body[++at]) {
        if (byte === undefined || byte < 0x20) throw NOT_ORDINARY
      }
      if (at > begin) hash = hashWord(hash, lastWord(view, begin, at))
    }
    this.from = from
    this.hash = hash
    this.isPlain = body[at] === QUOTE
    if (!this.isPlain) at = this.#endOfEscaped(at)
    this.to = at
    this.at = at + 1
  }

  #endOfEscaped(at: number): number {
    const { body } = this
    for (let byte = body[at]; byte !== QUOTE; byte = body[at]) {
      // A control character, or the end.
      if (byte === undefined || byte < 0x20) throw NOT_ORDINARY
      at += byte === BACKSLASH ? 2 : 1
    }
    return at
  }

  /** What stands between quotes, with its escapes resolved. */
  parsed(from: number, to: number): string {
    const text = JSON.parse(this.slice(from - 1, to + 1)) as string
    // Half a surrogate pair would be changed when it is stored, and what is stored is what is sorted here.
    if (!text.isWellFormed()) throw NOT_ORDINARY
    return text
  }

  slice(from: number, to: number): string {
    const { buffer, byteOffset } = this.body
    return Buffer.from(buffer, byteOffset + from, to - from).toString()
  }
}
