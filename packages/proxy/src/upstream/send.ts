import type { Clock } from '../clock.ts'
import type { Host, RoutingPriority } from '../cluster/host.ts'
import { CHUNK_END, chunkHeader, LAST_CHUNK, lastChunk } from '../http/codec/chunk.ts'
import { encodeRequestHead } from '../http/codec/encode-request.ts'
import type { ResponseHead } from '../http/codec/response-decoder.ts'
import type { HeaderMap, RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { Instant } from '../stream-info.ts'
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
  /** Whether logs and spans say where it went. */
  hostKnown = true
  ready = false
  done = false
  status = 0
  /** Of the response, as the upstream sent it or as it went on. */
  responseHeaders: ResponseHeaders | undefined
  localAddress = ''
  firstTxByte: Instant = Number.NaN
  lastTxByte: Instant = Number.NaN
  firstRxByte: Instant = Number.NaN
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

  constructor(
    host: Host,
    number: number,
    request: {
      headers: RequestHeaders
      hasBody: boolean
      priority?: RoutingPriority
      /** Asked when the body has ended. */
      trailers?: () => HeaderMap | undefined
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
    this.#clock = clock
    this.#owner = owner
  }

  start(): void {
    this.host.pool(this.#priority).newRequest(this)
  }

  /** False: wait for `onDrain`. `spent`: as of `Transport.write`. */
  write(chunk: Uint8Array, spent = false): boolean {
    const connection = this.#connection!
    this.lastTxByte = this.#clock.now()
    if (!this.#chunked) return connection.write(chunk, spent)
    if (chunk.length === 0) return true
    connection.write(chunkHeader(chunk.length))
    connection.write(chunk, spent)
    return connection.write(CHUNK_END)
  }

  end(): void {
    if (this.#chunked) {
      const connection = this.#connection!
      connection.write(connection.takesTrailers ? lastChunk(this.#trailers?.()) : LAST_CHUNK)
    }
    this.lastTxByte = this.#clock.now()
    this.#connection!.endRequest()
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
    const head = encodeRequestHead(this.#headers, this.#hasBody)
    this.#chunked = head.chunked
    connection.send(head.bytes, this.#headers.method === 'HEAD', this)
    if (!this.#hasBody) {
      this.lastTxByte = this.firstTxByte
      connection.endRequest()
    }
    this.#owner.onAttemptReady(this)
  }

  onPoolFailure(reason: ResetReason, transportFailure: string, hostKnown: boolean): void {
    this.hostKnown = hostKnown
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
    if (!this.done) this.#owner.onResponseData(this, chunk)
  }

  onEnd(): void {
    if (this.done) return
    this.done = true
    this.responseTrailers = this.#connection?.responseTrailers
    this.lastRxByte = this.#clock.now()
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
