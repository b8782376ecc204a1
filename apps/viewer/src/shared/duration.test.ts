import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from './duration.ts'

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [1, '1μs'],
    [999, '999μs'],
    [1_000, '1ms'],
    [12_345, '12.3ms'],
    [123_456, '123ms'],
    [999_499, '999ms'],
    [999_999, '1s'],
    [2_500_000, '2.5s'],
    [59_990_000, '1m'],
    [90_000_000, '1m 30s'],
    [3_600_000_000, '1h'],
    [3_599_600_000, '1h'],
    [5_400_000_000, '1h 30m'],
    [-1_500, '−1.5ms'],
    [Number.NaN, '?'],
  ])('%d µs reads %s', (us, text) => expect(formatDuration(us)).toBe(text))
})

describe('parseDuration', () => {
  it.each([
    ['10ms', 10_000],
    ['1.5s', 1_500_000],
    ['200us', 200],
    ['200 µs', 200],
    ['200μs', 200],
    ['2m', 120_000_000],
    ['1500', 1_500],
    ['10MS', 10_000],
  ])('%s', (text, us) => expect(parseDuration(text)).toBe(us))

  it.each(['', 'x', '10 minutes', '-1ms', '1e3', '1,5s'])('refuses %j', text =>
    expect(parseDuration(text)).toBeUndefined(),
  )
})
