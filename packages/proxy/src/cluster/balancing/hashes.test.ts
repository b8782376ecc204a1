import { expect, test } from 'vitest'
import { murmurHash64 } from './murmur-hash.ts'
import { xxHash64 } from './xx-hash.ts'

// Values of Envoy's own functions (its test/common/common/hash_test.cc).
test.each<[text: string, xx: bigint, murmur: bigint]>([
  ['', 17241709254077376921n, 6142509188972423790n],
  ['foo', 3728699739546630719n, 9631199822919835226n],
  ['bar', 5234164152756840025n, 11474628671133349555n],
  ['foo\nbar', 8917841378505826757n, 16306510975912980159n],
  ['lyft', 4400747396090729504n, 12847078931730529320n],
])('the hashes of "%s"', (text, xx, murmur) => {
  expect(xxHash64(text)).toBe(xx)
  expect(murmurHash64(text)).toBe(murmur)
})

// The value that the xxHash specification gives for this sentence.
test('a text longer than a stripe, and a seed', () => {
  expect(xxHash64('Call me Ishmael. Some years ago--never mind how long precisely-')).toBe(0x02a2e85470d6fd96n)
  expect(xxHash64('foo', 1n)).not.toBe(xxHash64('foo'))
})
