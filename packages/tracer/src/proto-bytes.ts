import type { Microseconds } from '@hopscope/model'

/** Whole spans are moved to a bigger buffer when they outgrow it; this holds some dozens of proxy spans. */
const INITIAL_BYTES = 32 * 1024
/**
 * What is kept free for the length of a message that is not written yet: enough for 16 KiB, which few spans reach. Where one that is
 * longer or shorter begins, all of it has to be moved.
 */
const LENGTH_BYTES = 2

/** The value of a hex digit by its code. */
const DIGITS = new Uint8Array(128)
for (let i = 0; i < 16; i++)
  DIGITS[i.toString(16).charCodeAt(0)] = DIGITS[i.toString(16).toUpperCase().charCodeAt(0)] = i

/**
 * Writes protobuf straight into bytes, field by field, without objects for messages. A nested message is `open`, its fields, `close`
 * with what `open` returned. Texts are UTF-8 from `utf8` strings, or from `latin1` ones: bytes off the wire, one a character, where
 * what is not UTF-8 becomes U+FFFD: Envoy sends it as it is, and readers that are strict lose the whole report.
 */
export class ProtoBytes {
  length = 0
  readonly #encoding: 'utf8' | 'latin1'
  #bytes: Buffer

  constructor(encoding: 'utf8' | 'latin1', initialBytes = INITIAL_BYTES) {
    this.#encoding = encoding
    this.#bytes = Buffer.allocUnsafeSlow(initialBytes)
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.length)
  }

  /** Of what was written from `start` on; these bytes will be written over. */
  copySince(start: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(start, this.length))
  }

  varint(field: number, value: number): void {
    this.#room(20)
    this.#varint(field * 8)
    this.#varint(value)
  }

  string(field: number, text: string): void {
    // At most three bytes a character, and two lengths.
    this.#room(text.length * 3 + 20)
    this.#varint(field * 8 + 2)
    const bytes = this.#bytes
    const start = this.length
    // The length of an ASCII text is known before it is written.
    this.#varint(text.length)
    let at = this.length
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) {
        this.length = start
        this.#wide(text)
        return
      }
      bytes[at++] = code
    }
    this.length = at
  }

  /** Of 16 or 32 hex characters. */
  hex(field: number, text: string): void {
    this.#room(text.length / 2 + 20)
    this.#varint(field * 8 + 2)
    this.#varint(text.length / 2)
    const bytes = this.#bytes
    let at = this.length
    for (let i = 0; i < text.length; i += 2) {
      bytes[at++] = DIGITS[text.charCodeAt(i)]! * 16 + DIGITS[text.charCodeAt(i + 1)]!
    }
    this.length = at
  }

  fixed32(field: number, value: number): void {
    this.#room(16)
    this.#varint(field * 8 + 5)
    this.#word(value)
  }

  /** A moment in µs; as nanoseconds with `scale` 1000. */
  fixed64(field: number, value: Microseconds, scale = 1): void {
    this.#room(20)
    this.#varint(field * 8 + 1)
    const high = Math.floor(value / 0x1_0000_0000)
    // With the scale still far below 2^53. What is above 32 bits is carried over (`%` of such numbers is a call into C).
    const low = (value - high * 0x1_0000_0000) * scale
    const carried = Math.floor(low / 0x1_0000_0000)
    this.#word(low - carried * 0x1_0000_0000)
    this.#word(high * scale + carried)
  }

  /** `lengthBytes`: what its length will probably take, to be told to `close` too. */
  open(field: number, lengthBytes = LENGTH_BYTES): number {
    this.#room(16)
    this.#varint(field * 8 + 2)
    this.length += lengthBytes
    return this.length
  }

  /** Whole fields. */
  put(fields: Uint8Array): void {
    this.#room(fields.length)
    this.#bytes.set(fields, this.length)
    this.length += fields.length
  }

  /** Bytes that are here already, once more. */
  copy(from: number, size: number): void {
    this.#room(size)
    this.#bytes.copyWithin(this.length, from, from + size)
    this.length += size
  }

  /** The beginning of a message whose bytes follow from elsewhere. */
  prefix(field: number, size: number): void {
    this.#room(20)
    this.#varint(field * 8 + 2)
    this.#varint(size)
  }

  /** True: the message had to be moved. */
  close(start: number, lengthBytes = LENGTH_BYTES): boolean {
    const size = this.length - start
    const width = size < 0x80 ? 1 : size < 0x4000 ? 2 : size < 0x20_0000 ? 3 : 4
    const isMoved = width !== lengthBytes
    if (isMoved) {
      this.#room(4)
      this.#bytes.copyWithin(start - lengthBytes + width, start, this.length)
    }
    this.length = start - lengthBytes
    this.#varint(size)
    this.length += size
    return isMoved
  }

  #word(value: number): void {
    const bytes = this.#bytes
    const at = this.length
    const word = value | 0
    bytes[at] = word
    bytes[at + 1] = word >> 8
    bytes[at + 2] = word >> 16
    bytes[at + 3] = word >> 24
    this.length = at + 4
  }

  #varint(value: number): void {
    let left = value
    while (left > 127) {
      this.#bytes[this.length++] = (left % 128) + 128
      left = Math.floor(left / 128)
    }
    this.#bytes[this.length++] = left
  }

  /** The rare text that is not ASCII. */
  #wide(text: string): void {
    const decoded = this.#encoding === 'latin1' ? Buffer.from(text, 'latin1').toString('utf8') : text.toWellFormed()
    this.#varint(Buffer.byteLength(decoded))
    this.length += this.#bytes.write(decoded, this.length)
  }

  #room(n: number): void {
    const need = this.length + n
    if (need <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(need, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.length)
    this.#bytes = larger
  }
}
