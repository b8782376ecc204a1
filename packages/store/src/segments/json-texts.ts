import { decodeJsonV2 } from '@hopscope/model'
import { STRING } from './dictionary.ts'
import type { Head } from './head.ts'
import { CLOSE, COLON, type JsonCursor, OPEN } from './json-cursor.ts'
import { KnownBytes } from './known-bytes.ts'
import { NOT_ORDINARY } from './scan.ts'
import { endsOfFlatObject, firstByte, firstBytes, HASH_SEED, hashWord } from './words.ts'

/** The end of `binaryAnnotations`, before a quote. */
const V1_MARK = Buffer.from('yAnnotations')
const V1_MARK_END = V1_MARK.at(-1)

/** What texts of a JSON list mean in a head. The cursor stands before one, and behind it when its entry is returned. */
export class JsonTexts {
  readonly #head: Head
  readonly #cursor: JsonCursor
  #endpoints = new KnownBytes()
  #rollbacks = 0

  constructor(head: Head, cursor: JsonCursor) {
    this.#head = head
    this.#cursor = cursor
  }

  /** Before the texts of a body. */
  begin(): void {
    if (this.#rollbacks === this.#head.rollbacks) return
    this.#rollbacks = this.#head.rollbacks
    this.#endpoints.clear()
  }

  /** A span's name, in lower case. */
  name(): number {
    const { dictionary } = this.#head
    const cursor = this.#cursor
    this.#text(HASH_SEED)
    if (cursor.isPlain) return dictionary.internLowerCase(cursor.view, cursor.from, cursor.to)
    const text = cursor.parsed(cursor.from, cursor.to)
    return text === '' ? 0 : dictionary.string(text.toLowerCase())
  }

  /** A key, a colon and a value. */
  pair(): number {
    const { dictionary } = this.#head
    const cursor = this.#cursor
    this.#text(HASH_SEED)
    const keyFrom = cursor.from
    const keyTo = cursor.to
    const isKeyPlain = cursor.isPlain
    cursor.expect(COLON)
    this.#text(cursor.hash)
    if (isKeyPlain && cursor.isPlain) {
      return dictionary.internPair(cursor.view, keyFrom, keyTo, cursor.from, cursor.to, cursor.hash)
    }
    return dictionary.pair(cursor.parsed(keyFrom, keyTo), cursor.parsed(cursor.from, cursor.to))
  }

  /** Of an annotation. */
  value(): number {
    const { dictionary } = this.#head
    const cursor = this.#cursor
    this.#text(HASH_SEED)
    if (cursor.isPlain) return dictionary.internHashed(cursor.view, cursor.from, cursor.to, STRING, cursor.hash)
    return dictionary.string(cursor.parsed(cursor.from, cursor.to))
  }

  /** An object without nesting and escapes; what it means is asked of the model once. */
  endpoint(): number {
    const cursor = this.#cursor
    const start = cursor.at
    const hash = this.#flatObject()
    return this.#endpoints.get(cursor.view, start, cursor.at, hash, () => {
      const text = cursor.slice(start, cursor.at)
      if (text.includes(`${V1_MARK}"`)) throw NOT_ORDINARY
      const [span] = decodeJsonV2(Buffer.from(`[{"traceId":"1","id":"1","localEndpoint":${text}}]`))
      return this.#head.endpointEntry(span?.localEndpoint)
    })
  }

  /** A text, unless it is what zipkin-server takes for its earlier format wherever it stands. */
  #text(hash: number): void {
    const cursor = this.#cursor
    cursor.text(hash)
    if (cursor.body[cursor.to - 1] === V1_MARK_END && cursor.isAt(cursor.to - V1_MARK.length, V1_MARK))
      throw NOT_ORDINARY
  }

  /** Goes past an object that has no other in it, and no backslash; returns its hash. */
  #flatObject(): number {
    const cursor = this.#cursor
    const { body, view } = cursor
    const last = cursor.length - 4
    let hash = hashWord(HASH_SEED, OPEN)
    let at = cursor.at + 1
    for (; at <= last; at += 4) {
      const word = view.getInt32(at, true)
      const ends = endsOfFlatObject(word)
      if (ends !== 0) {
        const count = firstByte(ends)
        at += count
        if (body[at] !== CLOSE) throw NOT_ORDINARY
        cursor.at = at + 1
        return hashWord(hash, firstBytes(word, count))
      }
      hash = hashWord(hash, word)
    }
    // A span's end and the list's come behind it.
    throw NOT_ORDINARY
  }
}
