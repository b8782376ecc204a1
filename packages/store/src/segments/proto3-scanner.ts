import { decodeProto3 } from '@hopscope/model/formats'
import type { Head } from './head.ts'
import { KnownBytes } from './known-bytes.ts'
import { NOT_ORDINARY } from './scan.ts'
import { WireScanner } from './wire-scanner.ts'
import { HASH_SEED, hashBytes } from './words.ts'

/** Keys of zipkin.proto: number of the field × 8 + wire type. */
const TRACE_ID = 0x0a
const PARENT_ID = 0x12
const ID = 0x1a
const KIND = 0x20
const NAME = 0x2a
const TIMESTAMP = 0x31
const DURATION = 0x38
const LOCAL = 0x42
const REMOTE = 0x4a
const ANNOTATION = 0x52
const TAG = 0x5a
const DEBUG = 0x60
const SHARED = 0x68
const FIRST_TEXT = 0x0a
const SECOND_TEXT = 0x12
const FIRST_FIXED64 = 0x09
/** All fields that come once, by their number. */
const IDS = (1 << (TRACE_ID >> 3)) | (1 << (ID >> 3))

/** Reads `zipkin.proto3.ListOfSpans` as `decodeProto3` of the model does, into columns. */
export class Proto3Scanner extends WireScanner {
  #endpoints = new KnownBytes()
  // The last of each in this body.
  #endpointFrom = new Int32Array(2)
  #endpointLength = new Int32Array(2)
  #endpointEntry = new Int32Array(2)

  constructor(head: Head) {
    super(head)
  }

  override scan(body: Uint8Array, maxSpans?: number): number | undefined {
    this.#endpointLength.fill(0)
    return super.scan(body, maxSpans)
  }

  protected forget(): void {
    this.#endpoints.clear()
  }

  protected readMessage(): void {
    if (this.body[this.at++] !== FIRST_TEXT) throw NOT_ORDINARY
    const end = this.end(this.body.length)
    const { row, head } = this
    row.clear()
    let seen = 0
    let place = 0
    const firstAnnotation = head.annotations.length
    while (this.at < end) {
      const key = this.body[this.at++]!
      if (key === TAG) {
        this.addTag(this.tag(place++, end))
        continue
      }
      if (key === ANNOTATION) {
        this.#annotation(end)
        continue
      }
      if (seen & (1 << (key >> 3))) throw NOT_ORDINARY
      seen |= 1 << (key >> 3)
      switch (key) {
        case TRACE_ID:
          this.traceId(end)
          break
        case PARENT_ID:
          this.parentId(end)
          break
        case ID:
          this.spanId(end)
          break
        case KIND:
          row.kind = this.varint()
          if (row.kind > 4) throw NOT_ORDINARY
          break
        case NAME:
          this.name(end)
          break
        case TIMESTAMP:
          row.timestamp = this.#whole64(end)
          break
        case DURATION:
          row.duration = this.varint()
          break
        case LOCAL:
          row.local = this.#endpoint(0, end)
          break
        case REMOTE:
          row.remote = this.#endpoint(1, end)
          break
        case DEBUG:
          row.isDebug = this.#flag()
          break
        case SHARED:
          row.isShared = this.#flag()
          break
        default:
          throw NOT_ORDINARY
      }
    }
    if (this.at !== end || (seen & IDS) !== IDS) throw NOT_ORDINARY
    head.sortAnnotations(firstAnnotation)
    this.addRow()
  }

  #whole64(limit: number): number {
    this.fixed64(limit)
    if (this.high >= 2 ** 21) throw NOT_ORDINARY
    return this.high * 2 ** 32 + this.low
  }

  #flag(): boolean {
    const byte = this.body[this.at++]
    if (byte !== 0 && byte !== 1) throw NOT_ORDINARY
    return byte === 1
  }

  /** What an endpoint means is asked of the model once. */
  #endpoint(which: 0 | 1, limit: number): number {
    const start = this.at
    if (this.repeats(this.#endpointFrom[which]!, this.#endpointLength[which]!)) {
      this.at += this.#endpointLength[which]!
      return this.#endpointEntry[which]!
    }
    const end = this.end(limit)
    const entry = this.#endpoints.get(this.view, start, end, hashBytes(this.view, start, end, HASH_SEED), () => {
      const { buffer, byteOffset } = this.body
      const message = Buffer.from(buffer, byteOffset + start, end - start)
      const ids = Buffer.from([TRACE_ID, 1, 1, ID, 1, 1, LOCAL])
      const length: number[] = []
      for (let rest = ids.length + message.length; ; rest >>>= 7) {
        length.push(rest > 127 ? (rest & 127) | 128 : rest)
        if (rest <= 127) break
      }
      const [span] = decodeProto3(Buffer.concat([Buffer.from([FIRST_TEXT, ...length]), ids, message]))
      return this.head.endpointEntry(span!.localEndpoint)
    })
    this.at = end
    this.#endpointFrom[which] = start
    this.#endpointLength[which] = end - start
    this.#endpointEntry[which] = entry
    return entry
  }

  #annotation(limit: number): void {
    const end = this.end(limit)
    if (this.body[this.at++] !== FIRST_FIXED64) throw NOT_ORDINARY
    const timestamp = this.#whole64(end)
    if (this.body[this.at++] !== SECOND_TEXT) throw NOT_ORDINARY
    const to = this.end(end)
    // The model leaves out what has no time or no text.
    if (timestamp === 0 || to === this.at || to !== end) throw NOT_ORDINARY
    this.head.annotate(timestamp, this.stringOf(this.at, to))
    this.at = to
  }

  /** A key, and a value unless it is empty. */
  protected readPair(end: number): number {
    if (this.body[this.at++] !== FIRST_TEXT) throw NOT_ORDINARY
    const keyTo = this.end(end)
    const keyFrom = this.at
    // The model leaves out what has no key.
    if (keyFrom === keyTo) throw NOT_ORDINARY
    this.at = keyTo
    if (keyTo === end) return this.pairOf(keyFrom, keyTo, end, end)
    if (this.body[this.at++] !== SECOND_TEXT) throw NOT_ORDINARY
    const valueTo = this.end(end)
    const valueFrom = this.at
    this.at = valueTo
    return this.pairOf(keyFrom, keyTo, valueFrom, valueTo)
  }
}
