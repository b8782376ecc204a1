/** Bytes up to which pieces are joined before they are written: a copy costs less than the kernel's work on a list. */
export const JOIN_LIMIT = 16 * 1024

/** The pieces one after the other from the start of `target`, which they fit into; text is latin1. */
export function joinInto(target: Buffer, pieces: readonly (Uint8Array | string)[]): Buffer {
  let at = 0
  for (const piece of pieces) {
    if (typeof piece === 'string') target.write(piece, at, 'latin1')
    else target.set(piece, at)
    at += piece.length
  }
  return target
}
