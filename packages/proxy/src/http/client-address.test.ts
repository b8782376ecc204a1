import { expect, test } from 'vitest'
import { compileRanges, forwardedAddress, ipOf, isLoopback } from './client-address.ts'

test.each([
  ['10.0.0.0/8', '10.255.0.1', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['192.168.1.7', '192.168.1.7', true],
  ['192.168.1.7', '192.168.1.8', false],
  ['172.16.0.0/12', '172.31.255.255', true],
  ['172.16.0.0/12', '172.32.0.0', false],
  ['0.0.0.0/0', '8.8.8.8', true],
  ['::1/128', '::1', true],
  ['fc00::/7', 'fd12::1', true],
  ['fc00::/7', 'fe80::1', false],
  ['10.0.0.0/8', '::1', false],
])('%s and %s: %s', (range, ip, inside) => {
  expect(compileRanges([range])(ip)).toBe(inside)
})

test('one of several ranges is enough; none is none', () => {
  expect(compileRanges(['10.0.0.0/8', '::1/128'])('::1')).toBe(true)
  expect(compileRanges([])('10.0.0.1')).toBe(false)
})

test.each<[xff: string | undefined, fromRight: number, ip: string | undefined, single?: boolean]>([
  ['1.2.3.4', 0, '1.2.3.4', true],
  ['1.2.3.4,5.6.7.8', 0, '5.6.7.8', false],
  ['1.2.3.4, 5.6.7.8', 1, '1.2.3.4', false],
  ['1.2.3.4', 1, undefined],
  ['1.2.3.4,', 0, undefined],
  ['unknown', 0, undefined],
  ['1.2.3.4:80', 0, undefined],
  ['::1', 0, '::1', true],
  ['', 0, undefined],
  [undefined, 0, undefined],
])('x-forwarded-for %j, %d from the right: %s', (xff, fromRight, ip, single) => {
  expect(forwardedAddress(xff, fromRight)).toEqual(ip === undefined ? undefined : { ip, single })
})

test('addresses without their ports', () => {
  expect(['1.2.3.4:80', '[::1]:80', '[fe80::1]:65535'].map(ipOf)).toEqual(['1.2.3.4', '::1', 'fe80::1'])
})

test('loopback', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', '128.0.0.1', '10.127.0.1'].map(isLoopback)).toEqual([true, true, true, false, false]) // biome-ignore format: one line
})
