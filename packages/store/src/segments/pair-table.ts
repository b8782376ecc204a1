/** Numbers of pairs of entries: a table of open addressing in typed arrays, asked some times a span. */
export class PairTable {
  #slots = new Int32Array(1024)
  #firsts = new Uint32Array(512)
  #seconds = new Uint32Array(512)
  #numbers = new Int32Array(512)
  #length = 0

  /** -1: not there. */
  get(first: number, second: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = slotOf(first, second) & mask
    for (let at = slots[slot]! - 1; at !== -1; at = slots[slot]! - 1) {
      if (this.#firsts[at] === first && this.#seconds[at] === second) return this.#numbers[at]!
      slot = (slot + 1) & mask
    }
    return -1
  }

  /** Of a pair that is not there yet. `number` is 0 or more. */
  set(first: number, second: number, number: number): void {
    if (this.#length === this.#firsts.length) this.#grow()
    const at = this.#length++
    this.#firsts[at] = first
    this.#seconds[at] = second
    this.#numbers[at] = number
    this.#place(at)
  }

  clear(): void {
    this.#length = 0
    this.#slots.fill(0)
  }

  #place(at: number): void {
    const mask = this.#slots.length - 1
    let slot = slotOf(this.#firsts[at]!, this.#seconds[at]!) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = at + 1
  }

  #grow(): void {
    const capacity = this.#length * 2
    this.#firsts = grown(this.#firsts, capacity)
    this.#seconds = grown(this.#seconds, capacity)
    this.#numbers = grown(this.#numbers, capacity)
    this.#slots = new Int32Array(capacity * 2)
    for (let at = 0; at < this.#length; at++) this.#place(at)
  }
}

function slotOf(first: number, second: number): number {
  const hash = Math.imul(first, 0x85ebca6b) ^ Math.imul(second, 0xc2b2ae35)
  return hash ^ (hash >>> 15)
}

/** A longer copy. */
export function grown<T extends Uint8Array | Uint32Array | Int32Array>(array: T, length: number): T {
  const longer = new (array.constructor as new (length: number) => T)(length)
  longer.set(array)
  return longer
}
