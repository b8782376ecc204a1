import type { Host } from '../host.ts'

/** Asks one host how it is, again and again. */
export interface Probe {
  /** One question; `passed` or `failed` follows, perhaps within this call. */
  ask(): void
  /** The answer took too long: what comes of it now is not heard. */
  giveUp(): void
  close(): void
}

export interface ProbeListener {
  passed(degraded: boolean): void
  /** `status` 0: there was no answer that has one. */
  failed(failure: { type: 'NETWORK' | 'ACTIVE'; retriable: boolean; status: number }): void
  /** The host says that it is to be left out (`x-envoy-immediate-health-check-fail`). */
  excluded(): void
}

export type CreateProbe = (host: Host, listener: ProbeListener) => Probe

/** The pieces are in the bytes one after the other, with anything around them. */
export function containsInOrder(bytes: Buffer, pieces: readonly Uint8Array[]): boolean {
  let from = 0
  for (const piece of pieces) {
    const at = bytes.indexOf(piece, from)
    if (at === -1) return false
    from = at + piece.length
  }
  return true
}
