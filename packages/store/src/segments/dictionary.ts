import { Table } from './table.ts'
import { HASH_SEED, hasHighBit, hashBytes, hashWord, lastWord, lowerCase, sameBytes } from './words.ts'

/** What an entry is; 0 and up: a pair, whose first so many bytes are its key. */
export const STRING = -1
/** Four u32: the entries of service name, ipv4 and ipv6, and the port; 0 is none. */
export const ENDPOINT = -2

/** `end`: of its bytes; they begin where those of the entry before end. */
const ENTRIES = { end: Uint32Array, kind: Int32Array }

/** A byte order mark is text like any other. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

/**
 * Each text, tag and endpoint of a head once, as bytes, numbered from 1 in order of appearance. What was added last can be
 * taken back.
 *
 *   1  "web"                                kind STRING
 *   2  service 1, no ip, port 8080          kind ENDPOINT
 *   3  "http.method" "GET"                  kind 11: the length of the key
 */
export class Dictionary {
  readonly entries: Table<typeof ENTRIES>
  bytes: Buffer<ArrayBuffer>
  #view: DataView
  #hashes: Uint32Array<ArrayBuffer>
  #slots: Int32Array<ArrayBuffer>
  /** Front of the table for what comes as JavaScript text. */
  #strings = new Map<string, number>()
  #pairs = new Map<string, Map<string, number>>()
  #endpoint = new DataView(new ArrayBuffer(16))
  #scratch = Buffer.from(new ArrayBuffer(4096))
  #scratchView = viewOf(this.#scratch)

  /** `old`: one that nobody reads any more; its memory is this one's from now on. */
  constructor(old?: Dictionary) {
    this.entries = new Table(ENTRIES, 4096, old?.entries)
    this.bytes = Buffer.from(old?.bytes.buffer.transfer() ?? new ArrayBuffer(256 * 1024))
    this.#view = viewOf(this.bytes)
    this.#hashes = old === undefined ? new Uint32Array(4096) : new Uint32Array(old.#hashes.buffer.transfer())
    this.#slots = old === undefined ? new Int32Array(8192) : new Int32Array(old.#slots.buffer.transfer()).fill(0)
    // Number 0 is "none".
    this.entries.columns.end[0] = 0
    this.entries.columns.kind[0] = STRING
    this.entries.length = 1
  }

