import { describe, expect, it } from 'vitest'
import { createErrors } from './errors.ts'
import { createRandom } from './random.ts'

describe('createErrors', () => {
  const errors = { rate: 0, every: 0, type: 'http_error', code: 500, delay: 0 } as const
  const verdicts = (fails: () => boolean, count: number) => Array.from({ length: count }, fails)

  it('fails every n-th request', () => {
    expect(verdicts(createErrors({ ...errors, every: 3 }, createRandom(1)), 7)).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      false,
    ])
  })

  it('fails the share of the rate, none at 0 and all at 1', () => {
    const count = (rate: number) =>
      verdicts(createErrors({ ...errors, rate }, createRandom(1)), 1000).filter(Boolean).length
    expect([count(0), count(1)]).toEqual([0, 1000])
    expect(Math.abs(count(0.2) - 200)).toBeLessThan(60)
  })
})
