import { expect, test } from 'vitest'
import { Gauge } from '../../stats/stats.ts'
import type { Host } from '../host.ts'
import { boundLoad } from './bounded-load.ts'
import { MersenneTwister } from './mersenne-twister.ts'

function host(address: string): Host {
  return { address, stats: { rq_active: new Gauge('rq_active') } } as Partial<Host> as Host
}

test('the numbers are those of the standard', () => {
  // ISO C++ [rand.predef]: of a default-constructed mt19937 the 10000th is 4123659995.
  const random = new MersenneTwister(5489)
  for (let i = 1; i < 10_000; i++) random.next()
  expect(random.next()).toBe(4_123_659_995)
})

test('a host takes its share and no more; who comes then goes to one of the others, always the same', () => {
  const hosts = ['a', 'b', 'c'].map(host)
  const active = new Gauge('active')
  const shares = hosts.map(one => ({ host: one, share: 1 / 3 }))
  const table = boundLoad({ pick: () => hosts[0] }, shares, 100, active)
  const busy = (index: number, count: number) => {
    hosts[index]!.stats.rq_active.value = count
    active.value = hosts.reduce((all, { stats }) => all + stats.rq_active.value, 0)
  }
  expect(table.pick(7n, 0)?.address).toBe('a')
  busy(0, 2)
  const other = table.pick(7n, 0)?.address
  expect(['b', 'c']).toContain(other)
  expect(table.pick(7n, 0)?.address).toBe(other)
  busy(1, 9)
  busy(2, 9)
  // 21 + 1 requests, 8 for each: all the others are busier.
  busy(0, 8)
  expect(table.pick(7n, 0)?.address).toBe('a')
  // All have too many: the one that has the least.
  busy(0, 20)
  busy(1, 30)
  busy(2, 15)
  active.value = 3
  expect(table.pick(7n, 0)?.address).toBe('c')
})
