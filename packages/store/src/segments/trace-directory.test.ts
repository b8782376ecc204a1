import { expect, it } from 'vitest'
import { Head } from './head.ts'
import { HeadPart } from './part.ts'
import { TraceDirectory } from './trace-directory.ts'

const COUNT = 150_000

/** The same numbers in each run. (mulberry32) */
function randomIds(seed: number): Uint32Array {
  return Uint32Array.from({ length: COUNT * 2 }, () => {
    seed = (seed + 0x6d2b79f5) | 0
    let value = Math.imul(seed ^ (seed >>> 15), seed | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return (value ^ (value >>> 14)) >>> 0
  })
}

it('tells ids apart whose hashes are equal', () => {
  const directory = new TraceDirectory()
  const [first, second] = [1, 2].map(order => new HeadPart(new Head(), order, []))
  directory.reserve(COUNT)
  directory.openSealed(first!, randomIds(1))
  // A dozen pairs of these have one hash of 32 bits.
  directory.openSealed(second!, randomIds(2))
  expect([first!.sharedCount, second!.sharedCount]).toEqual([0, 0])
  expect(first!.sharedWith.size).toBe(0)
})

it('finds a trace in each part that has it', () => {
  const directory = new TraceDirectory()
  const parts = [1, 2].map(order => new HeadPart(new Head(), order, []))
  const ids = randomIds(3)
  for (const part of parts) directory.openSealed(part, ids)
  const see = new Map(parts.map(part => [part.number, part]))
  const found = directory.find(ids[20]!, ids[21]!, see)
  expect(found).toEqual(parts.map(part => ({ part, trace: 10 })))
  expect(parts.map(part => part.isShared(10))).toEqual([true, true])
  directory.close(parts[0]!)
  directory.forget(parts[0]!)
  expect(parts[1]!.sharedWith.size).toBe(0)
})
