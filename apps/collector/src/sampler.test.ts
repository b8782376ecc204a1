import { randomInteger, seededRandom } from '@hopscope/model/testing'
import { expect, it } from 'vitest'
import { createSampler } from './sampler.ts'

/** zipkin's rule in its own words: |id| <= 2^63 × rate, in 64-bit numbers and a 32-bit float. */
function isKept(rate: number, high: number, low: number): boolean {
  const most = 2n ** 63n - 1n
  const boundary = BigInt(Math.trunc(Math.fround(Math.fround(2 ** 63) * Math.fround(rate))))
  const id = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
  const magnitude = id === -(2n ** 63n) ? most : id < 0n ? -id : id
  return magnitude <= (boundary > most ? most : boundary)
}

it('keeps the traces that zipkin-server keeps', () => {
  const random = seededRandom(3)
  const edges = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 30, 3 * 2 ** 30]
  const half = (): number =>
    random() < 0.4 ? edges[randomInteger(random, edges.length)]! : randomInteger(random, 2 ** 32)
  for (const rate of [0, 0.0001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99999999]) {
    const sampled = createSampler(rate)!
    let kept = 0
    for (let i = 0; i < 4_000; i++) {
      const [high, low] = [half(), half()]
      expect(sampled(high, low), `${rate} of ${high.toString(16)} ${low.toString(16)}`).toBe(isKept(rate, high, low))
      if (sampled(randomInteger(random, 2 ** 32), randomInteger(random, 2 ** 32))) kept++
    }
    expect(Math.abs(kept / 4_000 - rate)).toBeLessThan(0.05)
  }
  expect(createSampler(1)).toBeUndefined()
})
