const SLAB_BYTES = 64 * 1024

/**
 * Where small pieces stand side by side that are needed for about one turn of the event loop: what was read, heads to be written.
 * Whoever is done with a piece gives it back, and when nobody has any the slab begins anew: under load it is made once, where one made
 * for every few dozen requests is old by the time that it is done with, and waits for a full collection (16 MB of them, measured).
 * A piece that is never given back costs no more than that: a full slab is replaced, and lives as long as its pieces.
 */
class Slab {
  bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  /** Where the next piece begins. */
  at = 0
  /** Bytes that somebody has. */
  #held = 0

  /** After it, `size` more bytes fit behind the first `begun` of a piece that is not taken yet; they move with it. */
  makeRoom(size: number, begun = 0): void {
    if (this.at + begun + size <= this.bytes.length) return
    const before = this.bytes.subarray(this.at, this.at + begun)
    this.bytes = Buffer.allocUnsafeSlow(begun + size <= SLAB_BYTES ? SLAB_BYTES : (begun + size) * 2)
    this.bytes.set(before)
    this.at = 0
    this.#held = 0
  }

  /** The next `size` bytes, for which there is room; nobody else has them until they are given back. */
  take(size: number): Buffer {
    const start = this.at
    this.at = start + size
    this.#held += size
    return this.bytes.subarray(start, this.at)
  }

  /**
   * Nobody looks at the piece any more, or at so many bytes of it. One of other memory is none of the slab's: the slab may have been
   * replaced since it was taken.
   */
  giveBack(piece: Uint8Array, size = piece.length): void {
    if (piece.buffer !== this.bytes.buffer) return
    this.#held -= size
    if (this.#held === 0) this.at = 0
  }
}

/** The process's own. */
export const slab = new Slab()
