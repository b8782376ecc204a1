import type { Milliseconds } from '@hopscope/model'

const PERIOD_MS: Milliseconds = 1000
/** Of each period, so much goes to it: little while spans come, a quarter when none do. */
const BUSY_MS: Milliseconds = 15
const IDLE_MS: Milliseconds = 250

/** Links segments bit by bit, before somebody asks for dependencies. */
export class LinkingAhead {
  readonly #link: (until: number, signal: AbortSignal) => Promise<void>
  readonly #spans: () => number
  readonly #timer: NodeJS.Timeout
  readonly #ending = new AbortController()
  #seen = 0
  #running: Promise<void> | undefined

  /** `link` goes on until `until` (`performance.now()`); `spans` says how many the store has. */
  constructor(link: (until: number, signal: AbortSignal) => Promise<void>, spans: () => number) {
    this.#link = link
    this.#spans = spans
    this.#timer = setInterval(() => this.#go(), PERIOD_MS)
    this.#timer.unref()
  }

  #go(): void {
    const spans = this.#spans()
    const isIdle = spans === this.#seen
    this.#seen = spans
    if (this.#running !== undefined) return
    const until = performance.now() + (isIdle ? IDLE_MS : BUSY_MS)
    // Whatever goes wrong is told to whoever asks for dependencies.
    this.#running = this.#link(until, this.#ending.signal)
      .catch(() => {})
      .finally(() => {
        this.#running = undefined
      })
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#ending.abort()
    await this.#running
  }
}
