/** How many names are kept. (Envoy's default) */
const CAPACITY = 100

/**
 * How often stats were asked for by name, which costs more than counting: what happens again and again while requests are served is to
 * be made once instead. Names are kept only while someone wants to know them (`/stats/recentlookups/enable`).
 */
export class RecentLookups {
  total = 0
  tracking = false
  /** The one asked for last at the end. */
  readonly #counts = new Map<string, number>()

  note(name: string): void {
    this.total++
    if (!this.tracking) return
    const count = (this.#counts.get(name) ?? 0) + 1
    this.#counts.delete(name)
    this.#counts.set(name, count)
    if (this.#counts.size > CAPACITY) this.#counts.delete(this.#counts.keys().next().value!)
  }

  track(tracking: boolean): void {
    this.tracking = tracking
    if (!tracking) this.#counts.clear()
  }

  clear(): void {
    this.total = 0
    this.#counts.clear()
  }

  dump(): LookupsDump {
    return { total: this.total, tracking: this.tracking, counts: [...this.#counts] }
  }
}

/** Of one process, to be sent to another. */
export interface LookupsDump {
  total: number
  tracking: boolean
  counts: readonly (readonly [name: string, count: number])[]
}

/** As Envoy's page has them: the most frequent last. */
export function renderLookups(dumps: readonly LookupsDump[]): string {
  const total = dumps.reduce((sum, dump) => sum + dump.total, 0)
  if (!dumps.some(dump => dump.tracking)) {
    return `Lookup tracking is not enabled. Use /stats/recentlookups/enable to enable.\n\ntotal: ${total}\n`
  }
  const counts = new Map<string, number>()
  for (const [name, count] of dumps.flatMap(dump => dump.counts)) counts.set(name, (counts.get(name) ?? 0) + count)
  const rows = [...counts]
    .sort(([a, many], [b, more]) => many - more || (a < b ? -1 : 1))
    .map(([name, count]) => `${String(count).padStart(8)} ${name}\n`)
  return `   Count Lookup\n${rows.join('')}\ntotal: ${total}\n`
}
