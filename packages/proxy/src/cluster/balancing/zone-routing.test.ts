import { expect, test } from 'vitest'
import type { Host } from '../host.ts'
import type { HostSet } from './host-set.ts'
import { routeByZone } from './zone-routing.ts'

/** `2 5 3`: so many healthy hosts in zones 1, 2, 3, of which the first is the own one. */
function setOf(counts: string, hasLocal = true): HostSet {
  const localities = counts.split(' ').map((count, i) => {
    const hosts = Array.from({ length: Number(count) }, () => ({}) as Host)
    const name = { region: '', zone: String(i + (hasLocal ? 1 : 2)), subZone: '' }
    return { name, weight: 0, hosts, healthy: hosts, degraded: [], excluded: [] }
  })
  const hosts = localities.flatMap(locality => locality.hosts)
  return {
    hosts,
    healthy: hosts,
    degraded: [],
    excluded: [],
    localities,
    hasLocal,
    overprovisioningFactor: 140,
    weightedHealth: false,
  }
}

const options = { minClusterSize: 6, forceDirect: false }

test.each([
  ['enough hosts in the own zone', '3 3', '1 1', { type: 'direct' }],
  ['more than enough', '5 1', '1 1', { type: 'direct' }],
  ['of the sentence above routeByZone', '2 4 2', '2 2 1', { type: 'residual', local: 6250, capacity: [0, 1000, 1500] }],
  ['no host in the own zone', '0 3 3', '1 1 1', { type: 'residual', local: 0, capacity: [0, 1667, 3334] }],
  ['one zone', '6', '1 1', { type: 'none' }],
  ['too few hosts', '2 3', '1 1', { type: 'none', because: 'too small' }],
  ['one zone of proxies', '3 3', '1', { type: 'none' }],
])('%s', (_name, hosts, proxies, route) => {
  expect(routeByZone(setOf(hosts), setOf(proxies), options)).toEqual(route)
})

test('a proxy that is not in its own cluster', () => {
  expect(routeByZone(setOf('3 3'), setOf('1 1', false), options)).toEqual({
    type: 'none',
    because: 'local cluster not ok',
  })
})

test('forced: the own zone whatever its share', () => {
  expect(routeByZone(setOf('1 5'), setOf('1 1'), { ...options, forceDirect: true })).toEqual({ type: 'direct' })
})
