import type { PieceCache } from './segment.ts'

interface Kept {
  value: unknown
  bytes: number
  wasUsed: boolean
}

/**
 * Keeps what was used lately, up to so many bytes as its users guess them. What was used since it last came up for eviction
 * stays once more (the clock algorithm): a hit changes nothing but a flag.
 */
export class RecentPieces implements PieceCache {
  readonly #maxBytes: number
  #bytes = 0
  #pieces = new Map<string, Kept>()

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get<T>(key: string): T | undefined {
    const piece = this.#pieces.get(key)
    if (piece === undefined) return undefined
    piece.wasUsed = true
    return piece.value as T
  }

  set(key: string, value: unknown, bytes: number): void {
    this.#bytes += bytes - (this.#pieces.get(key)?.bytes ?? 0)
    this.#pieces.delete(key)
    this.#pieces.set(key, { value, bytes, wasUsed: false })
    for (const [oldest, piece] of this.#pieces) {
      if (this.#bytes <= this.#maxBytes) break
      this.#pieces.delete(oldest)
      if (piece.wasUsed) {
        piece.wasUsed = false
        this.#pieces.set(oldest, piece)
      } else this.#bytes -= piece.bytes
    }
  }
}
