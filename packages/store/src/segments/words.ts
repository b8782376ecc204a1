/*
 * Bytes, four at a time: texts are looked for, hashed and compared in words of 32 bits, which is what most of ingest is. A
 * word is little-endian; what is left at the end of a text is a word with zeros behind it.
 */

const PRIME = 0x01000193
export const HASH_SEED = 0x811c9dc5 | 0

/** FNV-1a in words; without the shift, the last byte of each word would only reach the top of the hash. */
export function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, PRIME)
  return mixed ^ (mixed >>> 15)
}

/** The one to three bytes from `from` to `to`, as a word. */
export function lastWord(view: DataView, from: number, to: number): number {
  if (to >= 4) return view.getInt32(to - 4, true) >>> (32 - 8 * (to - from))
  let word = 0
  for (let at = from; at < to; at++) word |= view.getUint8(at) << (8 * (at - from))
  return word
}

/** Goes on from `hash`. The hash of two texts one after the other depends on where the first ends. */
export function hashBytes(view: DataView, from: number, to: number, hash: number): number {
  let at = from
  for (; at + 4 <= to; at += 4) hash = hashWord(hash, view.getInt32(at, true))
  return at < to ? hashWord(hash, lastWord(view, at, to)) : hash
}

export function sameBytes(a: DataView, aFrom: number, b: DataView, bFrom: number, length: number): boolean {
  if (length < 4) {
    for (let i = 0; i < length; i++) if (a.getUint8(aFrom + i) !== b.getUint8(bFrom + i)) return false
    return true
  }
  // Texts of one length differ near their end, as a rule; and no bytes are left over so.
  const last = length - 4
  if (a.getInt32(aFrom + last, true) !== b.getInt32(bFrom + last, true)) return false
  for (let i = 0; i < last; i += 4) if (a.getInt32(aFrom + i, true) !== b.getInt32(bFrom + i, true)) return false
  return true
}

export function isAscii(view: DataView, from: number, to: number): boolean {
  let bits = 0
  let at = from
  for (; at + 4 <= to; at += 4) bits |= view.getInt32(at, true)
  if (at < to) bits |= lastWord(view, at, to)
  return (bits & HIGH_BITS) === 0
}

const LOW_BITS = 0x01010101
const HIGH_BITS = 0x80808080 | 0

/** The highest bit of each byte that is 0; of bytes above the first such, perhaps also when it is not. */
function zeros(word: number): number {
  return (word - LOW_BITS) & ~word & HIGH_BITS
}

/** The highest bit of the first byte that is a quote, a backslash or a control character is the lowest bit of what this gives. */
export function endsOfText(word: number): number {
  return zeros(word ^ 0x22222222) | zeros(word ^ 0x5c5c5c5c) | ((word - 0x20202020) & ~word & HIGH_BITS)
}

/** The same for a closing brace, an opening one, or a backslash. */
export function endsOfFlatObject(word: number): number {
  return zeros(word ^ 0x7d7d7d7d) | zeros(word ^ 0x7b7b7b7b) | zeros(word ^ 0x5c5c5c5c)
}

/** 0 to 3: which byte the lowest bit is of. */
export function firstByte(bits: number): number {
  return (31 - Math.clz32(bits & -bits)) >> 3
}

/** The first `count` (0 to 3) bytes of a word. */
export function firstBytes(word: number, count: number): number {
  return word & ((1 << (count * 8)) - 1)
}

/** Letters A to Z of an ASCII word in lower case. */
export function lowerCase(word: number): number {
  const isAtLeastA = word + 0x3f3f3f3f
  const isAboveZ = word + 0x25252525
  return word | ((isAtLeastA & ~isAboveZ & HIGH_BITS) >>> 2)
}

export function hasHighBit(word: number): boolean {
  return (word & HIGH_BITS) !== 0
}

/** Four digits; -1: they are not. */
export function fourDigits(word: number): number {
  if ((word & 0xf0f0f0f0) !== 0x30303030 || ((word + 0x06060606) & 0xf0f0f0f0) !== 0x30303030) return -1
  const digits = word & 0x0f0f0f0f
  const pairs = Math.imul(digits, 10) + (digits >>> 8)
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff)
}
