import type { ResponseLimits } from '@hopscope/envoy-config'
import type { BytesMeter } from '../bytes-meter.ts'
import { type HeaderMap, ResponseHeaders } from '../headers.ts'
import { INLINE_RESPONSE_HEADERS } from '../inline-headers.ts'
import { BodyDecoder, type BodySink, type Framing } from './body-decoder.ts'
import { FramingFields, findHeadEnd, scanFields } from './scan-fields.ts'

export interface ResponseHead {
  headers: ResponseHeaders
  hasBody: boolean
  /** The connection can take another request after this response. */
  keepAlive: boolean
  /** The upstream said that it closes, by `connection: close` or by an old version. */
  closeAsked: boolean
}

export interface ResponseSink extends BodySink {
  /** 100, 102, 103, 104. Other codes below 200 are not even told of. */
  onInformational(status: number, headers: ResponseHeaders): void
  /** Never a 1xx, but for an unasked 101. */
  onHead(head: ResponseHead): void
  /** The upstream's fault; nothing more follows. */
  onProtocolError(): void
}

/** Envoy's default for responses is the request's limit; some applications send a lot of cookies. */
const MAX_HEAD_BYTES = 256 * 1024

const TOLD: ReadonlySet<number> = new Set([100, 102, 103, 104])

/** HTTP/1 responses from bytes: `expect` says to what request the next one belongs. */
export class ResponseDecoder {
  readonly #sink: ResponseSink
  readonly #body: BodyDecoder
  readonly #maxFields: number
  readonly #maxHeadBytes: number
  #state: 'idle' | 'head' | 'body' | 'done' | 'failed' = 'idle'
  #headRequest = false
  #untilClose = false
  #rest: Buffer | undefined
  #searched = 0
  /** Of the last chunk, handed on as body. */
  #handedOn = 0
  #meter: BytesMeter | undefined

  constructor(sink: ResponseSink, limits: ResponseLimits, keepTrailers = false) {
    this.#sink = sink
    this.#maxFields = limits.headersCount
    this.#maxHeadBytes = limits.headKilobytes === undefined ? MAX_HEAD_BYTES : limits.headKilobytes * 1024
    this.#body = new BodyDecoder(keepTrailers)
  }

  /** A request was sent; `isHead`: its response has no body, whatever it says. What its heads come to is counted by `meter`. */
  expect(isHead: boolean, meter?: BytesMeter): void {
    this.#meter = meter
    this.#state = 'head'
    this.#headRequest = isHead
    this.#untilClose = false
  }

  /** Some bytes of the head are here, not all. */
  get insideHead(): boolean {
    return this.#state === 'head' && this.#rest !== undefined
  }

  /** Of the response that is complete. */
  get trailers(): HeaderMap | undefined {
    return this.#body.trailers
  }

  get insideBody(): boolean {
    return this.#state === 'body'
  }

  /** Bytes of the last chunk that wait or were handed on. */
  get held(): number {
    return this.#handedOn + (this.#rest?.length ?? 0)
  }

