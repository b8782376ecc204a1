import type { Milliseconds, TokenBucketConfig } from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'

/** Filled at a steady rate, a part of a token at a time, up to its brim; full at first. (Envoy's AtomicTokenBucket) */
export class TokenBucket {
  readonly max: number
  /** Tokens a millisecond. */
  readonly rate: number
  readonly #clock: Clock
  #tokens: number
  #filledAt: number

  constructor(bucket: TokenBucketConfig, clock: Clock) {
    this.max = bucket.maxTokens
    this.rate = bucket.tokensPerFill / bucket.fillInterval
    this.#clock = clock
    this.#tokens = bucket.maxTokens
    this.#filledAt = clock.now()
  }

  /** Whether there were so many; none of them is taken if not. To ask for none is to be refused, as in Envoy. */
  take(count = 1): boolean {
    this.#fill()
    if (count === 0 || this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  /** Whole ones. */
  get remaining(): number {
    this.#fill()
    return Math.floor(this.#tokens)
  }

  /** Until there is one. */
  get wait(): Milliseconds {
    this.#fill()
    return this.#tokens >= 1 ? 0 : (1 - this.#tokens) / this.rate
  }

  #fill(): void {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.max, this.#tokens + (now - this.#filledAt) * this.rate)
    this.#filledAt = now
  }
}
