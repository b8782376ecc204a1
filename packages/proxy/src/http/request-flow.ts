import type { Transport } from '../transport/transport.ts'
import type { HttpStats } from './http-stats.ts'

/** Whether a client is read from: two reasons not to, and it goes on when neither is left. */
export class RequestFlow {
  readonly #transport: Transport
  readonly #stats: HttpStats
  /** Flow control: the upstream does not take more. */
  #paused = false
  #holding = false

  constructor(transport: Transport, stats: HttpStats) {
    this.#transport = transport
    this.#stats = stats
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#stats.downstream_flow_control_paused_reading_total.add()
    this.#transport.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#stats.downstream_flow_control_resumed_reading_total.add()
    if (!this.#holding) this.#transport.resume()
  }

  /** A client that sends ahead waits: what it sends is not kept without bound. */
  hold(holding: boolean): void {
    if (this.#holding === holding) return
    this.#holding = holding
    if (holding) this.#transport.pause()
    else if (!this.#paused) this.#transport.resume()
  }
}
