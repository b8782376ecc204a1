import { isMarkedAsUntransferable } from 'node:worker_threads'
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
const LEVEL = { [constants.ZSTD_c_compressionLevel]: 1 }
/** Below this there is nothing to win. */
const SMALLEST_BYTES = 64

/** A piece that is missing or not as it was written. The message names it. */
export class DamageError extends Error {
  override readonly name = 'DamageError'
}

export function packPiece(data: Buffer): Buffer {
  const packed = data.length < SMALLEST_BYTES ? data : compress(data)
  const isSmaller = packed.length < data.length
  const body = isSmaller ? packed : data
  const piece = Buffer.allocUnsafe(HEADER_BYTES + body.length)
  piece[0] = isSmaller ? ZSTD : PLAIN
  piece.set(body, HEADER_BYTES)
  piece.writeUInt32LE(crc32(body, crc32(piece.subarray(0, 1))), 1)
  if (packed !== data) free(packed)
  return piece
}

/** With room for all that it can come to: it is not put together out of several then, which is quicker. */
function compress(data: Buffer): Buffer {
  return zstdCompressSync(data, { params: LEVEL, chunkSize: CHUNK_BYTES + data.length + (data.length >> 8) })
}

/**
 * Gives memory back when it is a buffer's own, not a part of node's pool: nobody reads it any more. Memory that waits to be
 * collected brings about collections of the whole heap.
 */
export function free(buffer: Buffer): void {
  // How large its pool is, node does not say: it is a little more than Buffer.poolSize since Node 26.
  if (!isMarkedAsUntransferable(buffer.buffer)) (buffer.buffer as ArrayBuffer).transfer(0)
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
  return zstdDecompressSync(body, { chunkSize: contentBytes(body) + 1 })
}

/** node's own chunk; what a frame says is above all that a piece is ever made of is not believed. */
const CHUNK_BYTES = 16 * 1024
const MOST_BYTES = 1024 * 1024 * 1024

/**
 * What a zstd frame says that it holds: room for all of it at once spares the pieces that node would join, which were most of the
 * garbage of a read. (RFC 8878, 3.1.1.1)
 */
function contentBytes(frame: Buffer): number {
  const descriptor = frame[4] ?? 0
  const isSingleSegment = (descriptor & 0x20) !== 0
  const at = 5 + (isSingleSegment ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!
  const width = [isSingleSegment ? 1 : 0, 2, 4, 6][descriptor >> 6]!
  if (width === 0 || frame.length < at + 8) return CHUNK_BYTES
  const bytes = frame.readUIntLE(at, width) + (width === 2 ? 256 : 0)
  return bytes <= MOST_BYTES ? bytes : CHUNK_BYTES
}
