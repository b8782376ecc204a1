import type { Exchange } from '../http/exchange.ts'
import type { Attempt } from '../upstream/send.ts'
import type { Plan } from './plan.ts'

/** The body of a request on its way up: held until a connection is there, kept for another try, paused when the upstream is slow. */
export class RequestBody {
  readonly #exchange: Exchange
  readonly #plan: Plan
  /** Bytes for the present attempt and, while `#kept`, for one after it. */
  #chunks: Buffer[] = []
  #buffered = 0
  #kept: boolean
  /** The client waits for the upstream. */
  #backedUp = false

  constructor(exchange: Exchange, plan: Plan) {
    this.#exchange = exchange
    this.#plan = plan
    this.#kept = plan.retry !== undefined || plan.redirects !== undefined
  }

  /** More of it than may be kept is here. */
  get isTooLargeToKeep(): boolean {
    return this.#kept && this.#buffered > this.#plan.bufferLimit
  }

  /** `attempt` undefined: none that takes bytes now. */
  hold(chunk: Buffer, attempt: Attempt | undefined): void {
    if (attempt !== undefined && !this.#kept) return
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
  }

  /** Passes on what was held. */
  pass(chunk: Buffer, attempt: Attempt | undefined): void {
    if (attempt === undefined) {
      // A route may keep more than the listener's limit, and never makes it less.
      if (this.#buffered > Math.max(this.#exchange.bufferLimit, this.#plan.bufferLimit)) this.#pause()
      return
    }
    // No other try and no mirror will want the bytes.
    const spent = !this.#kept && this.#plan.mirrors === undefined
    if (!attempt.write(chunk, spent)) this.#pause()
  }

  /** All that is here, to an attempt that has just got its connection. */
  passAll(attempt: Attempt): void {
    let writable = true
    for (const chunk of this.#chunks) writable = attempt.write(chunk)
    if (!this.#kept) this.drop()
    if (writable) this.resume()
    else this.#pause()
  }

  /** All that has come of it; undefined: it was too large to be kept. */
  get whole(): Buffer | undefined {
    return this.#kept ? Buffer.concat(this.#chunks) : undefined
  }

  /** There will be no other try. */
  keepNoMore(): void {
    this.#kept = false
  }

  drop(): void {
    this.#chunks = []
    this.#buffered = 0
  }

  #pause(): void {
    if (this.#backedUp) return
    this.#backedUp = true
    this.#plan.cluster.stats.upstream_flow_control_backed_up_total.add()
    this.#exchange.pauseRequest()
  }

  resume(): void {
    if (!this.#backedUp) return
    this.#backedUp = false
    this.#plan.cluster.stats.upstream_flow_control_drained_total.add()
    if (this.#plan.mirrors?.areSlow !== true) this.#exchange.resumeRequest()
  }

  /** The copies take bytes again. */
  onMirrorsDrained(): void {
    if (!this.#backedUp) this.#exchange.resumeRequest()
  }
}
