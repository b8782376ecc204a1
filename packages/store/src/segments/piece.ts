import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/*
 * A segment lies in the database in pieces. Each is
 *
 *   codec     0: as it is, 1: zstd     u8
 *   CRC32 of codec and data            u32, little-endian
 *   data
 */
const HEADER_BYTES = 5
const PLAIN = 0
const ZSTD = 1
/** The level that costs least; the rows are dense already. */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** Below this there is nothing to win. */
const SMALLEST_BYTES = 64

/** A piece that is missing or not as it was written. The message names it. */
export class DamageError extends Error {
  override readonly name = 'DamageError'
}

export function packPiece(data: Buffer): Buffer {
  const packed = data.length < SMALLEST_BYTES ? data : zstdCompressSync(data, OPTIONS)
  const isSmaller = packed.length < data.length
  const body = isSmaller ? packed : data
  const piece = Buffer.allocUnsafe(HEADER_BYTES + body.length)
  piece[0] = isSmaller ? ZSTD : PLAIN
  piece.set(body, HEADER_BYTES)
  piece.writeUInt32LE(crc32(body, crc32(piece.subarray(0, 1))), 1)
  return piece
}

/** Throws {@link DamageError}, which names `what`. */
export function unpackPiece(piece: Buffer | undefined, what: string): Buffer {
  if (piece === undefined) throw new DamageError(`${what} is missing`)
  if (piece.length < HEADER_BYTES) throw new DamageError(`${what} is cut off: ${piece.length} bytes`)
  const body = piece.subarray(HEADER_BYTES)
  if (crc32(body, crc32(piece.subarray(0, 1))) !== piece.readUInt32LE(1)) {
    throw new DamageError(`${what} is not as it was written: its checksum differs`)
  }
  if (piece[0] === PLAIN) return body
  if (piece[0] !== ZSTD) throw new DamageError(`${what} has codec ${piece[0]}, 0 or 1 was expected`)
  return zstdDecompressSync(body)
}
