/** Heads stand side by side in slabs of so many bytes. */
const SLAB_BYTES = 32 * 1024
/** From so many characters on a call of the system's copy is worth its price. */
const LONG = 128

/**
 * Writes heads straight into bytes: to join twenty strings for one, and to take the result apart again, costs twice as much and
 * leaves them all to the collector. A head is `begin`, then texts and fields, then `end`; texts are latin1.
 */
class HeadBytes {
  #slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  #start = 0
  #at = 0

  begin(): void {
    this.#start = this.#at
  }

  text(text: string): void {
    this.#room(text.length)
    this.#put(text)
  }

  /** `name: value` and the line's end. */
  field(name: string, value: string): void {
    this.#room(name.length + value.length + 4)
    this.#put(name)
    const slab = this.#slab
    slab[this.#at++] = 58 /* : */
    slab[this.#at++] = 32
    this.#put(value)
    slab[this.#at++] = 13
    slab[this.#at++] = 10
  }

  /** All of it since `begin`; nobody else writes there. */
  end(): Buffer {
    return this.#slab.subarray(this.#start, this.#at)
  }

  #put(text: string): void {
    const slab = this.#slab
    let at = this.#at
    if (text.length < LONG) for (let i = 0; i < text.length; i++) slab[at++] = text.charCodeAt(i)
    else at += slab.write(text, at, 'latin1')
    this.#at = at
  }

  /** What has begun moves to a slab of its own when this one is full. */
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return
    const begun = this.end()
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, (begun.length + bytes) * 2))
    this.#slab.set(begun)
    this.#start = 0
    this.#at = begun.length
  }
}

/** The process's own: a head is written in one go. */
export const headBytes = new HeadBytes()
