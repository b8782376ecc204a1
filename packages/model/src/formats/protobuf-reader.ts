import { DecodeError } from './decode-error.ts'

export const VARINT = 0
export const FIXED64 = 1
export const LENGTH_DELIMITED = 2
export const FIXED32 = 5

/**
 * Reads protobuf's wire format from bytes, a field at a time; no schema, no copy. Throws {@link DecodeError}, with the
 * texts zipkin-server has for the same faults: `Truncated: length 9 > bytes available 4`.
 *
 *     while (reader.hasNext()) {
 *       reader.next()
 *       if (reader.field === 1) name = reader.string()
 *       else reader.skip()
 *     }
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array
  #position: number
  readonly #end: number
  field = 0
  wireType = 0

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#position = start
    this.#end = end
  }

  hasNext(): boolean {
    return this.#position < this.#end
  }

  next(): void {
    const key = this.#varint32()
    this.field = key >>> 3
    this.wireType = key & 7
    if (this.field === 0) throw new DecodeError('malformed', `Malformed: field 0 at position ${this.#position}`)
  }

  /** Skips a field whose type on the wire is not the one wanted, as protobuf asks. */
  is(field: number, wireType: number): boolean {
    return this.field === field && this.wireType === wireType
  }

  skip(): void {
    if (this.wireType === VARINT) this.#varint64()
    else if (this.wireType === FIXED64) this.#advance(8)
    else if (this.wireType === LENGTH_DELIMITED) this.#advance(this.#varint32())
    else if (this.wireType === FIXED32) this.#advance(4)
    else throw new DecodeError('malformed', `Malformed: wire type ${this.wireType} at position ${this.#position}`)
  }

  /** A reader over a nested message. */
  message(): ProtobufReader {
    const start = this.#advance(this.#varint32())
    return new ProtobufReader(this.#bytes, start, this.#position)
  }

  bytes(): Uint8Array {
    const start = this.#advance(this.#varint32())
    return this.#bytes.subarray(start, this.#position)
  }

  string(): string {
    return UTF8.decode(this.bytes())
  }

  bool(): boolean {
    return this.#varint64() !== 0n
  }

  int32(): number {
    return Number(BigInt.asIntN(32, this.#varint64()))
  }

  uint32(): number {
    return Number(BigInt.asUintN(32, this.#varint64()))
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.#varint64())
  }

  uint64(): bigint {
    return this.#varint64()
  }

  fixed64(): bigint {
    return this.#view(8).getBigUint64(0, true)
  }

  double(): number {
    return this.#view(8).getFloat64(0, true)
  }

  #view(length: number): DataView {
    const start = this.#advance(length)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, length)
  }

  #advance(length: number): number {
    const start = this.#position
    const available = this.#end - start
    if (length > available) {
      throw new DecodeError('truncated', `Truncated: length ${length} > bytes available ${available}`)
    }
    this.#position += length
    return start
  }

  #varint32(): number {
    const value = this.#varint64()
    if (value > 0xffffffffn) {
      throw new DecodeError('bad_varint', `Greater than 32-bit varint at position ${this.#position - 1}`)
    }
    return Number(value)
  }

  #varint64(): bigint {
    // Seven bits a byte. Four bytes fit a small integer; what is longer, and rare, goes on in bigint.
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
      if (byte < 0x80) return BigInt.asUintN(64, value)
    }
    throw new DecodeError('bad_varint', `Greater than 64-bit varint at position ${this.#position - 1}`)
  }

  #byte(): number {
    return this.#bytes[this.#advance(1)]!
  }
}

const UTF8 = new TextDecoder()
