import { expect, it } from 'vitest'
import { packPiece, unpackPiece } from './piece.ts'

it.each([0, 1, 63, 64, 255, 256, 257, 1_000, 16_384, 65_535, 65_536, 65_792, 1_000_000])(
  'gives back %i bytes as they were',
  length => {
    const data = Buffer.from(Array.from({ length }, (_, i) => (i % 7) * (i % 11)))
    const piece = packPiece(data)
    expect(piece.length).toBeLessThan(Math.max(80, length))
    expect(unpackPiece(piece, 'a piece').equals(data)).toBe(true)
  },
)

it('names a piece that is not as it was written', () => {
  const piece = packPiece(Buffer.alloc(1_000))
  piece[piece.length - 1]! ^= 1
  expect(() => unpackPiece(piece, 'page 7')).toThrow('page 7 is not as it was written: its checksum differs')
  expect(() => unpackPiece(undefined, 'page 7')).toThrow('page 7 is missing')
  expect(() => unpackPiece(Buffer.alloc(3), 'page 7')).toThrow('page 7 is cut off: 3 bytes')
})
