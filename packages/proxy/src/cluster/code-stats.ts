import type { Counter, Stats } from '../stats/stats.ts'

/**
 * `<prefix>upstream_rq_completed`, `_Nxx` and `_NNN`; codes above 599 are `_unknown`, of no class. They come to be when the first
 * response with such a code does, as in Envoy.
 */
export class CodeStats {
  readonly #stats: Stats
  readonly #prefix: string
  #completed: Counter | undefined
  readonly #classes: (Counter | undefined)[] = []
  readonly #codes: (Counter | undefined)[] = []

  constructor(stats: Stats, prefix: string) {
    this.#stats = stats
    this.#prefix = prefix
  }

  add(status: number): void {
    const group = Math.trunc(status / 100)
    this.#completed ??= this.#stats.counter(`${this.#prefix}upstream_rq_completed`)
    this.#completed.add()
    const known = status < 600
    if (known) {
      this.#classes[group] ??= this.#stats.counter(`${this.#prefix}upstream_rq_${group}xx`)
      this.#classes[group].add()
    }
    const code = known ? status : 600
    this.#codes[code] ??= this.#stats.counter(`${this.#prefix}upstream_rq_${known ? status : 'unknown'}`)
    this.#codes[code].add()
  }
}
