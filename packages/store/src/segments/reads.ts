/** The reads that are under way: what one of them may still look at goes when it has ended. */
export class Reads {
  #running = new Set<object>()
  #waiting: { for: Set<object>; then: () => void }[] = []

  async run<T>(read: () => Promise<T> | T): Promise<T> {
    const token = {}
    this.#running.add(token)
    try {
      return await read()
    } finally {
      this.#running.delete(token)
      for (const waiting of this.#waiting) waiting.for.delete(token)
      const ready = this.#waiting.filter(waiting => waiting.for.size === 0)
      if (ready.length > 0) this.#waiting = this.#waiting.filter(waiting => waiting.for.size > 0)
      for (const { then } of ready) then()
    }
  }

  /** Runs `then` when the reads that have begun by now have ended: at once, when there are none. */
  afterThese(then: () => void): void {
    if (this.#running.size === 0) then()
    else this.#waiting.push({ for: new Set(this.#running), then })
  }
}
