import { HeaderMap } from '../headers.ts'
import { CODEC_ERROR, type CodecError } from './codec-error.ts'
import { FramingFields, isTokenByte, scanFields } from './scan-fields.ts'

export type Framing =
  | { type: 'none' }
  | { type: 'length'; length: number }
  | { type: 'chunked' }
  | { type: 'until-close' }

export interface BodySink {
  onData(chunk: Buffer): void
  onEnd(): void
}

/** Most bytes of a chunk-size line, extensions included. Envoy allows more; no client needs it. */
const MAX_SIZE_LINE = 4096
const MAX_TRAILERS = 64 * 1024

/** Repeated trailers stay several lines. */
const JOINED: ReadonlySet<string> = new Set()

const SIZE = 0
const EXTENSION = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const TRAILER_START = 6
const TRAILER = 7
const TRAILER_LF = 8
const END_LF = 9
const TRAILER_NAME = 10

/** Takes a body apart, whichever way it is framed. Trailers are read, and dropped unless they are to be kept. */
export class BodyDecoder {
  #framing: Framing['type'] = 'none'
  /** Bytes of the body, or of the present chunk, still to come. */
  #left = 0
  #state = SIZE
  #digits = 0
  #lineLength = 0
  readonly #keepTrailers: boolean
  /** Of the present trailers, lines with their ends. */
  #trailerBytes: number[] = []
  /** Of the body that has ended; undefined: it had none, or they are not kept. */
  trailers: HeaderMap | undefined
  /** Of their fields, as `FramingFields`. */
  trailerBytes = 0

  constructor(keepTrailers = false) {
    this.#keepTrailers = keepTrailers
  }

  begin(framing: Framing): void {
    this.#framing = framing.type
    this.#left = framing.type === 'length' ? framing.length : 0
    this.#state = SIZE
    this.#digits = 0
    this.#lineLength = 0
    this.trailers = undefined
    this.#trailerBytes = []
  }

  /**
   * Reads from `start` and says how far it came: less than the length of `bytes` only after `onEnd`.
   */
  execute(bytes: Buffer, start: number, sink: BodySink): number | CodecError {
    switch (this.#framing) {
      case 'none':
        sink.onEnd()
        return start
      case 'until-close':
        if (start < bytes.length) sink.onData(start === 0 ? bytes : bytes.subarray(start))
        return bytes.length
      case 'length': {
        const end = Math.min(bytes.length, start + this.#left)
        if (end > start) {
          this.#left -= end - start
          sink.onData(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
        }
        if (this.#left === 0) sink.onEnd()
        return end
      }
      case 'chunked':
        return this.#executeChunked(bytes, start, sink)
    }
  }

  /** The data of all chunks in `bytes` is one piece, as Envoy's codec hands it on; none of it when a chunk after it is bad. */
  #executeChunked(bytes: Buffer, start: number, sink: BodySink): number | CodecError {
    const pieces: Buffer[] = []
    const deliver = () => {
      if (pieces.length > 0) sink.onData(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
    }
    let at = start
    while (at < bytes.length) {
      if (this.#state === DATA) {
        const end = Math.min(bytes.length, at + this.#left)
        this.#left -= end - at
        pieces.push(bytes.subarray(at, end))
        at = end
        if (this.#left === 0) this.#state = DATA_CR
        continue
      }
      const c = bytes[at++]!
      switch (this.#state) {
        case SIZE: {
          const digit = hexDigit(c)
          if (digit >= 0) {
            if (++this.#digits > 12) return CODEC_ERROR
            this.#left = this.#left * 16 + digit
          } else if (this.#digits === 0) return CODEC_ERROR
          else if (c === 13) this.#state = SIZE_LF
          else if (c === 59 /* ; */ || c === 32 || c === 9) this.#state = EXTENSION
          else return CODEC_ERROR
          break
        }
        case EXTENSION:
          if (c === 13) this.#state = SIZE_LF
          else if ((c < 32 && c !== 9) || c === 127 || ++this.#lineLength > MAX_SIZE_LINE) return CODEC_ERROR
          break
        case SIZE_LF:
          if (c !== 10) return CODEC_ERROR
          this.#lineLength = 0
          this.#digits = 0
          this.#state = this.#left === 0 ? TRAILER_START : DATA
          break
        case DATA_CR:
          if (c !== 13) return CODEC_ERROR
          this.#state = DATA_LF
          break
        case DATA_LF:
          if (c !== 10) return CODEC_ERROR
          this.#state = SIZE
          break
        case TRAILER_START:
          if (c === 13) this.#state = END_LF
          // Kept ones are looked at as a whole, once the body has been handed on.
          else if (this.#keepTrailers && c > 32 && c !== 127) this.#state = TRAILER
          else if (!isTokenByte(c)) return CODEC_ERROR
          else this.#state = TRAILER_NAME
          if (this.#keepTrailers && c !== 13) this.#trailerBytes.push(c)
          break
        case TRAILER_NAME:
          if (c === 58 /* : */) this.#state = TRAILER
          else if (!isTokenByte(c) || ++this.#lineLength > MAX_TRAILERS) return CODEC_ERROR
          break
        case TRAILER:
          if (c === 13) this.#state = TRAILER_LF
          else if ((!this.#keepTrailers && c < 32 && c !== 9) || ++this.#lineLength > MAX_TRAILERS) return CODEC_ERROR
          if (this.#keepTrailers && c !== 13) this.#trailerBytes.push(c)
          break
        case TRAILER_LF:
          if (c !== 10) return CODEC_ERROR
          if (this.#keepTrailers) this.#trailerBytes.push(13, 10)
          this.#state = TRAILER_START
          break
        case END_LF:
          if (c !== 10) return CODEC_ERROR
          deliver()
          if (this.#trailerBytes.length > 0) {
            const error = this.#parseTrailers()
            if (error !== undefined) return error
          }
          sink.onEnd()
          return at
      }
    }
    deliver()
    return at
  }

  #parseTrailers(): CodecError | undefined {
    const bytes = Buffer.from(this.#trailerBytes)
    const trailers = new HeaderMap()
    const framing = new FramingFields()
    const error = scanFields(bytes, 0, bytes.length, bytes.toString('latin1'), trailers, framing, JOINED)
    this.trailers = trailers
    this.trailerBytes = framing.bytes
    return error
  }
}

function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48
  const lower = c | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
