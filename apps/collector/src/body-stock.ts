/** Memory is handed out in steps of this. */
const STEP_BYTES = 64 * 1024
/** Of what was given back, so much is kept. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024

/**
 * Memory for the bodies of requests, used again: what is allocated and dropped for each would be collected, and that costs more
 * than reading the spans in it.
 */
export class BodyStock {
  /** By steps. */
  #kept = new Map<number, ArrayBuffer[]>()
  #keptBytes = 0
  /** Handed out, and not given back. */
  #lent = new WeakSet<ArrayBufferLike>()

  /** At least `bytes`; what is in them is of no meaning. */
  take(bytes: number): Buffer<ArrayBuffer> {
    const size = Math.max(Math.ceil(bytes / STEP_BYTES), 1) * STEP_BYTES
    let memory = this.#kept.get(size)?.pop()
    if (memory === undefined) memory = new ArrayBuffer(size)
    else this.#keptBytes -= size
    this.#lent.add(memory)
    return Buffer.from(memory)
  }

  /** Nobody may look at it from now on. Anything else than memory that was taken here is left alone. */
  release({ buffer }: Buffer): void {
    if (!(buffer instanceof ArrayBuffer) || !this.#lent.delete(buffer)) return
    const size = buffer.byteLength
    if (this.#keptBytes + size > MAX_KEPT_BYTES) return
    this.#keptBytes += size
    const kept = this.#kept.get(size)
    if (kept === undefined) this.#kept.set(size, [buffer])
    else kept.push(buffer)
  }
}
