import type { Milliseconds } from '@hopscope/envoy-config'
import type { Timer, Timers } from '../timers.ts'

/** Milliseconds; 0: no limit. */
export interface TryLimits {
  perTryTimeout: Milliseconds
  perTryIdleTimeout: Milliseconds
  maxStreamDuration: Milliseconds
}

export interface TryLimitOwner {
  onPerTryTimeout(): void
  onTryIdle(): void
  onStreamDuration(): void
}

/** How long one try of a request may take: for its answer, between its bytes, in all. */
export class TryTimers {
  readonly #limits: TryLimits
  readonly #answer: Timer
  readonly #idle: Timer
  readonly #duration: Timer

  constructor(limits: TryLimits, timers: Timers, owner: TryLimitOwner) {
    this.#limits = limits
    this.#answer = timers.create(() => owner.onPerTryTimeout())
    this.#idle = timers.create(() => owner.onTryIdle())
    this.#duration = timers.create(() => owner.onStreamDuration())
  }

  /** Undefined where nothing is limited. */
  static create(limits: TryLimits, timers: Timers, owner: TryLimitOwner): TryTimers | undefined {
    const { perTryTimeout, perTryIdleTimeout, maxStreamDuration } = limits
    if (perTryTimeout === 0 && perTryIdleTimeout === 0 && maxStreamDuration === 0) return undefined
    return new TryTimers(limits, timers, owner)
  }

  onConnected(): void {
    if (this.#limits.maxStreamDuration > 0) this.#duration.start(this.#limits.maxStreamDuration)
  }

  /** The upstream has all of the request, and a connection. */
  onRequestSent(): void {
    const { perTryTimeout, perTryIdleTimeout } = this.#limits
    if (perTryIdleTimeout > 0) this.#idle.start(perTryIdleTimeout)
    if (perTryTimeout > 0) this.#answer.start(perTryTimeout)
  }

  /** The response has begun. */
  onAnswer(): void {
    this.#answer.stop()
  }

  /** Bytes of the response. */
  onBytes(): void {
    if (this.#idle.running) this.#idle.start(this.#limits.perTryIdleTimeout)
  }

  /** The try has failed. */
  onFailure(): void {
    this.#answer.stop()
    this.#idle.stop()
  }

  /** The next try is waited for, which has its own time. */
  onRetry(): void {
    this.#idle.stop()
    this.#duration.stop()
  }

  stop(): void {
    this.#answer.stop()
    this.#idle.stop()
    this.#duration.stop()
  }
}
