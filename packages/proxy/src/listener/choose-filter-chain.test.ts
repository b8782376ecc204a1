import type { FilterChain, FilterChainMatch, Listener } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { compileFilterChainChoice } from './choose-filter-chain.ts'

const chain = (name: string, match?: FilterChainMatch): FilterChain =>
  ({ name, ...(match === undefined ? {} : { match }) }) as FilterChain

function choose(chains: FilterChain[], defaultChain?: FilterChain) {
  const listener = {
    filterChains: chains,
    ...(defaultChain && { defaultFilterChain: defaultChain }),
  } as unknown as Listener
  const of = compileFilterChainChoice(listener)
  return (remoteAddress: string, localAddress = '10.0.0.1:80') => of({ localAddress, remoteAddress })?.name
}

test('one chain without a match takes everything', () => {
  expect(choose([chain('a')])('1.2.3.4:5')).toBe('a')
})

test('the port that was called comes first', () => {
  const of = choose([chain('port', { destinationPort: 80 }), chain('source', { sourcePrefixRanges: ['1.2.3.4/32'] })])
  expect(of('1.2.3.4:5')).toBe('port')
  expect(of('1.2.3.4:5', '10.0.0.1:81')).toBe('source')
})

test('the longest prefix, and no way back from it', () => {
  const of = choose([
    chain('wide', { sourcePrefixRanges: ['10.0.0.0/8'] }),
    chain('narrow', { sourcePrefixRanges: ['10.1.0.0/16'], sourcePorts: [7] }),
    chain('six', { sourcePrefixRanges: ['2001:db8::/32'] }),
  ])
  expect(of('10.2.0.1:7')).toBe('wide')
  expect(of('10.1.0.1:7')).toBe('narrow')
  // Of the narrow prefix alone, though the wide one would take it.
  expect(of('10.1.0.1:8')).toBeUndefined()
  expect(of('[2001:db8::1]:8')).toBe('six')
})

test('whence it comes', () => {
  const of = choose([chain('local', { sourceType: 'SAME_IP_OR_LOOPBACK' }), chain('other', { sourceType: 'EXTERNAL' })])
  expect([of('127.0.0.1:1'), of('10.0.0.1:1'), of('10.0.0.2:1')]).toEqual(['local', 'local', 'other'])
})

test('who takes what nobody takes', () => {
  const chains = [chain('a', { destinationPort: 1 })]
  expect(choose(chains)('1.2.3.4:5')).toBeUndefined()
  expect(choose(chains, chain('default'))('1.2.3.4:5')).toBe('default')
})
