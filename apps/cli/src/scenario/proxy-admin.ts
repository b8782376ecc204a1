/** The admin interface of a proxy, Envoy's or ours. */
export class ProxyAdmin {
  readonly #base: string

  constructor(base: string) {
    this.#base = base
  }

  /** Counters and gauges by name. */
  async stats(): Promise<Map<string, number>> {
    const text = await (await fetch(`${this.#base}/stats`)).text()
    const stats = new Map<string, number>()
    for (const line of text.split('\n')) {
      const colon = line.lastIndexOf(': ')
      const value = Number(line.slice(colon + 2))
      if (colon > 0 && Number.isFinite(value)) stats.set(line.slice(0, colon), value)
    }
    return stats
  }

  /** Sets keys of the runtime's admin layer. */
  async setRuntime(values: Readonly<Record<string, string>>): Promise<void> {
    const query = new URLSearchParams(values)
    const answer = await fetch(`${this.#base}/runtime_modify?${query}`, { method: 'POST' })
    if (!answer.ok) throw new Error(`POST /runtime_modify?${query}: ${answer.status} ${await answer.text()}`)
  }
}
