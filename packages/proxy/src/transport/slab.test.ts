import { beforeEach, expect, test } from 'vitest'
import { slab } from './slab.ts'

/** A piece, written full of `letter`. */
function piece(letter: string, size = 100): Buffer {
  slab.makeRoom(size)
  return slab.take(size).fill(letter)
}

beforeEach(() => {
  // A new one: what other tests hold is none of ours.
  slab.take(slab.bytes.length - slab.at)
  slab.makeRoom(1)
})

test('pieces stand side by side until all have been given back, then they are written over', () => {
  const [a, b] = [piece('a'), piece('b')]
  slab.giveBack(a)
  const c = piece('c')
  expect(c.byteOffset).toBe(200)
  expect(b.toString()).toBe('b'.repeat(100))
  slab.giveBack(b, 60)
  slab.giveBack(b, 40)
  slab.giveBack(c)
  expect(piece('d').byteOffset).toBe(0)
})

test('a full one is replaced, and what somebody still has of it stays what it is', () => {
  const a = piece('a')
  const before = slab.bytes
  const others = Array.from({ length: 2_000 }, () => piece('b'))
  expect(slab.bytes).not.toBe(before)
  // None of the present slab's: it begins anew only with its own.
  slab.giveBack(a)
  slab.giveBack(Buffer.alloc(100))
  expect(a.toString()).toBe('a'.repeat(100))
  expect(others.every(other => other.toString() === 'b'.repeat(100))).toBe(true)
})

test('what has begun moves along when it needs more room', () => {
  piece('a', 50)
  const start = slab.at
  slab.bytes.write('begun', start)
  slab.makeRoom(slab.bytes.length, 5)
  expect(slab.take(5).toString()).toBe('begun')
})
