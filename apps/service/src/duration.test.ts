import { expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

it.each([
  ['250ms', 250],
  ['1.5s', 1500],
  ['1m30s', 90_000],
  ['500us', 0.5],
  ['0', 0],
  ['0s', 0],
])('reads %s as %d ms', (text, expected) => expect(parseDuration(text)).toBe(expected))

it.each(['', '5', '-1s', '1 s', 's', '1d', '1e3ms'])('refuses %j', text => expect(parseDuration(text)).toBeUndefined())
