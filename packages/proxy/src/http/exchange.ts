import type { CompiledRoute } from '../route/compile-routes.ts'
import type { Mutate } from '../route/header-mutations.ts'
import type { StreamInfo } from '../stream-info.ts'
import type { RequestSpan } from '../tracing/http-tracer.ts'
import type { RequestHeaders, ResponseHeaders } from './headers.ts'

/** What answers a request: the router, told of the body and of the client's fate. */
export interface RequestHandler {
  onData(chunk: Buffer): void
  onEnd(): void
  /** The client takes bytes again. */
  onDrain(): void
  /** The exchange is over from the client's side: gone, timed out, or answered before its request was complete. */
  onCancel(): void
}

/** The downstream side, as an exchange uses it. */
export interface Downstream {
  sendHead(headers: ResponseHeaders, endStream: boolean): void
  /** False: wait for `onDrain`. */
  sendData(chunk: Uint8Array): boolean
  sendEnd(): void
  /** Ends a response that has begun and cannot be completed: closes the connection. */
  abort(): void
  pauseRequest(): void
  resumeRequest(): void
}

/** One request and its response on their way through the filters. */
export class Exchange {
  readonly info: StreamInfo
  readonly headers: RequestHeaders
  readonly #downstream: Downstream
  route: CompiledRoute | undefined
  /** Applied to the response's head; those of the route, or of the weighted cluster once it is chosen. */
  responseMutations: Mutate | undefined
  span: RequestSpan | undefined
  /** `x-envoy-internal: true` */
  internal = false
  /** Set by the terminal filter, within the call that begins the exchange. */
  handler: RequestHandler | undefined
  /** The whole request was received; when. */
  requestComplete = false
  requestCompleteAt = Number.NaN
  responseStarted = false
  /** The connection closes after the response, with delay. */
  mustClose = false

  constructor(info: StreamInfo, headers: RequestHeaders, downstream: Downstream) {
    this.info = info
    this.headers = headers
    this.#downstream = downstream
  }

  sendHead(headers: ResponseHeaders, endStream: boolean): void {
    this.responseStarted = true
    this.#downstream.sendHead(headers, endStream)
  }

  /** False: wait for the handler's `onDrain`. */
  sendData(chunk: Uint8Array): boolean {
    return this.#downstream.sendData(chunk)
  }

  sendEnd(): void {
    this.#downstream.sendEnd()
  }

  abort(): void {
    this.#downstream.abort()
  }

  pauseRequest(): void {
    this.#downstream.pauseRequest()
  }

  resumeRequest(): void {
    this.#downstream.resumeRequest()
  }
}
