import { pick, type Random, randomInteger, seededRandom } from '@hopscope/model/testing'
import { expect, it } from 'vitest'
import { viewOf } from './dictionary.ts'
import {
  endsOfFlatObject,
  endsOfText,
  firstByte,
  firstBytes,
  fourDigits,
  HASH_SEED,
  hasHighBit,
  hashBytes,
  hashWord,
  isAscii,
  lowerCase,
  sameBytes,
} from './words.ts'

/** What stands at the edges of what is looked for. */
const EDGES = [0x00, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x2f, 0x30, 0x39, 0x3a, 0x40, 0x41, 0x5a, 0x5b, 0x5c, 0x5d]
const MORE_EDGES = [0x7a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f, 0x80, 0x9f, 0xa0, 0xa2, 0xdc, 0xfb, 0xfd, 0xff]
const byte = (random: Random): number =>
  random() < 0.5 ? pick(random, [...EDGES, ...MORE_EDGES]) : 0x61 + randomInteger(random, 26)

function words(count: number): { bytes: Buffer; word: number }[] {
  const random = seededRandom(7)
  return Array.from({ length: count }, () => {
    const bytes = Buffer.from([byte(random), byte(random), byte(random), byte(random)])
    return { bytes, word: bytes.readInt32LE() }
  })
}
const firstWhere = (bytes: Buffer, is: (byte: number) => boolean): number => bytes.findIndex(is)

it('finds the first byte that ends a text, or an object without others in it', () => {
  const ends = words(20_000).map(({ word }) => [endsOfText(word), endsOfFlatObject(word)])
  for (const [i, { bytes }] of words(20_000).entries()) {
    const [text, object] = ends[i]!
    const atText = firstWhere(bytes, one => one === 0x22 || one === 0x5c || one < 0x20)
    const atObject = firstWhere(bytes, one => one === 0x7b || one === 0x7d || one === 0x5c)
    expect(text === 0 ? -1 : firstByte(text!), bytes.toString('hex')).toBe(atText)
    expect(object === 0 ? -1 : firstByte(object!), bytes.toString('hex')).toBe(atObject)
  }
})

it('knows letters and digits', () => {
  for (const { bytes, word } of words(20_000)) {
    expect(hasHighBit(word)).toBe(bytes.some(one => one > 127))
    if (!hasHighBit(word)) {
      const lower = Buffer.alloc(4)
      lower.writeInt32LE(lowerCase(word))
      expect(lower.toString()).toBe(bytes.toString().toLowerCase())
    }
    expect(fourDigits(word)).toBe(/^\d{4}$/.test(bytes.toString('latin1')) ? Number(bytes.toString()) : -1)
  }
  for (const text of ['0000', '0123', '9999', '/123', '12:4', '123 ']) {
    expect(fourDigits(Buffer.from(text).readInt32LE())).toBe(/^\d+$/.test(text) ? Number(text) : -1)
  }
})

it('hashes and compares texts of every length, wherever they stand', () => {
  const random = seededRandom(9)
  for (let i = 0; i < 5_000; i++) {
    const text = Buffer.from(Array.from({ length: randomInteger(random, 20) }, () => byte(random)))
    const before = randomInteger(random, 6)
    const place = Buffer.concat([Buffer.alloc(before, 0x41), text, Buffer.alloc(randomInteger(random, 3), 0x42)])
    const view = viewOf(place)
    const alone = viewOf(Buffer.from(text))
    const hash = hashBytes(view, before, before + text.length, HASH_SEED)
    // As a reader does that hashes word by word.
    let expected = HASH_SEED
    for (let at = 0; at < text.length; at += 4) {
      const word = Buffer.concat([text.subarray(at, at + 4), Buffer.from('xyz')]).readInt32LE()
      const left = text.length - at
      expected = hashWord(expected, left < 4 ? firstBytes(word, left) : word)
    }
    expect(hash).toBe(expected)
    expect(hashBytes(alone, 0, text.length, HASH_SEED)).toBe(hash)
    expect(isAscii(view, before, before + text.length)).toBe(text.every(one => one < 128))
    expect(sameBytes(view, before, alone, 0, text.length)).toBe(true)
    if (text.length === 0) continue
    const other = Buffer.from(text)
    other[randomInteger(random, other.length)]! ^= 1 << randomInteger(random, 8)
    expect(sameBytes(view, before, viewOf(other), 0, text.length)).toBe(false)
    expect(hashBytes(viewOf(other), 0, other.length, HASH_SEED)).not.toBe(hash)
  }
})
