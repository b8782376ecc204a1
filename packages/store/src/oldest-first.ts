import type { Milliseconds } from '@hopscope/model'

export interface Aged {
  ms: Milliseconds
  low: string
}

/** A priority queue of trace ids by time: the oldest is popped first. (binary heap) */
export class OldestFirst {
  #heap: Aged[] = []

  push(ms: Milliseconds, low: string): void {
    const heap = this.#heap
    let at = heap.length
    heap.push({ ms, low })
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent]!.ms <= ms) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = { ms, low }
  }

  pop(): Aged | undefined {
    const heap = this.#heap
    const oldest = heap[0]
    const last = heap.pop()
    if (oldest === undefined || last === undefined || heap.length === 0) return oldest
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && heap[child + 1]!.ms < heap[child]!.ms) child++
      if (heap[child]!.ms >= last.ms) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return oldest
  }
}
