import { type HeaderMap, RequestHeaders } from '../headers.ts'
import { INLINE_REQUEST_HEADERS } from '../inline-headers.ts'
import { BodyDecoder, type BodySink, type Framing } from './body-decoder.ts'
import {
  BODY_DISALLOWED,
  CODEC_ERROR,
  type CodecError,
  HEADERS_TOO_LARGE,
  INVALID_CHARACTERS,
  INVALID_TRANSFER_ENCODING,
  LENGTH_AND_CHUNKED,
  LOW_VERSION,
  TOO_MANY_HEADERS,
  UNEXPECTED_UNDERSCORE,
} from './codec-error.ts'
import { resolveTarget, type TargetRules } from './request-target.ts'
import { FramingFields, findHeadEnd, isTokenByte, scanFields } from './scan-fields.ts'

export interface RequestHead {
  headers: RequestHeaders
  /** The host is named, by its field or in the target. */
  hasHost: boolean
  version: 10 | 11
  /** Lower case, all Connection fields. */
  connection: string
  hasBody: boolean
}

export interface RequestSink extends BodySink {
  onHead(head: RequestHead): void
  onError(error: CodecError): void
}

export interface RequestLimits extends TargetRules {
  maxHeadBytes: number
  maxFields: number
  acceptHttp10: boolean
  keepTrailers?: boolean
  /** Of HTTP/1.0 requests without Host. */
  defaultHostForHttp10?: string
  /** Of a Transfer-Encoding and a Content-Length the first counts, and the other goes. */
  allowChunkedLength?: boolean
  headersWithUnderscores?: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER'
}

const METHODS: ReadonlySet<string> = new Set(
  (
    'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH M-SEARCH NOTIFY OPTIONS ' +
    'PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE'
  ).split(' '),
)

/**
 * HTTP/1 requests from bytes: one at a time; the next is not looked at before `next` is called. Verdicts are Envoy's
 * (RESPONSE_CODE_DETAILS `http1.*`), framing that two parsers could read differently is always refused.
 */
export class RequestDecoder {
  readonly #limits: RequestLimits
  readonly #sink: RequestSink
  readonly #body: BodyDecoder
  #state: 'head' | 'body' | 'done' | 'failed' = 'head'
  /** Bytes that wait: an incomplete head, or what came after the request. */
  #rest: Buffer | undefined
  /** The part of `#rest` known to hold no end of a head. */
  #searched = 0
  /** Of the fields of the last head, as `FramingFields`; 0: they could not be read. */
  fieldBytes = 0
  /** Of the last chunk, handed on as body. */
  #handedOn = 0

  constructor(limits: RequestLimits, sink: RequestSink) {
    this.#limits = limits
    this.#body = new BodyDecoder(limits.keepTrailers)
    this.#sink = sink
  }

  /** Bytes of a request that has begun and whose head is not complete. */
  get insideHead(): boolean {
    return this.#state === 'head' && this.#rest !== undefined
  }

  /** The request is complete; `next` has not been called. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  /** Of the request that is complete. */
  get trailers(): HeaderMap | undefined {
    return this.#body.trailers
  }

  /** Bytes of its fields, as `FramingFields`. */
  get trailerBytes(): number {
    return this.#body.trailerBytes
  }

  /** Bytes of a later request are here. */
  get hasNext(): boolean {
    return this.#state === 'done' && this.#rest !== undefined
  }

  /** Bytes that are here and have not been looked at. */
  get waiting(): number {
    return this.#rest?.length ?? 0
  }

  /** Bytes of the last chunk that wait or were handed on. */
  get held(): number {
    return this.#handedOn + this.waiting
  }

