import type { Clock } from '../clock.ts'
import type { Exchange, RequestHandler } from '../http/exchange.ts'

/**
 * A request on its way through the filters: its body waits here until the router has it. Beyond the listener's buffer limit the
 * client waits, too.
 */
export class HeldRequest implements RequestHandler {
  /** Nobody waits for it any more: the client is gone, or a filter has answered. */
  over = false
  readonly #exchange: Exchange
  readonly #clock: Clock
  #chunks: Buffer[] = []
  #bytes = 0
  #ended = false
  #paused = false

  constructor(exchange: Exchange, clock: Clock) {
    this.#exchange = exchange
    this.#clock = clock
  }

  /** All filters have let it through. */
  release(router: (exchange: Exchange) => void): void {
    const exchange = this.#exchange
    this.over = true
    exchange.handler = undefined
    // The router's clocks begin when the request is complete for the router.
    if (exchange.requestComplete) exchange.requestCompleteAt = this.#clock.now()
    router(exchange)
    // Whoever the router put there, as long as it is there.
    const handler = (): RequestHandler | undefined => exchange.handler
    // One piece, as Envoy has it.
    if (this.#chunks.length > 0) handler()?.onData(Buffer.concat(this.#chunks.splice(0)))
    if (this.#ended) handler()?.onEnd()
    if (this.#paused) exchange.resumeRequest()
  }

  onData(chunk: Buffer): void {
    if (this.over || this.#exchange.responseStarted) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes <= this.#exchange.bufferLimit || this.#paused) return
    this.#paused = true
    this.#exchange.pauseRequest()
  }

  onEnd(): void {
    this.#ended = true
  }

  onDrain(): void {}

  onCancel(): void {
    this.over = true
    this.#chunks = []
  }
}
