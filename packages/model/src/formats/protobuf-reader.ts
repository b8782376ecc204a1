import { DecodeError } from './decode-error.ts'
import { readUtf8 } from './read-utf8.ts'

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH_DELIMITED = 2
export const FIXED32 = 5

/**
 * Reads protobuf's wire format from bytes, a value at a time; no schema, no copy, no object a message. Throws
 * {@link DecodeError}, with the texts zipkin-server has for the same faults: `Truncated: length 9 > bytes available 4`.
 *
 *     for (const end = reader.messageEnd(); reader.position < end; ) {
 *       const key = reader.key()
 *       if (key === 0x0a) name = reader.string()    // field 1, length-delimited: number × 8 + wire type
 *       else reader.skip(key)
 *     }
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly length: number
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.length = bytes.length
  }

  /** Number of the field × 8 + wire type. */
  key(): number {
    const key = this.varint32()
    if (key >>> 3 === 0) throw new DecodeError('malformed', `Malformed: field 0 at position ${this.position}`)
    return key
  }

  /** Passes over the value of a field that nobody knows. */
  skip(key: number): void {
    const wireType = key & 7
    if (wireType === VARINT) this.#skipVarint()
    else if (wireType === FIXED64) this.#advance(8)
    else if (wireType === LENGTH_DELIMITED) this.#advance(this.varint32())
    else if (wireType === FIXED32) this.#advance(4)
    else throw new DecodeError('malformed', `Malformed: wire type ${wireType} at position ${this.position}`)
  }

  /** Where a nested message ends, whose length comes next. */
  messageEnd(): number {
    const length = this.varint32()
    this.#require(length)
    return this.position + length
  }

  /** Nothing of a nested message may reach beyond its end. */
  finish(end: number): void {
    if (this.position > end) {
      throw new DecodeError('malformed', `Malformed: a value reaches ${this.position - end} bytes beyond its message`)
    }
  }

  bytes(): Uint8Array {
    const start = this.#advance(this.varint32())
    return this.#bytes.subarray(start, this.position)
  }

  string(): string {
    const start = this.#advance(this.varint32())
    return readUtf8(this.#bytes, start, this.position)
  }

  /** Lower-hex text of bytes. */
  hex(): string {
    const start = this.#advance(this.varint32())
    let text = ''
    for (let i = start; i < this.position; i++) text += HEX[this.#bytes[i]!]!
    return text
  }

  bool(): boolean {
    return this.varint() !== 0
  }

  /** A varint of 32 bits, unsigned. */
  varint32(): number {
    const bytes = this.#bytes
    let byte = this.#byte()
    if (byte < 0x80) return byte
    let value = byte & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      byte = this.position < this.length ? bytes[this.position++]! : this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    byte = this.#byte()
    if ((byte & 0xf0) !== 0) {
      throw new DecodeError('bad_varint', `Greater than 32-bit varint at position ${this.position - 1}`)
    }
    return (value | (byte << 28)) >>> 0
  }

  /** A varint of 64 bits, unsigned; exact up to 2^53, the nearest double beyond. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      const byte = this.#byte()
      if (i === 9 && (byte & 0xfe) !== 0) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw new DecodeError('bad_varint', `Greater than 64-bit varint at position ${this.position - 1}`)
  }

  /** An enum or a signed number of 32 bits: of a longer varint the low half. */
  int32(): number {
    return Number(BigInt.asIntN(32, this.int64()))
  }

  int64(): bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(low)
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new DecodeError('bad_varint', `Greater than 64-bit varint at position ${this.position - 1}`)
  }

  /** A signed number of eight bytes; exact up to 2^53, the nearest double beyond. */
  fixed64(): number {
    const at = this.#advance(8)
    return this.#view.getInt32(at + 4, true) * 4_294_967_296 + this.#view.getUint32(at, true)
  }

  fixedUint64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true)
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8), true)
  }

  byte(): number {
    return this.#byte()
  }

  /** Where the bytes begin that it moves over. */
  #advance(length: number): number {
    this.#require(length)
    const start = this.position
    this.position += length
    return start
  }

  #require(length: number): void {
    const available = this.length - this.position
    if (length > available) {
      throw new DecodeError('truncated', `Truncated: length ${length} > bytes available ${available}`)
    }
  }

  #skipVarint(): void {
    for (let i = 0; i < 10; i++) if (this.#byte() < 0x80) return
    throw new DecodeError('bad_varint', `Greater than 64-bit varint at position ${this.position - 1}`)
  }

  #byte(): number {
    if (this.position >= this.length) this.#advance(1)
    return this.#bytes[this.position++]!
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