  execute(chunk: Buffer): void {
    this.#handedOn = 0
    let bytes = chunk
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk])
      this.#rest = undefined
    }
    this.#run(bytes)
  }

  /** The response is done: on to the next request, of which bytes may be here already. */
  next(): void {
    if (this.#state !== 'done') return
    this.#state = 'head'
    const rest = this.#rest
    this.#rest = undefined
    if (rest !== undefined) this.#run(rest)
  }

  #run(bytes: Buffer): void {
    let at = 0
    if (this.#state === 'head') {
      this.fieldBytes = 0
      // Blank lines before a request are skipped (RFC 9112 §2.2).
      while (at < bytes.length && (bytes[at] === 13 || bytes[at] === 10)) at++
      if (at === bytes.length) return
      if (!isTokenByte(bytes[at]!)) {
        this.#fail(CODEC_ERROR)
        return
      }
      const end = findHeadEnd(bytes, Math.max(at, this.#searched))
      const size = (end === -1 ? bytes.length : end) - at
      if (size > this.#limits.maxHeadBytes) {
        this.#fail(HEADERS_TOO_LARGE)
        return
      }
      if (end === -1) {
        this.#rest = at === 0 ? bytes : bytes.subarray(at)
        // An end may be in three bytes, the last of which are still to come.
        this.#searched = Math.max(0, this.#rest.length - 3)
        return
      }
      this.#searched = 0
      const head = this.#parseHead(bytes, at, end)
      if ('status' in head) {
        this.#fail(head)
        return
      }
      at = end
      this.#state = 'body'
      this.#sink.onHead(head)
    }
    if (this.#state === 'body') {
      const outcome = this.#body.execute(bytes, at, this.#bodySink)
      if (typeof outcome !== 'number') {
        this.#fail(outcome)
        return
      }
      at = outcome
    }
    if (this.#state === 'done' && at < bytes.length) {
      this.#rest = bytes.subarray(at)
      this.#searched = 0
    }
  }

  readonly #bodySink: BodySink = {
    onData: chunk => {
      this.#handedOn += chunk.length
      this.#sink.onData(chunk)
    },
    onEnd: () => {
      this.#state = 'done'
      this.#sink.onEnd()
    },
  }

  #fail(error: CodecError): void {
    this.#state = 'failed'
    this.#sink.onError(error)
  }

  #parseHead(bytes: Buffer, start: number, end: number): RequestHead | CodecError {
    const fieldsEnd = end - 2
    const fieldsStart = bytes.indexOf(10, start) + 1
    const lineEnd = fieldsStart - 2
    if (bytes[fieldsEnd] !== 13 || bytes[lineEnd] !== 13) return CODEC_ERROR
    const text = bytes.toString('latin1', 0, fieldsEnd)
    const headers = new RequestHeaders()
    const line = parseRequestLine(bytes, text, start, lineEnd, headers)
    if (typeof line !== 'number') return line

    const framing = new FramingFields()
    const error = scanFields(bytes, fieldsStart, fieldsEnd, text, headers, framing, INLINE_REQUEST_HEADERS)
    if (error !== undefined) return error
    this.fieldBytes = framing.bytes
    // Two hosts are two answers to where the request goes. (Envoy joins them with a comma.)
    if (framing.hosts > 1) return CODEC_ERROR
    if (framing.fields > this.#limits.maxFields) return TOO_MANY_HEADERS
    if (line !== 11 && !(line === 10 && this.#limits.acceptHttp10)) return LOW_VERSION

    const { headersWithUnderscores = 'ALLOW', allowChunkedLength, defaultHostForHttp10 = '' } = this.#limits
    if (headersWithUnderscores !== 'ALLOW') {
      const named = headers.removeWhere(name => name.includes('_'))
      if (named && headersWithUnderscores === 'REJECT_REQUEST') return UNEXPECTED_UNDERSCORE
    }
    if (allowChunkedLength && framing.transferEncoding?.toLowerCase() === 'chunked') {
      framing.contentLength = undefined
      headers.remove('content-length')
    }
    const body = requestFraming(framing, line)
    if ('status' in body) return body
    // Its tunnel would be the body.
    if (headers.method === 'CONNECT') {
      if (body.type === 'chunked') return INVALID_TRANSFER_ENCODING
      if (body.type === 'length' && body.length > 0) return BODY_DISALLOWED
    }
    this.#body.begin(body)
    if (line === 10 && defaultHostForHttp10 !== '' && !headers.has('host')) headers.append('host', defaultHostForHttp10)
    const target = resolveTarget(headers, this.#limits)
    if (typeof target !== 'boolean') return target
    return {
      headers,
      hasHost: target,
      version: line,
      connection: framing.connection,
      hasBody: body.type === 'chunked' || (body.type === 'length' && body.length > 0),
    }
  }
}

/** Method and target go into `headers`; the version as a number, 0 for none. */
function parseRequestLine(
  bytes: Buffer,
  text: string,
  start: number,
  end: number,
  headers: RequestHeaders,
): number | CodecError {
  let at = start
  while (at < end && isTokenByte(bytes[at]!)) at++
  // What nearly every request has, without a string and a look into the set.
  const isGet = at === start + 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84
  headers.method = isGet ? 'GET' : text.slice(start, at)
  if (!(isGet || METHODS.has(headers.method)) || (bytes[at] !== 32 && bytes[at] !== 9)) return CODEC_ERROR
  while (bytes[at] === 32 || bytes[at] === 9) at++
  const targetStart = at
  while (at < end && bytes[at]! > 32 && bytes[at]! < 127) at++
  headers.path = text.slice(targetStart, at)
  if (at === targetStart) return CODEC_ERROR
  if (at === end) return 0
  if (bytes[at] !== 32 && bytes[at] !== 9) return bytes[at]! < 127 ? INVALID_CHARACTERS : CODEC_ERROR
  while (bytes[at] === 32 || bytes[at] === 9) at++
  const version =
    end - at === 8 && text.startsWith('HTTP/1.1', at) ? 'HTTP/1.1' : text.slice(at, end).replace(/[ \t]+$/, '')
  if (version === 'HTTP/1.1') return 11
  if (version.length !== 8 || !version.startsWith('HTTP/') || version[6] !== '.') return CODEC_ERROR
  const major = version.charCodeAt(5) - 48
  const minor = version.charCodeAt(7) - 48
  if (major < 0 || major > 9 || minor < 0 || minor > 9) return CODEC_ERROR
  return major * 10 + minor
}

function requestFraming(fields: FramingFields, version: number): Framing | CodecError {
  if (fields.transferEncoding !== undefined) {
    if (fields.contentLength !== undefined) return LENGTH_AND_CHUNKED
    if (fields.transferEncoding.toLowerCase() !== 'chunked') return INVALID_TRANSFER_ENCODING
    // A 1.0 peer cannot have meant what a 1.1 one reads there (RFC 9112 §6.1).
    return version === 10 ? CODEC_ERROR : { type: 'chunked' }
  }
  if (fields.contentLength !== undefined) return { type: 'length', length: Number(fields.contentLength) }
  return { type: 'none' }
}
