import type { Endpoint, Microseconds } from '@hopscope/model'
import { SpansByKind } from './like-spans.ts'
import type { SpanHead, ZipkinBatch } from './span-batch.ts'
import { textOfWireBytes } from './text-of-wire-bytes.ts'

/** Whole spans in a batch are moved to a bigger buffer when they outgrow it; this holds some dozens of proxy spans. */
const INITIAL_BYTES = 32 * 1024

const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92
const HEX_DIGITS = '0123456789abcdef'
/** The digits of 0 to 99, two bytes each. */
const TWO_DIGITS = ascii(Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0')).join(''))

/** What stands between the values, as bytes: from a dozen on they are put down faster in one go than one by one. */
const OPEN_FIRST = ascii('{"traceId":"')
const OPEN = ascii(',{"traceId":"')
const PARENT_ID = ascii('","parentId":"')
const ID = ascii('","id":"')
const DURATION = ascii(',"duration":')
const FIRST_ANNOTATION = ascii(',"annotations":[{"timestamp":')
const ANNOTATION = ascii(',{"timestamp":')

/**
 * Writes a batch of spans as a Zipkin v2 JSON list, straight into bytes: no objects and no strings are made on the way, which
 * is what makes tracing of every request cheap. One span is `begin`, then annotations, then tags, then `end`.
 *
 * `encoding` says what the characters of names and tag values are: `utf8` text, or `latin1`: bytes as they came off the wire,
 * one a character (`text-of-wire-bytes.ts`).
 */
export class SpanWriter implements ZipkinBatch {
  /** Spans in the batch, the open one not counted. */
  count = 0

  readonly #encoding: 'utf8' | 'latin1'
  readonly #endpoint: Uint8Array
  readonly #spans = new SpansByKind()
  /** Those of which the open span is one. */
  #like = this.#spans.of(undefined)
  /** Of the open span, so far. */
  #annotations = 0
  #hasTags = false
  #bytes: Buffer
  #length = 1

  constructor(localEndpoint: Endpoint, encoding: 'utf8' | 'latin1' = 'utf8') {
    this.#encoding = encoding
    this.#endpoint = ascii(`,"localEndpoint":${asciiJson(localEndpoint)}`)
    this.#bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES)
    this.#bytes[0] = 91 /* [ */
  }

  get byteLength(): number {
    return this.#length
  }

  begin(head: SpanHead): void {
    const like = head.kind === this.#like.kind ? this.#like : this.#spans.of(head.kind)
    this.#like = like
    this.#annotations = 0
    this.#hasTags = false
    like.tags.begin(this.#length)
    this.#put(this.count === 0 ? OPEN_FIRST : OPEN)
    this.#ascii(head.traceId)
    if (head.parentId !== undefined) {
      this.#put(PARENT_ID)
      this.#ascii(head.parentId)
    }
    this.#put(ID)
    this.#ascii(head.id)
    if (head.name === like.name) this.#put(like.named)
    else this.#writeNamed(head)
    this.#number(head.timestamp)
    this.#put(DURATION)
    this.#number(head.duration)
    this.#put(this.#endpoint)
  }

  #writeNamed({ kind, name }: SpanHead): void {
    const start = this.#length
    this.#ascii(kind === undefined ? '","name":' : `","kind":"${kind}","name":`)
    this.#quoted(name)
    this.#ascii(',"timestamp":')
    this.#like.name = name
    this.#like.named = this.#copySince(start)
  }

  /** `value` is plain ASCII without quotes: a word such as `ss`. */
  annotation(timestamp: Microseconds, value: string): void {
    const n = this.#annotations++
    const { annotations, annotationBytes } = this.#like
    this.#put(n === 0 ? FIRST_ANNOTATION : ANNOTATION)
    this.#number(timestamp)
    if (annotations[n] === value) {
      this.#put(annotationBytes[n]!)
      return
    }
    const start = this.#length
    this.#ascii(`,"value":"${value}"}`)
    annotations[n] = value
    annotationBytes[n] = this.#copySince(start)
  }

  /** The batch will be written over. */
  #copySince(start: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(start, this.#length))
  }

  tag(key: string, value: string): void {
    const { tags } = this.#like
    const isFirst = !this.#hasTags
    if (isFirst) {
      this.#ascii(this.#annotations > 0 ? '],"tags":{' : ',"tags":{')
      this.#hasTags = true
    }
    if (tags.repeats(key, value)) return
    this.#copyRepeated()
    const start = this.#length
    if (!isFirst) this.#byte(COMMA)
    this.#quoted(key)
    this.#byte(58 /* : */)
    this.#quoted(value)
    tags.wrote(key, value, start, this.#length)
  }

  #copyRepeated(): void {
    const repeated = this.#like.tags
    if (!repeated.any) return
    const { from, bytes } = repeated
    this.#room(bytes)
    this.#bytes.copyWithin(this.#length, from, from + bytes)
    repeated.copied(this.#length)
    this.#length += bytes
  }

  end(flags: { shared?: boolean; debug?: boolean }): void {
    this.#copyRepeated()
    if (this.#hasTags) this.#byte(125 /* } */)
    else if (this.#annotations > 0) this.#byte(93 /* ] */)
    if (flags.debug === true) this.#ascii(',"debug":true')
    if (flags.shared === true) this.#ascii(',"shared":true')
    this.#byte(125 /* } */)
    this.count++
  }

  /** The batch as a JSON list, in a buffer of its own; the writer is empty afterwards. */
  take(): Uint8Array {
    this.#byte(93 /* ] */)
    const body = Buffer.from(this.#bytes.subarray(0, this.#length))
    this.clear()
    return body
  }

  clear(): void {
    this.#length = 1
    this.count = 0
    this.#spans.forget()
  }

  #room(n: number): void {
    const need = this.#length + n
    if (need <= this.#bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(need, this.#bytes.length * 2))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  #byte(byte: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = byte
  }

  #put(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #ascii(text: string): void {
    this.#room(text.length)
    const bytes = this.#bytes
    let at = this.#length
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.#length = at
  }

  /** Whole numbers from 0 to 2^53, without the string that JavaScript would make of one first. */
  #number(value: number): void {
    if (!(value >= 0 && value < 2 ** 53)) {
      this.#ascii(String(value))
      return
    }
    // In halves of nine digits: small integers are divided many times faster.
    const high = Math.floor(value / 1e9)
    const low = value - high * 1e9
    if (high > 0) {
      this.#digits(high, digitsOf(high))
      this.#digits(low, 9)
    } else this.#digits(low, digitsOf(low))
  }

  #digits(value: number, count: number): void {
    this.#room(count)
    const bytes = this.#bytes
    const start = this.#length
    let left = value | 0
    let at = start + count
    for (; at - 1 > start; at -= 2) {
      const next = (left / 100) | 0
      const pair = (left - next * 100) * 2
      bytes[at - 2] = TWO_DIGITS[pair]!
      bytes[at - 1] = TWO_DIGITS[pair + 1]!
      left = next
    }
    if (at > start) bytes[start] = 48 + left
    this.#length = start + count
  }

  #quoted(text: string): void {
    // The widest escape of one character is six bytes: \u001f.
    this.#room(text.length * 6 + 2)
    const bytes = this.#bytes
    const start = this.#length
    let at = start
    bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 126) {
        this.#length = start
        this.#quotedWide(text)
        return
      }
      if (code >= 32 && code !== QUOTE && code !== BACKSLASH) bytes[at++] = code
      else {
        bytes[at++] = BACKSLASH
        const short = shortEscape(code)
        if (short !== 0) bytes[at++] = short
        else {
          bytes[at++] = 117 /* u */
          bytes[at++] = 48
          bytes[at++] = 48
          bytes[at++] = HEX_DIGITS.charCodeAt(code >> 4)
          bytes[at++] = HEX_DIGITS.charCodeAt(code & 15)
        }
      }
    }
    bytes[at++] = QUOTE
    this.#length = at
  }

  /** The rare text that is not ASCII. */
  #quotedWide(text: string): void {
    const decoded = this.#encoding === 'latin1' ? textOfWireBytes(text) : text.toWellFormed()
    const json = JSON.stringify(decoded)
    this.#room(json.length * 3)
    this.#length += this.#bytes.write(json, this.#length)
  }
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

function shortEscape(code: number): number {
  if (code === QUOTE || code === BACKSLASH) return code
  if (code === 10) return 110 /* n */
  if (code === 9) return 116 /* t */
  if (code === 13) return 114 /* r */
  if (code === 8) return 98 /* b */
  if (code === 12) return 102 /* f */
  return 0
}

/** JSON with every character beyond ASCII escaped. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
