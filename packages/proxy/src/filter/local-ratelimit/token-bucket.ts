import type { Clock } from '../../clock.ts'

/** Filled at a steady rate, a part of a token at a time, up to its brim; full at first. (Envoy's AtomicTokenBucket) */
export class TokenBucket {
  readonly #max: number
  readonly #perMillisecond: number
  readonly #clock: Clock
  #tokens: number
  #filledAt: number

  constructor(bucket: { maxTokens: number; tokensPerFill: number; fillInterval: number }, clock: Clock) {
    this.#max = bucket.maxTokens
    this.#perMillisecond = bucket.tokensPerFill / bucket.fillInterval
    this.#clock = clock
    this.#tokens = bucket.maxTokens
    this.#filledAt = clock.now()
  }

  /** Whether there was one. */
  take(): boolean {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#max, this.#tokens + (now - this.#filledAt) * this.#perMillisecond)
    this.#filledAt = now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}
