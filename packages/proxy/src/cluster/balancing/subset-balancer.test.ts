import type { Labels, SubsetPolicy } from '@hopscope/envoy-config'
import { expect, test } from 'vitest'
import { createClock } from '../../clock.ts'
import { Runtime } from '../../runtime.ts'
import { Stats } from '../../stats/stats.ts'
import { createClusterStats } from '../cluster-stats.ts'
import type { Host } from '../host.ts'
import { createLoadBalancer } from './create-load-balancer.ts'
import { createHostSets } from './host-set.ts'
import { keyOf, MetadataMatch } from './metadata-match.ts'

const NOWHERE = { region: '', zone: '', subZone: '' }

function balancerWith(policy: Partial<SubsetPolicy>) {
  const stats = new Stats()
  const clusterStats = createClusterStats(stats, 'app')
  const balancer = createLoadBalancer(
    {
      type: 'SUBSET',
      fallback: 'NO_FALLBACK',
      defaultSubset: {},
      selectors: [{ keys: ['version'], singleHost: false, fallback: 'NOT_DEFINED', fallbackKeys: [] }],
      allowRedundantKeys: false,
      localityWeightAware: false,
      scaleLocalityWeight: false,
      panicModeAny: false,
      listAsAny: false,
      triesFallbackList: false,
      child: {
        type: 'ROUND_ROBIN',
        locality: {
          type: 'zone_aware',
          routingEnabled: 100,
          minClusterSize: 6,
          failTrafficOnPanic: false,
          forceLocalityDirectRouting: false,
        },
      },
      ...policy,
    },
    {
      stats,
      clusterStats,
      statPrefix: 'cluster.app.',
      runtime: new Runtime([]),
      clock: createClock(),
      random: () => 0,
      panicThreshold: 50,
    },
  )
  const setHosts = (hosts: readonly Host[]): void => {
    const sets = createHostSets(hosts, {
      own: NOWHERE,
      overprovisioningFactor: 140,
      weightedHealth: false,
      localityWeight: () => 0,
    })
    balancer.update(sets, undefined)
  }
  const pick = (labels: Labels) => balancer.pick({ match: new MetadataMatch(labels) })?.address
  return { setHosts, pick, clusterStats }
}

function host(address: string, labels: Labels): Host {
  const part = { address, labels, weight: 1, priority: 0, locality: NOWHERE, health: 'healthy', isExcluded: false }
  return part as Partial<Host> as Host
}

test('a subset is made with its first host and removed with its last; its turns go on while others change', () => {
  const { setHosts, pick, clusterStats } = balancerWith({})
  const [a, b, c] = [host('a', { version: 1 }), host('b', { version: 1 }), host('c', { version: 2 })]
  setHosts([a, b])
  expect([pick({ version: 1 }), pick({ version: 2 })]).toEqual(['a', undefined])
  setHosts([a, b, c])
  expect([pick({ version: 1 }), pick({ version: 2 })]).toEqual(['b', 'c'])
  setHosts([c])
  expect([pick({ version: 1 }), pick({ version: 2 })]).toEqual([undefined, 'c'])
  const { lb_subsets_active, lb_subsets_created, lb_subsets_removed, lb_subsets_selected } = clusterStats
  // The main thread's are counted as well.
  expect([lb_subsets_active.value, lb_subsets_created.value, lb_subsets_removed.value]).toEqual([2, 4, 2])
  expect(lb_subsets_selected.value).toBe(4)
})

test('a host that is ill is left out of its subset, not of the cluster alone', () => {
  const { setHosts, pick } = balancerWith({})
  const ill = { ...host('a', { version: 1 }), health: 'unhealthy' } as Host
  setHosts([ill, host('b', { version: 1 }), host('c', { version: 2 })])
  expect([pick({ version: 1 }), pick({ version: 1 })]).toEqual(['b', 'b'])
})

test('labels are the same in any order, and only when they are of one type', () => {
  expect(keyOf([['a', { x: 1, y: [2] }], ['b', 2]])).toBe(keyOf([['b', 2], ['a', { y: [2], x: 1 }]])) // biome-ignore format: two lists
  expect(keyOf([['a', 1]])).not.toBe(keyOf([['a', '1']]))
  expect(keyOf([['a', [1, 2]]])).not.toBe(keyOf([['a', [2, 1]]]))
  expect(keyOf([['a=1\nb', 2]])).not.toBe(keyOf([['a', 1], ['b', 2]])) // biome-ignore format: two lists
})

test('a match keeps the names it is asked for, and takes the values of another', () => {
  const match = new MetadataMatch({ version: 1, stage: 'prod' })
  expect(match.only(['stage']).labels).toEqual({ stage: 'prod' })
  expect(match.with({ version: 2 }).key).toBe(new MetadataMatch({ stage: 'prod', version: 2 }).key)
})

test('a label of no host is none, though objects have something of that name', () => {
  const { setHosts, pick, clusterStats } = balancerWith({
    selectors: [{ keys: ['constructor'], singleHost: false, fallback: 'NOT_DEFINED', fallbackKeys: [] }],
  })
  setHosts([host('a', { version: 1 })])
  expect(pick({ constructor: 'x' })).toBeUndefined()
  expect(clusterStats.lb_subsets_created.value).toBe(0)
})
