import { expect, test } from 'vitest'
import { Gauge } from '../../stats/stats.ts'
import type { Host } from '../host.ts'
import { createHashRing } from './hash-ring.ts'
import type { Share } from './hash-table.ts'
import { createMaglevTable } from './maglev-table.ts'
import { xxHash64 } from './xx-hash.ts'

const sharesOf = (weights: Record<string, number>): Share[] => {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)
  return Object.entries(weights).map(([address, weight]) => ({ host: { address } as Host, share: weight / total }))
}
const ring = (weights: Record<string, number>, minimumSize = 1024) => {
  const stats = {
    size: new Gauge('size'),
    min_hashes_per_host: new Gauge('min'),
    max_hashes_per_host: new Gauge('max'),
  }
  const options = { minimumSize, maximumSize: 8_388_608, hashFunction: 'XX_HASH', useHostname: false } as const
  return { table: createHashRing(sharesOf(weights), options, stats), stats }
}
const maglev = (weights: Record<string, number>, tableSize = 65_537) => {
  const stats = { min_entries_per_host: new Gauge('min'), max_entries_per_host: new Gauge('max') }
  return { table: createMaglevTable(sharesOf(weights), { tableSize, useHostname: false }, stats), stats }
}
const keys = Array.from({ length: 2000 }, (_, i) => xxHash64(`key ${i}`))

test.each([
  ['ring', (weights: Record<string, number>) => ring(weights).table],
  ['maglev', (weights: Record<string, number>) => maglev(weights, 2039).table],
])('%s: a key keeps its host; without one host only that one’s keys move', (_name, create) => {
  const all = create({ a: 1, b: 1, c: 1 })
  const fewer = create({ a: 1, b: 1 })
  let moved = 0
  for (const key of keys) {
    const before = all.pick(key, 0)!.address
    expect(all.pick(key, 0)!.address).toBe(before)
    if (before !== 'c' && fewer.pick(key, 0)!.address !== before) moved++
  }
  expect(moved / keys.length).toBeLessThan(0.2)
  for (const host of ['a', 'b', 'c']) {
    const share = keys.filter(key => all.pick(key, 0)!.address === host).length / keys.length
    expect(share, host).toBeGreaterThan(0.2)
  }
})

test('ring: places by weight, the lightest a whole number; its numbers', () => {
  const { stats } = ring({ a: 1, b: 3 }, 8)
  expect([stats.size.value, stats.min_hashes_per_host.value, stats.max_hashes_per_host.value]).toEqual([8, 2, 6])
  const thirds = ring({ a: 1, b: 1, c: 1 }, 1024)
  expect([thirds.stats.size.value, thirds.stats.min_hashes_per_host.value]).toEqual([1026, 342])
})

test('ring: the first place at or after the hash, round the end', () => {
  const { table } = ring({ a: 1, b: 1 }, 2)
  const places = ['a_0', 'b_0'].map(text => ({ hash: xxHash64(text), host: text.charAt(0) }))
  places.sort((one, other) => (one.hash < other.hash ? -1 : 1))
  const [first, second] = places as [{ hash: bigint; host: string }, { hash: bigint; host: string }]
  const at = (hash: bigint) => table.pick(hash, 0)!.address
  expect([at(first.hash), at(first.hash + 1n), at(second.hash), at(second.hash + 1n)]).toEqual([
    first.host,
    second.host,
    second.host,
    first.host,
  ])
  expect(table.pick(first.hash, 1)!.address).toBe(second.host)
})

test('maglev: entries by weight', () => {
  const { stats } = maglev({ a: 1, b: 3 }, 2039)
  expect([stats.min_entries_per_host.value, stats.max_entries_per_host.value]).toEqual([510, 1529])
})

test('no hosts, no choice', () => {
  expect([ring({}).table.pick(1n, 0), maglev({}).table.pick(1n, 0)]).toEqual([undefined, undefined])
})