  free(): void {
    this.entries.free()
    for (const { buffer } of [this.bytes, this.#hashes, this.#slots]) buffer.transfer(0)
  }

  get byteLength(): number {
    return this.entries.columns.end[this.entries.length - 1]!
  }

  start(entry: number): number {
    return entry === 0 ? 0 : this.entries.columns.end[entry - 1]!
  }

  end(entry: number): number {
    return this.entries.columns.end[entry]!
  }

  kind(entry: number): number {
    return this.entries.columns.kind[entry]!
  }

  string(text: string): number {
    let entry = this.#strings.get(text)
    if (entry === undefined) {
      const length = this.#write(text, 0)
      entry = this.intern(this.#scratchView, 0, length, STRING)
      this.#strings.set(text, entry)
    }
    return entry
  }

  /** The number of UTF-8 in lower case, as JavaScript says it; what is no UTF-8 becomes U+FFFD. 0: of none. */
  internLowerCase(source: DataView, from: number, to: number): number {
    if (from === to) return 0
    const length = to - from
    if (length + 4 > this.#scratch.length) this.#reserveScratch(length + 4, 0)
    const scratch = this.#scratchView
    let hash = HASH_SEED
    let at = from
    for (; at + 4 <= to; at += 4) {
      const word = source.getInt32(at, true)
      if (hasHighBit(word)) return this.#lowerCaseOf(source, from, to)
      const lower = lowerCase(word)
      scratch.setInt32(at - from, lower, true)
      hash = hashWord(hash, lower)
    }
    if (at < to) {
      const word = lastWord(source, at, to)
      if (hasHighBit(word)) return this.#lowerCaseOf(source, from, to)
      const lower = lowerCase(word)
      scratch.setInt32(at - from, lower, true)
      hash = hashWord(hash, lower)
    }
    return this.internHashed(scratch, 0, length, STRING, hash)
  }

  #lowerCaseOf(source: DataView, from: number, to: number): number {
    return this.string(UTF8.decode(bytesOf(source, from, to)).toLowerCase())
  }

  pair(key: string, value: string): number {
    let values = this.#pairs.get(key)
    if (values === undefined) {
      values = new Map()
      this.#pairs.set(key, values)
    }
    let entry = values.get(value)
    if (entry === undefined) {
      const keyLength = this.#write(key, 0)
      // Writing may put a larger buffer in its place.
      const length = this.#write(value, keyLength)
      entry = this.intern(this.#scratchView, 0, length, keyLength)
      values.set(value, entry)
    }
    return entry
  }

  endpoint(service: number, ipv4: number, ipv6: number, port: number): number {
    const view = this.#endpoint
    view.setUint32(0, service, true)
    view.setUint32(4, ipv4, true)
    view.setUint32(8, ipv6, true)
    view.setUint32(12, port, true)
    return this.intern(view, 0, 16, ENDPOINT)
  }

  /** The text's UTF-8 into the scratch buffer at `at`; a lone surrogate, which UTF-8 cannot carry, as a question mark. */
  #write(text: string, at: number): number {
    const most = at + text.length * 3
    if (most > this.#scratch.length) this.#reserveScratch(most, at)
    const wellFormed = text.isWellFormed() ? text : text.replace(/\p{Surrogate}/gu, '?')
    return at + this.#scratch.write(wellFormed, at)
  }

  /** Room for `length` bytes, of which the first `kept` stay. */
  #reserveScratch(length: number, kept: number): void {
    const grown = Buffer.from(new ArrayBuffer(length * 2))
    this.#scratch.copy(grown, 0, 0, kept)
    this.#scratch = grown
    this.#scratchView = viewOf(grown)
  }

  /** The number of these bytes as this kind; added when they are new. */
  intern(source: DataView, from: number, to: number, kind: number): number {
    const keyTo = kind > 0 ? from + kind : from
    const hash = hashBytes(source, keyTo, to, hashBytes(source, from, keyTo, HASH_SEED))
    return this.internHashed(source, from, to, kind, hash)
  }

  /** As `intern`, by whoever has hashed the bytes already: from HASH_SEED on, of a pair first the key and then the value. */
  internHashed(source: DataView, from: number, to: number, kind: number, hash: number): number {
    const mixed = mix(hash ^ kind)
    const mask = this.#slots.length - 1
    const { end, kind: kinds } = this.entries.columns
    const length = to - from
    let slot = mixed & mask
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry] === mixed && kinds[entry] === kind) {
        const start = end[entry - 1]!
        if (end[entry]! - start === length && sameBytes(this.#view, start, source, from, length)) return entry
      }
      slot = (slot + 1) & mask
    }
    return this.#add(source, from, to, kind, mixed, slot)
  }

  /** The number here of an entry of another dictionary. */
  internOf(other: Dictionary, entry: number): number {
    const kind = other.kind(entry)
    if (kind !== ENDPOINT) return this.intern(other.#view, other.start(entry), other.end(entry), kind)
    const text = (field: 0 | 1 | 2): number => {
      const of = other.field(entry, field)
      return of === 0 ? 0 : this.internOf(other, of)
    }
    return this.endpoint(text(0), text(1), text(2), other.field(entry, 3))
  }

  /** A pair whose key and value stand apart in `source`; `hash` is that of the key and then the value. */
  internPair(
    source: DataView,
    keyFrom: number,
    keyTo: number,
    valueFrom: number,
    valueTo: number,
    hash: number,
  ): number {
    const kind = keyTo - keyFrom
    const valueLength = valueTo - valueFrom
    const length = kind + valueLength
    const mixed = mix(hash ^ kind)
    const mask = this.#slots.length - 1
    const { end, kind: kinds } = this.entries.columns
    let slot = mixed & mask
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#hashes[entry] === mixed && kinds[entry] === kind) {
        const start = end[entry - 1]!
        if (
          end[entry]! - start === length &&
          sameBytes(this.#view, start, source, keyFrom, kind) &&
          sameBytes(this.#view, start + kind, source, valueFrom, valueLength)
        ) {
          return entry
        }
      }
      slot = (slot + 1) & mask
    }
    if (length > this.#scratch.length) this.#reserveScratch(length, 0)
    this.#scratch.set(bytesOf(source, keyFrom, keyTo), 0)
    this.#scratch.set(bytesOf(source, valueFrom, valueTo), kind)
    return this.#add(this.#scratchView, 0, length, kind, mixed, slot)
  }

  #add(source: DataView, from: number, to: number, kind: number, hash: number, slot: number): number {
    const begin = this.byteLength
    const finish = begin + to - from
    if (finish > this.bytes.length) {
      this.bytes = Buffer.from(this.bytes.buffer.transfer(Math.max(finish, this.bytes.length * 2)))
      this.#view = viewOf(this.bytes)
    }
    this.bytes.set(bytesOf(source, from, to), begin)
    this.entries.reserve(1)
    const entry = this.entries.length++
    this.entries.columns.end[entry] = finish
    this.entries.columns.kind[entry] = kind
    if (entry >= this.#hashes.length) {
      this.#hashes = new Uint32Array(this.#hashes.buffer.transfer(this.#hashes.byteLength * 2))
    }
    this.#hashes[entry] = hash
    this.#slots[slot] = entry
    if (entry * 2 > this.#slots.length) this.#rehash()
    return entry
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.buffer.transfer(this.#slots.byteLength * 2)).fill(0)
    const mask = slots.length - 1
    for (let entry = 1; entry < this.entries.length; entry++) {
      let slot = this.#hashes[entry]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = entry
    }
    this.#slots = slots
  }

  /** Appends entries as a log has them. */
  append(count: number, source: Buffer, at: number, byteLength: number): number {
    const first = this.entries.length
    const begin = this.byteLength
    at = this.entries.append(count, source, at)
    for (let entry = first; entry < first + count; entry++) {
      const from = entry === first ? begin : this.end(entry - 1)
      const to = this.end(entry)
      if (to < from || to > begin + byteLength) throw new RangeError('entries out of order')
    }
    // The hash table is filled through the same door as live entries: first the bytes, then each entry.
    const { end, kind } = this.entries.columns
    const ends = end.slice(first, first + count)
    const kinds = kind.slice(first, first + count)
    this.entries.length = first
    const view = viewOf(source)
    let from = at
    for (let i = 0; i < count; i++) {
      const to = at + ends[i]! - begin
      if (kinds[i]! > to - from) throw new RangeError('a key is longer than its entry')
      if (this.intern(view, from, to, kinds[i]!) !== first + i) throw new RangeError('an entry stands twice')
      from = to
    }
    return at + byteLength
  }

  /** Takes back all entries from number `length` on. */
  truncate(length: number): void {
    if (length === this.entries.length) return
    const mask = this.#slots.length - 1
    // Last in, first out: with linear probing, nothing that stays was ever moved past these.
    for (let entry = this.entries.length - 1; entry >= length; entry--) {
      let slot = this.#hashes[entry]! & mask
      while (this.#slots[slot] !== entry) slot = (slot + 1) & mask
      this.#slots[slot] = 0
    }
    this.entries.length = length
    this.#strings.clear()
    this.#pairs.clear()
  }

  text(entry: number): string {
    return this.bytes.toString('utf8', this.start(entry), this.end(entry))
  }

  key(entry: number): string {
    const start = this.start(entry)
    return this.bytes.toString('utf8', start, start + this.kind(entry))
  }

  value(entry: number): string {
    return this.bytes.toString('utf8', this.start(entry) + this.kind(entry), this.end(entry))
  }

  /** Of an endpoint: the entry of its service name, ipv4, ipv6 (field 0, 1, 2), or its port (3). */
  field(endpoint: number, field: 0 | 1 | 2 | 3): number {
    return this.#view.getUint32(this.start(endpoint) + 4 * field, true)
  }
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

function bytesOf({ buffer, byteOffset }: DataView, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from)
}

/** FNV leaves its low bits weak. (murmur3's finaliser) */
function mix(hash: number): number {
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
