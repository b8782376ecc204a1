import { slab } from '../../transport/slab.ts'

/** Texts of this many characters and more are copied by a call into the system; for shorter ones the call costs more than it saves. */
const LONG = 128

/**
 * Writes heads straight into bytes: to join twenty strings for one, and to take the result apart again, costs twice as much and
 * leaves them all to the collector. A head is `begin`, then texts and fields, then `end`; texts are latin1.
 */
class HeadBytes {
  /** In the slab, behind what has begun. */
  #at = 0

  begin(): void {
    this.#at = slab.at
  }

  text(text: string): void {
    this.#room(text.length)
    this.#put(text)
  }

  /** `name: value` and the line's end. */
  field(name: string, value: string): void {
    this.#room(name.length + value.length + 4)
    this.#put(name)
    const { bytes } = slab
    bytes[this.#at++] = 58 /* : */
    bytes[this.#at++] = 32
    this.#put(value)
    bytes[this.#at++] = 13
    bytes[this.#at++] = 10
  }

  /** All of it since `begin`: a piece of the slab. */
  end(): Buffer {
    return slab.take(this.#at - slab.at)
  }

  #put(text: string): void {
    const { bytes } = slab
    let at = this.#at
    if (text.length < LONG) for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    else at += bytes.write(text, at, 'latin1')
    this.#at = at
  }

  #room(size: number): void {
    if (this.#at + size <= slab.bytes.length) return
    const begun = this.#at - slab.at
    slab.makeRoom(size, begun)
    this.#at = slab.at + begun
  }
}

/** The process's own: a head is written in one go. */
export const headBytes = new HeadBytes()
