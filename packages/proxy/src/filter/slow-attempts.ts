import type { Attempt } from '../upstream/send.ts'

/** With hedging: attempts that took too long and are waited for all the same. */
export class SlowAttempts extends Set<Attempt> {
  /** There are others than this one. */
  othersThan(attempt: Attempt): boolean {
    return this.size > (this.has(attempt) ? 1 : 0)
  }
}
