import { Dictionary, STRING } from './dictionary.ts'

/** Distinct texts, and bytes of them, that are remembered; then it begins again. */
const MAX_TEXTS = 20_000
const MAX_BYTES = 8 * 1024 * 1024

/** Bytes → a number that was made of them once: what comes over and over is understood once. */
export class KnownBytes {
  #texts = new Dictionary()
  #values = new Uint32Array(1024)

  clear(): void {
    if (this.#texts.entries.length > 1) this.#texts.truncate(1)
  }

  /** The number of these bytes, of which `hash` is some hash; `make` says it when they are new. */
  get(source: DataView, from: number, to: number, hash: number, make: () => number): number {
    if (this.#texts.entries.length > MAX_TEXTS || this.#texts.byteLength > MAX_BYTES) this.clear()
    const before = this.#texts.entries.length
    const text = this.#texts.internHashed(source, from, to, STRING, hash)
    if (text < before) return this.#values[text]!
    if (text >= this.#values.length) {
      const grown = new Uint32Array(this.#values.length * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    try {
      this.#values[text] = make()
    } catch (error) {
      this.#texts.truncate(before)
      throw error
    }
    return this.#values[text]!
  }
}
