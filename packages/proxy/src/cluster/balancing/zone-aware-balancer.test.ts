import type { HostPolicy } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { createClock } from '../../clock.ts'
import { Runtime } from '../../runtime.ts'
import { Stats } from '../../stats/stats.ts'
import { createClusterStats } from '../cluster-stats.ts'
import type { Host } from '../host.ts'
import { createHostSets } from './host-set.ts'
import { ZoneAwareBalancer } from './zone-aware-balancer.ts'

const NOWHERE = { region: '', zone: '', subZone: '' }
const locality: HostPolicy['locality'] = { type: 'weighted' }

function balancerOf(policy: ConstructorParameters<typeof ZoneAwareBalancer>[0], names: string) {
  const stats = new Stats()
  const services = {
    stats,
    clusterStats: createClusterStats(stats, 'app'),
    statPrefix: 'cluster.app.',
    runtime: new Runtime([]),
    clock: createClock(),
    random: () => 0,
    panicThreshold: 50,
  }
  const balancer = new ZoneAwareBalancer(policy, services)
  const hosts = names.split(' ').map(address => ({ address, weight: 1, priority: 0, locality: NOWHERE, health: 'healthy' }) as Host) // biome-ignore format: one line
  const update = () =>
    balancer.update(
      createHostSets(hosts, { own: NOWHERE, overprovisioningFactor: 140, weightedHealth: false, localityWeight: () => 0 }), // biome-ignore format: one line
      undefined,
    )
  update()
  return { balancer, update, pick: () => balancer.pick()?.address, peek: () => balancer.peek()?.address }
}

const zones: HostPolicy['locality'] = { type: 'zone_aware', routingEnabled: 100, minClusterSize: 6, failTrafficOnPanic: false, forceLocalityDirectRouting: false } // biome-ignore format: one line

test('whom it peeks at has the next turns, in that order; no more of them than there are hosts', () => {
  const { pick, peek } = balancerOf({ type: 'ROUND_ROBIN', locality: zones }, 'a b c')
  expect(pick()).toBe('a')
  expect([peek(), peek(), peek(), peek()]).toEqual(['b', 'c', 'a', undefined])
  expect([pick(), pick(), pick(), pick()]).toEqual(['b', 'c', 'a', 'b'])
})

test('other hosts: what was seen ahead is forgotten', () => {
  const { update, pick, peek } = balancerOf({ type: 'ROUND_ROBIN', locality: zones }, 'a b c')
  expect(peek()).toBe('a')
  update()
  expect([peek(), pick(), pick()]).toEqual(['b', 'b', 'c'])
})

test('who will be least busy cannot be told ahead', () => {
  const activeRequestBias = { defaultValue: 1, runtimeKey: '' }
  const least = { type: 'LEAST_REQUEST', locality, choiceCount: 2, activeRequestBias, fullScan: false } as const
  expect(balancerOf(least, 'a b').peek()).toBeUndefined()
})
