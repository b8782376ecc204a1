import type { Host } from '../host.ts'
import type { HostSet } from './host-set.ts'
import { availability, distribute, type PriorityLoad } from './priority-load.ts'

/**
 * A retry leaves out the priorities that were tried, after so many tries each time; when none is left they are all tried again.
 * (Envoy: PreviousPrioritiesRetryPriority)
 */
export class PreviousPriorities {
  readonly #updateFrequency: number
  #tried: number[] = []
  readonly #excluded = new Set<number>()
  #load: PriorityLoad | undefined

  constructor(updateFrequency: number) {
    this.#updateFrequency = updateFrequency
  }

  onHost({ priority }: Host): void {
    this.#tried.push(priority)
  }

  /** In place of `load`, for the next try. */
  reload(load: PriorityLoad, sets: readonly HostSet[]): PriorityLoad {
    if (this.#tried.length < this.#updateFrequency) return load
    if (this.#tried.length % this.#updateFrequency === 0) {
      for (const priority of this.#tried) this.#excluded.add(priority)
      this.#load = this.#loadOfOthers(sets)
    }
    return this.#load ?? load
  }

  #loadOfOthers(sets: readonly HostSet[]): PriorityLoad | undefined {
    const unless = (priority: number, share: number): number => (this.#excluded.has(priority) ? 0 : share)
    const shares = () => ({
      healthy: sets.map((set, i) => unless(i, availability(set, set.healthy))),
      degraded: sets.map((set, i) => unless(i, availability(set, set.degraded))),
    })
    let able = shares()
    if (isNobody(able)) {
      this.#excluded.clear()
      this.#tried = []
      able = shares()
    }
    if (isNobody(able)) return undefined
    const load: PriorityLoad = { healthy: sets.map(() => 0), degraded: sets.map(() => 0) }
    const available = [...able.healthy, ...able.degraded].reduce((all, share) => all + share, 0)
    distribute(load, able.healthy, able.degraded, Math.min(100, available))
    return load
  }
}

function isNobody({ healthy, degraded }: PriorityLoad): boolean {
  return [...healthy, ...degraded].every(share => share === 0)
}
