import type { WeightedCluster } from '@hopscope/envoy-config'
import type { CompiledRoute, RouteMutations } from '../route/compile-routes.ts'
import type { Mutate } from '../route/header-mutations.ts'
import type { StreamInfo } from '../stream-info.ts'
import type { RequestSpan } from '../tracing/http-tracer.ts'
import type { HeaderMap, RequestHeaders, ResponseHeaders } from './headers.ts'
import type { RewriteLocalReply } from './local-reply.ts'

/** What answers a request: the router, told of the body and of the client's fate. */
export interface RequestHandler {
  onData(chunk: Buffer): void
  onEnd(): void
  /** The client takes bytes again. */
  onDrain(): void
  /** The exchange is over from the client's side: gone, timed out, or answered before its request was complete. */
  onCancel(): void
}

/** Where a response goes: the client, or a filter on the way there. */
export interface ResponseSink {
  sendHead(headers: ResponseHeaders, endStream: boolean): void
  /** The bytes are given away. False: wait for the handler's `onDrain`. */
  sendData(chunk: Uint8Array): boolean
  sendEnd(): void
}

/** The downstream side, as an exchange uses it. */
export interface Downstream extends ResponseSink {
  /** Bytes of a request or response that may wait in the proxy. */
  readonly bufferLimit: number
  /** A 1xx on the way to the client, which may not want it. */
  sendInformational?(headers: ResponseHeaders): void
  /** Ends a response that has begun and cannot be completed: closes the connection. */
  abort(): void
  pauseRequest(): void
  resumeRequest(): void
  /** Looks for the exchange's route again, with the request as it is now. */
  reroute?(exchange: Exchange): void
  /** Ends the exchange with an answer that the client does not see, and begins another one for the request as it is now. */
  recreate?(exchange: Exchange, answer: ResponseHeaders, body: Buffer): void
  /** A number in [0, 1). */
  random(): number
}

/** What a route led to. */
export interface ChosenCluster {
  name: string
  mutations: RouteMutations
  /** Of `weighted_clusters`. */
  weighted?: WeightedCluster
}

/** What the later redirects of a request have to know of the earlier ones. */
export interface RedirectHistory {
  count: number
  /** The routes that a route's redirects have led to, by name. */
  readonly led: Map<string, Set<string>>
}

/** One request and its response on their way through the filters. */
export class Exchange {
  readonly info: StreamInfo
  readonly headers: RequestHeaders
  readonly #downstream: Downstream
  #sink: ResponseSink
  #draw: number | undefined
  /** Its head said that a body follows. */
  readonly hasBody: boolean
  route: CompiledRoute | undefined
  /** Undefined: not drawn yet, or the route leads to none. */
  cluster: ChosenCluster | undefined
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
  /** Said after the bodies, where the codecs of both sides take them. */
  requestTrailers: HeaderMap | undefined
  responseTrailers: HeaderMap | undefined
  /** What becomes of answers that are made here. */
  localReply: RewriteLocalReply | undefined
  /** Of the filters: an answer begins. */
  beforeResponse: (() => void) | undefined
  /** Of the filters that took part: the exchange is over. */
  onDestroy: (() => void) | undefined
  /** Of the requests that were redirected to this one; undefined: there were none. */
  redirects: RedirectHistory | undefined

  constructor(info: StreamInfo, headers: RequestHeaders, downstream: Downstream, hasBody: boolean) {
    this.info = info
    this.headers = headers
    this.#downstream = downstream
    this.#sink = downstream
    this.hasBody = hasBody
  }

  /** The request's own random number, the same for every percentage that it is held against: a whole one, from 0. */
  draw(): number {
    this.#draw ??= Math.floor(this.#downstream.random() * 2 ** 32)
    return this.#draw
  }

  /** The connection that it came by: the same object for all its requests. */
  get connection(): object {
    return this.#downstream
  }

  get bufferLimit(): number {
    return this.#downstream.bufferLimit
  }

  /** Puts `encode` first on the response's way to the client, before what was put there earlier. */
  encodeThrough(encode: (sink: ResponseSink) => ResponseSink): void {
    this.#sink = encode(this.#sink)
  }

  /** After a change of what routes match: from here on the request goes by the route that it leads to now. */
  reroute(): void {
    this.#downstream.reroute?.(this)
  }

  recreate(answer: ResponseHeaders, body: Buffer): void {
    this.#downstream.recreate?.(this, answer, body)
  }

  sendInformational(headers: ResponseHeaders): void {
    this.#downstream.sendInformational?.(headers)
  }

  sendHead(headers: ResponseHeaders, endStream: boolean): void {
    if (!this.responseStarted) this.beforeResponse?.()
    this.responseStarted = true
    this.#sink.sendHead(headers, endStream)
  }

  /** False: wait for the handler's `onDrain`. */
  sendData(chunk: Uint8Array): boolean {
    return this.#sink.sendData(chunk)
  }

  sendEnd(): void {
    this.#sink.sendEnd()
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
