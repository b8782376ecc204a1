import type { LocalRateLimitFilter } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { RateLimiter } from './rate-limiter.ts'

const bucket = (maxTokens: number) => ({ maxTokens, tokensPerFill: maxTokens, fillInterval: 60_000 })
const descriptor = (entries: [string, string][], tokens: number) => ({
  entries,
  tokenBucket: bucket(tokens),
  shadowMode: false,
})

function create(fields: Partial<LocalRateLimitFilter>) {
  const config = {
    tokenBucket: bucket(10),
    alwaysConsumeDefaultTokenBucket: true,
    maxDynamicDescriptors: 20,
    ...fields,
  } as LocalRateLimitFilter
  let now = 0
  const limiter = new RateLimiter(config, { now: () => now, epochMicros: () => 0 })
  const judge = (entries: [string, string][], hits = 1) =>
    limiter.judge([{ entries, hits, xRateLimitOption: 'UNSPECIFIED' }])
  return { judge, wait: (ms: number) => (now += ms) }
}

test('until a token comes back', () => {
  const { judge, wait } = create({ descriptors: [descriptor([['a', '1']], 2)] })
  judge([['a', '1']])
  judge([['a', '1']])
  const { allowed, bucket } = judge([['a', '1']])
  expect(allowed).toBe(false)
  expect([bucket!.max, bucket!.remaining, bucket!.wait]).toEqual([2, 0, 30_000])
  wait(29_000)
  expect(bucket!.wait).toBeCloseTo(1000)
  wait(1000)
  expect(judge([['a', '1']]).allowed).toBe(true)
})

test('entries have to be the same, in the same order', () => {
  const { judge } = create({
    descriptors: [
      descriptor(
        [
          ['a', '1'],
          ['b', '2'],
        ],
        1,
      ),
    ],
  })
  const maxOf = (entries: [string, string][]) => judge(entries).bucket!.max
  expect(maxOf([['a', '1']])).toBe(10)
  expect(
    maxOf([
      ['b', '2'],
      ['a', '1'],
    ]),
  ).toBe(10)
  expect(
    maxOf([
      ['a', '1'],
      ['b', '2'],
    ]),
  ).toBe(1)
})

test('a value of its own goes before any; of the values seen the longest unused is forgotten', () => {
  const { judge } = create({
    descriptors: [descriptor([['a', 'vip']], 5), descriptor([['a', '']], 1)],
    maxDynamicDescriptors: 2,
  })
  const allowed = (value: string) => judge([['a', value]]).allowed
  expect(judge([['a', 'vip']]).bucket!.max).toBe(5)
  expect([allowed('x'), allowed('y'), allowed('x')]).toEqual([true, true, false])
  expect([allowed('z'), allowed('x'), allowed('y')]).toEqual([true, false, true])
})

test('what counts for more than is left takes nothing', () => {
  const { judge } = create({ descriptors: [descriptor([['a', '1']], 3)] })
  expect([2, 2, 1].map(hits => judge([['a', '1']], hits).allowed)).toEqual([true, false, true])
})
