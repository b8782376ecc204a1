const SIZE = 624
const SHIFT = 397

/** Numbers that are drawn the same way everywhere: MT19937 (Matsumoto and Nishimura 1998), C++'s `std::mt19937`. */
export class MersenneTwister {
  readonly #state = new Uint32Array(SIZE)
  #at = SIZE

  /** A whole number below 2^32. */
  constructor(seed: number) {
    this.#state[0] = seed
    for (let i = 1; i < SIZE; i++) {
      const before = this.#state[i - 1]!
      this.#state[i] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + i
    }
  }

  /** Whole, from 0 to 2^32 - 1. */
  next(): number {
    if (this.#at === SIZE) this.#turn()
    let drawn = this.#state[this.#at++]!
    drawn ^= drawn >>> 11
    drawn ^= (drawn << 7) & 0x9d2c_5680
    drawn ^= (drawn << 15) & 0xefc6_0000
    drawn ^= drawn >>> 18
    return drawn >>> 0
  }

  #turn(): void {
    const state = this.#state
    for (let i = 0; i < SIZE; i++) {
      const mixed = (state[i]! & 0x8000_0000) | (state[(i + 1) % SIZE]! & 0x7fff_ffff)
      state[i] = state[(i + SHIFT) % SIZE]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908_b0df : 0)
    }
    this.#at = 0
  }
}
