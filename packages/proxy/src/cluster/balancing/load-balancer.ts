import type { LbPolicy } from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'
import type { Runtime } from '../../runtime.ts'
import type { Stats } from '../../stats/stats.ts'
import type { ClusterStats } from '../cluster-stats.ts'
import type { Host } from '../host.ts'
import { HashBalancer } from './hash-balancer.ts'
import type { HostSet } from './host-set.ts'
import type { MetadataMatch } from './metadata-match.ts'
import type { PriorityLoad } from './priority-load.ts'
import { SubsetBalancer } from './subset-balancer.ts'
import { ZoneAwareBalancer } from './zone-aware-balancer.ts'

/** What one request wants of its host. */
export interface PickContext {
  /** undefined: the request has nothing that could be hashed. */
  hash?: () => bigint | undefined
  /** Which subset of the hosts. */
  match?: MetadataMatch
  /** A host that is not wanted; another one is drawn, at most `attempts` times in all, and then any is taken. */
  avoid?: (host: Host) => boolean
  attempts?: number
  /** What a retry makes of the load of the priorities. */
  reload?: (load: PriorityLoad, sets: readonly HostSet[]) => PriorityLoad
}

export interface LoadBalancer {
  /** The hosts have changed, or their health; `local`: those of the cluster that the proxy belongs to. */
  update(sets: readonly HostSet[], local: HostSet | undefined): void
  pick(context?: PickContext): Host | undefined
}

export interface BalancerServices {
  stats: Stats
  /** Of the cluster. */
  clusterStats: ClusterStats
  /** `cluster.NAME.` */
  statPrefix: string
  runtime: Runtime
  clock: Clock
  /** Numbers in [0, 1). */
  random: () => number
  /** healthy_panic_threshold, per cent. */
  panicThreshold: number
}

export function createLoadBalancer(policy: LbPolicy, services: BalancerServices): LoadBalancer {
  switch (policy.type) {
    case 'SUBSET':
      return new SubsetBalancer(policy, services, createLoadBalancer)
    case 'RING_HASH':
    case 'MAGLEV':
      return new HashBalancer(policy, services)
    default:
      return new ZoneAwareBalancer(policy, services)
  }
}

export function panicThresholdOf({ runtime, panicThreshold }: BalancerServices): number {
  return Math.min(100, runtime.number('upstream.healthy_panic_threshold', Math.round(panicThreshold)))
}