  /** False: bytes came that no request asked for. */
  execute(chunk: Buffer): boolean {
    this.#handedOn = 0
    let bytes = chunk
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk])
      this.#rest = undefined
    }
    let at = 0
    while (this.#state === 'head') {
      const end = findHeadEnd(bytes, Math.max(at, this.#searched))
      if ((end === -1 ? bytes.length : end) - at > this.#maxHeadBytes) return this.#fail()
      if (end === -1) {
        if (at < bytes.length) {
          this.#rest = at === 0 ? bytes : bytes.subarray(at)
          if (!couldBeStatusLine(this.#rest)) return this.#fail()
          this.#searched = Math.max(0, this.#rest.length - 3)
        }
        return true
      }
      this.#searched = 0
      const head = this.#parseHead(bytes, at, end)
      if (head === undefined) return this.#fail()
      at = end
      if (head === 'informational') continue
      this.#state = 'body'
      this.#sink.onHead(head)
    }
    if (this.#state === 'body') {
      const outcome = this.#body.execute(bytes, at, this.#bodySink)
      if (typeof outcome !== 'number') return this.#fail()
      at = outcome
    }
    return this.#state === 'failed' || at === bytes.length
  }

  /** The peer has closed. True: that was the end of a body without a length. */
  end(): boolean {
    if (this.#state !== 'body' || !this.#untilClose) return false
    this.#bodySink.onEnd()
    return true
  }

  readonly #bodySink: BodySink = {
    onData: chunk => {
      this.#handedOn += chunk.length
      this.#sink.onData(chunk)
    },
    onEnd: () => {
      this.#state = 'done'
      if (this.#body.trailers !== undefined) this.#meter?.receiveFields(this.#body.trailerBytes)
      this.#sink.onEnd()
    },
  }

  #fail(): true {
    this.#state = 'failed'
    this.#sink.onProtocolError()
    return true
  }

  #parseHead(bytes: Buffer, start: number, end: number): ResponseHead | 'informational' | undefined {
    const fieldsEnd = end - 2
    const lineEnd = bytes.indexOf(10, start)
    // Bare line ends, in the reason too: another parser might see a field there.
    if (bytes[fieldsEnd] !== 13 || bytes.indexOf(13, start) !== lineEnd - 1) return undefined
    const text = bytes.toString('latin1', 0, fieldsEnd)
    const line = parseStatusLine(bytes, start)
    if (line === undefined) return undefined
    const { version, status } = line
    const headers = new ResponseHeaders()
    headers.status = status
    const fields = new FramingFields()
    if (scanFields(bytes, lineEnd + 1, fieldsEnd, text, headers, fields, INLINE_RESPONSE_HEADERS) !== undefined) {
      return undefined
    }
    if (fields.fields > this.#maxFields) return undefined
    this.#meter?.receiveHead(fields.bytes)
    if (status < 200 || status === 204) {
      if (fields.transferEncoding !== undefined) return undefined
      // Envoy looks the other way when the length is zero.
      if (fields.contentLength !== undefined && fields.contentLength !== '0') return undefined
    }
    if (status < 200 && status !== 101) {
      if (TOLD.has(status)) this.#sink.onInformational(status, headers)
      return 'informational'
    }
    const framing = this.#framing(status, fields)
    if (framing === undefined) return undefined
    this.#untilClose = framing.type === 'until-close'
    this.#body.begin(framing)
    const closeAsked =
      version === 11 ? hasToken(fields.connection, 'close') : !hasToken(fields.connection, 'keep-alive')
    const keepAlive = !this.#untilClose && !closeAsked
    const hasBody = framing.type !== 'none' && !(framing.type === 'length' && framing.length === 0)
    return { headers, hasBody, keepAlive, closeAsked }
  }

  #framing(status: number, fields: FramingFields): Framing | undefined {
    const { contentLength, transferEncoding } = fields
    if (transferEncoding !== undefined) {
      if (contentLength !== undefined || transferEncoding.toLowerCase() !== 'chunked') return undefined
    }
    if (this.#headRequest || status === 204 || status === 304 || status === 101) return { type: 'none' }
    if (transferEncoding !== undefined) return { type: 'chunked' }
    if (contentLength !== undefined) return { type: 'length', length: Number(contentLength) }
    return { type: 'until-close' }
  }
}

const VERSION_BEGIN = Buffer.from('HTTP/')

/** `HTTP/1.1 200 …`, inside a head that is complete. Any version but 1.1 is taken for 1.0, as Envoy does. */
function parseStatusLine(bytes: Uint8Array, start: number): { version: 10 | 11; status: number } | undefined {
  for (let i = 0; i < VERSION_BEGIN.length; i++) if (bytes[start + i] !== VERSION_BEGIN[i]) return undefined
  const major = digit(bytes[start + 5]!)
  const minor = digit(bytes[start + 7]!)
  let at = start + 8
  if (major < 0 || minor < 0 || bytes[start + 6] !== 46 /* . */ || !isBlank(bytes[at]!)) return undefined
  while (isBlank(bytes[at]!)) at++
  let status = 0
  for (const end = at + 3; at < end; at++) {
    const value = digit(bytes[at]!)
    if (value < 0) return undefined
    status = status * 10 + value
  }
  const after = bytes[at]!
  if (status < 100 || !(isBlank(after) || after === 13 || after === 10)) return undefined
  return { version: major === 1 && minor === 1 ? 11 : 10, status }
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9
}

/** -1: it is none. */
function digit(c: number): number {
  return c >= 48 && c <= 57 ? c - 48 : -1
}

/** Whether a response may begin so: what is none is refused at its first bytes, not at the end of its head. */
function couldBeStatusLine(bytes: Buffer): boolean {
  const begin = 'HTTP/'
  return begin.startsWith(bytes.toString('latin1', 0, Math.min(begin.length, bytes.length)))
}

/** Whether a comma list (lower case) has `token`. */
export function hasToken(list: string, token: string): boolean {
  if (list === '') return false
  if (list === token) return true
  return list.includes(token) && list.split(',').some(one => one.trim() === token)
}
