import type { PieceCache } from './segment.ts'

/** Keeps what was used last, up to so many bytes as its users guess them. */
export class RecentPieces implements PieceCache {
  readonly #maxBytes: number
  #bytes = 0
  #pieces = new Map<string, { value: unknown; bytes: number }>()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get<T>(key: string): T | undefined {
    const piece = this.#pieces.get(key)
    if (piece === undefined) return undefined
    this.#pieces.delete(key)
    this.#pieces.set(key, piece)
    return piece.value as T
  }

  set(key: string, value: unknown, bytes: number): void {
    this.#bytes += bytes - (this.#pieces.get(key)?.bytes ?? 0)
    this.#pieces.delete(key)
    this.#pieces.set(key, { value, bytes })
    for (const [oldest, piece] of this.#pieces) {
      if (this.#bytes <= this.#maxBytes) break
      this.#pieces.delete(oldest)
      this.#bytes -= piece.bytes
    }
  }
}
