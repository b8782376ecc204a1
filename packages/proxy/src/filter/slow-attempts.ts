import type { AttemptSpan } from '../tracing/http-tracer.ts'
import type { Attempt } from '../upstream/send.ts'

/** With hedging: attempts that took too long and are waited for all the same, with their spans. */
export class SlowAttempts {
  readonly #spans = new Map<Attempt, AttemptSpan | undefined>()

  add(attempt: Attempt, span: AttemptSpan | undefined): void {
    this.#spans.set(attempt, span)
  }

  has(attempt: Attempt): boolean {
    return this.#spans.has(attempt)
  }

  spanOf(attempt: Attempt): AttemptSpan | undefined {
    return this.#spans.get(attempt)
  }

  delete(attempt: Attempt): boolean {
    return this.#spans.delete(attempt)
  }

  [Symbol.iterator](): Iterator<Attempt> {
    return this.#spans.keys()
  }

  get size(): number {
    return this.#spans.size
  }

  /** There are others than this one. */
  othersThan(attempt: Attempt): boolean {
    return this.#spans.size > (this.#spans.has(attempt) ? 1 : 0)
  }

  clear(): void {
    this.#spans.clear()
  }
}
