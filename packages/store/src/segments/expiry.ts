import type { Milliseconds } from '@hopscope/model'

/** A clock that moves this much by itself was set: ages say nothing until somebody could have seen to it. */
const CLOCK_JUMP_MS = 60_000
const AGE_HELD_MS = 60 * 60_000

/** What goes by its age. A clock that is set forward must not empty the store. */
export class Expiry {
  readonly #maxAge: Milliseconds
  readonly #warn: (line: string) => void
  #clockOffset = Date.now() - performance.now()
  #heldUntil = 0

  constructor(maxAge: Milliseconds, warn: (line: string) => void) {
    this.#maxAge = maxAge
    this.#warn = warn
  }

  /** Segments that were sealed before this go. */
  before(): Milliseconds {
    const now = Date.now()
    const running = performance.now()
    const jump = now - running - this.#clockOffset
    if (Math.abs(jump) > CLOCK_JUMP_MS) {
      this.#clockOffset = now - running
      if (this.#maxAge !== Number.POSITIVE_INFINITY) {
        this.#heldUntil = running + AGE_HELD_MS
        this.#warn(
          `the clock jumped by ${Math.round(jump / 1000)} s: nothing is deleted for its age within the next hour`,
        )
      }
    }
    return running < this.#heldUntil ? Number.NEGATIVE_INFINITY : now - this.#maxAge
  }
}
