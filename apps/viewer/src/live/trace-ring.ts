import type { TraceItem } from '../api/trace-item.ts'

/**
 * The newest traces of a stream. A trace that is told of again, as its spans arrive one by one, keeps its place; beyond
 * the capacity the oldest go, and are counted.
 */
export class TraceRing {
  readonly #capacity: number
  /** In order of arrival: a Map keeps the place of a key that is set again. */
  readonly #items = new Map<string, TraceItem>()
  #dropped = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  put(item: TraceItem): void {
    this.#items.set(item.traceId, item)
    if (this.#items.size <= this.#capacity) return
    const oldest = this.#items.keys().next().value!
    this.#items.delete(oldest)
    this.#dropped++
  }

  /** Told by the server: traces that it could not keep for us. */
  drop(count: number): void {
    this.#dropped += count
  }

  clear(): void {
    this.#items.clear()
    this.#dropped = 0
  }

  get dropped(): number {
    return this.#dropped
  }

  get size(): number {
    return this.#items.size
  }

  /** Newest first. */
  items(): TraceItem[] {
    return [...this.#items.values()].reverse()
  }
}
