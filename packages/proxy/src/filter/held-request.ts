import type { Clock } from '../clock.ts'
import type { Exchange, RequestHandler } from '../http/exchange.ts'

/** A filter that stands before the router once the request is let through: it hands the body on. */
export interface DecodesBody {
  decodeBody?(handler: RequestHandler): RequestHandler
}

/**
 * A request on its way through the filters: its body waits here until the router has it. Beyond the listener's buffer limit the
 * client waits, too.
 */
export class HeldRequest implements RequestHandler {
  /** Nobody waits for it any more: the client is gone, or a filter has answered. */
  over = false
  /** Bytes of the body that are here. */
  bytes = 0
  /** All of it is. */
  ended: boolean
  /** Bytes that may wait here before the client has to. */
  limit: number
  readonly #exchange: Exchange
  readonly #clock: Clock
  #chunks: Buffer[] = []
  #paused = false
  #watcher: (() => void) | undefined

  constructor(exchange: Exchange, clock: Clock) {
    this.#exchange = exchange
    this.#clock = clock
    this.limit = exchange.bufferLimit
    this.ended = !exchange.hasBody
  }

  /** Calls `watcher` now and whenever more of the body is here, until it answers true: it has what it waited for. */
  watch(watcher: () => boolean): void {
    if (watcher()) return
    this.#watcher = () => {
      if (watcher()) this.#watcher = undefined
    }
  }

  /** What is here of the body. */
  body(): Buffer {
    const body = Buffer.concat(this.#chunks)
    this.#chunks = [body]
    return body
  }

  /** All filters have let it through; those that change the body stand before the router now, the last of them nearest to it. */
  release(router: (exchange: Exchange) => void, filters: readonly DecodesBody[]): void {
    const exchange = this.#exchange
    this.over = true
    exchange.handler = undefined
    // The router's clocks begin when the request is complete for the router.
    if (exchange.requestComplete) exchange.requestCompleteAt = this.#clock.now()
    router(exchange)
    for (let i = filters.length - 1; i >= 0; i--) {
      if (exchange.handler === undefined) break
      exchange.handler = filters[i]!.decodeBody?.(exchange.handler) ?? exchange.handler
    }
    // Asked each time: the handler may go while it is called.
    const handler = (): RequestHandler | undefined => exchange.handler
    // One piece, as Envoy has it.
    if (this.bytes > 0) handler()?.onData(this.body())
    if (exchange.hasBody && this.ended) handler()?.onEnd()
    if (this.#paused) exchange.resumeRequest()
  }

  onData(chunk: Buffer): void {
    if (this.over || this.#exchange.responseStarted) return
    this.#chunks.push(chunk)
    this.bytes += chunk.length
    this.#watcher?.()
    if (this.over || this.bytes <= this.limit || this.#paused) return
    this.#paused = true
    this.#exchange.pauseRequest()
  }

  onEnd(): void {
    this.ended = true
    this.#watcher?.()
  }

  onDrain(): void {}

  onCancel(): void {
    this.over = true
    this.#watcher = undefined
    this.#chunks = []
  }
}
