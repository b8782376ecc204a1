import type { Transform } from 'node:stream'

/** Where the transformed body goes. */
export interface TransformTarget {
  data(chunk: Buffer): void
  end(): void
  /** What was written has gone through: there is room again. */
  drained(): void
}

/** A stream of zlib that can hand over what it has so far. */
export type Codec = Transform & { flush(kind: number): void }

export interface TransformOptions {
  codec: Codec
  /** What `flush` is called with behind every piece, so that none of them waits for the next; undefined: nothing to flush. */
  flush?: number
  target: TransformTarget
  /** The input is not what it should be: what has come out so far is all. */
  onBroken?: () => void
}

/** A body on its way through zlib, which works in threads of its own. */
export class BodyTransform {
  /** Bytes in, bytes out. */
  taken = 0
  given = 0
  readonly #codec: Codec
  readonly #flush: number | undefined
  readonly #target: TransformTarget
  readonly #onBroken: (() => void) | undefined
  #broken = false
  #ended = false
  #done = false

  constructor({ codec, flush, target, onBroken }: TransformOptions) {
    this.#codec = codec
    this.#flush = flush
    this.#target = target
    codec.on('data', (chunk: Buffer) => {
      if (this.#done || this.#broken) return
      this.given += chunk.length
      target.data(chunk)
    })
    codec.on('drain', () => this.#done || target.drained())
    codec.on('end', () => this.#finish())
    codec.on('error', () => this.#break())
    this.#onBroken = onBroken
  }

  /** False: wait for `drained`. */
  write(chunk: Uint8Array): boolean {
    this.taken += chunk.length
    if (this.#broken || this.#done) return true
    const room = this.#codec.write(chunk)
    if (this.#flush !== undefined) this.#codec.flush(this.#flush)
    return room
  }

  end(): void {
    this.#ended = true
    if (this.#broken) this.#finish()
    else this.#codec.end()
  }

  /** What has come out so far is all. */
  breakOff(): void {
    this.#codec.destroy()
    this.#break()
  }

  #break(): void {
    if (this.#done || this.#broken) return
    this.#broken = true
    this.#onBroken?.()
    // Whoever waits for room waits no longer: what still comes is forgotten.
    this.#target.drained()
    if (this.#ended) this.#finish()
  }

  /** Nothing comes out any more. */
  stop(): void {
    this.#done = true
    this.#codec.destroy()
  }

  #finish(): void {
    if (this.#done) return
    this.#done = true
    this.#target.end()
  }
}
