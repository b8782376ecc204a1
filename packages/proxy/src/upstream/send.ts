import type { Milliseconds } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import type { Host, RoutingPriority } from '../cluster/host.ts'
import { BytesMeter } from '../http/bytes-meter.ts'
import { CHUNK_END, chunkHeader, LAST_CHUNK, lastChunk } from '../http/codec/chunk.ts'
import { encodeRequestHead } from '../http/codec/encode-request.ts'
import { properCase } from '../http/codec/encode-response.ts'
import type { ResponseHead } from '../http/codec/response-decoder.ts'
import type { HeaderMap, RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { Instant, UpstreamConnectionFacts } from '../stream-info.ts'
import type { AttemptSpan } from '../tracing/http-tracer.ts'
import type { ResponseHandler, UpstreamConnection } from './connection.ts'
import type { Requester } from './pool.ts'
import type { ResetReason } from './reset-reason.ts'

/** Who waits for what becomes of an attempt. Exactly one of `onResponseEnd` and `onAttemptReset` comes last. */
export interface AttemptOwner {
  /** The connection is there, the head is written: the body may follow. */
  onAttemptReady(attempt: Attempt): void
  /** A 1xx. */
  onInformational(status: number, headers: ResponseHeaders): void
  onResponseHead(attempt: Attempt, head: ResponseHead): void
  onResponseData(attempt: Attempt, chunk: Buffer): void
  onResponseEnd(attempt: Attempt): void
  onAttemptReset(attempt: Attempt, reason: ResetReason, transportFailure: string): void
  onUpstreamDrain(attempt: Attempt): void
}

/** One try of a request at one host: waits for a connection, sends, hands the response on. */
export class Attempt implements Requester, ResponseHandler {
  readonly host: Host
  /** 1 for the first. */
  readonly number: number
  /** Of whoever began one for it, and ends it. */
  span: AttemptSpan | undefined
  /** Whether logs and spans say where it went. */
  hostKnown = true
  ready = false
  done = false
  status = 0
  /** Of the response, as the upstream sent it or as it went on. */
  responseHeaders: ResponseHeaders | undefined
  localAddress = ''
  /** How long it waited for its connection, or to hear that there is none; NaN: it still does, or gave up. */
  poolWait: Milliseconds = Number.NaN
  readonly bytes: BytesMeter
  firstTxByte: Instant = Number.NaN
  lastTxByte: Instant = Number.NaN
  firstRxByte: Instant = Number.NaN
  firstRxBodyByte: Instant = Number.NaN
  lastRxByte: Instant = Number.NaN
  readonly #owner: AttemptOwner
  readonly #clock: Clock
  readonly #headers: RequestHeaders
  readonly #hasBody: boolean
  readonly #trailers: (() => HeaderMap | undefined) | undefined
  responseTrailers: HeaderMap | undefined
  readonly #priority: RoutingPriority
  #connection: UpstreamConnection | undefined
  #chunked = false
  #waitingSince: Instant = Number.NaN

  constructor(
    host: Host,
    number: number,
    request: {
      headers: RequestHeaders
      hasBody: boolean
      priority?: RoutingPriority
      /** Asked when the body has ended. */
      trailers?: () => HeaderMap | undefined
      /** Counts over several attempts. */
      bytes?: BytesMeter
    },
    clock: Clock,
    owner: AttemptOwner,
  ) {
    this.host = host
    this.number = number
    this.#headers = request.headers
    this.#hasBody = request.hasBody
    this.#trailers = request.trailers
    this.#priority = request.priority ?? 'default'
    this.bytes = request.bytes ?? new BytesMeter()
    this.#clock = clock
    this.#owner = owner
  }

  start(): void {
    this.host.pool(this.#priority).newRequest(this)
    if (!this.ready && !this.done) this.#waitingSince = this.#clock.now()
  }

  /** False: wait for `onDrain`. `spent`: as of `Transport.write`. */
  write(chunk: Uint8Array, spent = false): boolean {
    const connection = this.#connection!
    this.lastTxByte = this.#clock.now()
    this.bytes.wireSent += chunk.length
    if (!this.#chunked) return connection.write(chunk, spent)
    if (chunk.length === 0) return true
    const header = chunkHeader(chunk.length)
    this.bytes.wireSent += header.length + CHUNK_END.length
    connection.write(header)
    connection.write(chunk, spent)
    return connection.write(CHUNK_END)
  }

  end(): void {
    if (this.#chunked) {
      const connection = this.#connection!
      const spell = connection.requestStyle.properCaseHeaders ? properCase : undefined
      const last = connection.takesTrailers ? lastChunk(this.#trailers?.(), spell) : LAST_CHUNK
      this.bytes.wireSent += last.length
      this.bytes.headerSent += last.length - LAST_CHUNK.length
      connection.write(last)
    }
    this.lastTxByte = this.#clock.now()
    this.#connection!.endRequest()
  }

  /** Once there is one. */
  get connection(): UpstreamConnectionFacts | undefined {
    return this.#connection
  }

  #endWait(now: Instant): void {
    this.poolWait = Number.isNaN(this.#waitingSince) ? 0 : now - this.#waitingSince
  }

  pauseReading(): void {
    this.#connection?.pauseReading()
  }

  resumeReading(): void {
    this.#connection?.resumeReading()
  }

  /** No more of it: nothing is heard from it after this. */
  cancel(): void {
    if (this.done) return
    this.done = true
    if (this.#connection === undefined) this.host.pool(this.#priority).cancel(this)
    else this.#connection.abort()
  }

  /** The response is complete, the request is not and never will be. */
  abandon(): void {
    this.#connection?.abort()
  }

  onReady(connection: UpstreamConnection): void {
    this.#connection = connection
    this.localAddress = connection.localAddress
    this.ready = true
    this.firstTxByte = this.#clock.now()
    this.#endWait(this.firstTxByte)
    const head = encodeRequestHead(this.#headers, this.#hasBody, connection.requestStyle)
    this.#chunked = head.chunked
    this.bytes.wireSent += head.bytes.length
    this.bytes.headerSent += head.fieldBytes
    connection.send(head.bytes, this.#headers.method === 'HEAD', this)
    if (!this.#hasBody) {
      this.lastTxByte = this.firstTxByte
      connection.endRequest()
    }
    this.#owner.onAttemptReady(this)
  }

  onPoolFailure(reason: ResetReason, transportFailure: string, hostKnown: boolean): void {
    this.hostKnown = hostKnown
    this.#endWait(this.#clock.now())
    this.onReset(reason, transportFailure)
  }

  onInformational(status: number, headers: ResponseHeaders): void {
    if (!this.done) this.#owner.onInformational(status, headers)
  }

  onHead(head: ResponseHead): void {
    if (this.done) return
    this.firstRxByte = this.#clock.now()
    this.status = head.headers.status
    this.responseHeaders = head.headers
    this.#owner.onResponseHead(this, head)
  }

  onData(chunk: Buffer): void {
    if (this.done) return
    if (Number.isNaN(this.firstRxBodyByte)) this.firstRxBodyByte = this.#clock.now()
    this.#owner.onResponseData(this, chunk)
  }

  onEnd(at: Instant): void {
    if (this.done) return
    this.done = true
    this.responseTrailers = this.#connection?.responseTrailers
    this.lastRxByte = at
    this.#owner.onResponseEnd(this)
  }

  onReset(reason: ResetReason, transportFailure: string): void {
    if (this.done) return
    this.done = true
    this.#owner.onAttemptReset(this, reason, transportFailure)
  }

  onDrain(): void {
    if (!this.done) this.#owner.onUpstreamDrain(this)
  }
}
