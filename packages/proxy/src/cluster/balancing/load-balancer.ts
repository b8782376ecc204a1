import type { Clock } from '../../clock.ts'
import type { Runtime } from '../../runtime.ts'
import type { Stats } from '../../stats/stats.ts'
import type { ClusterStats } from '../cluster-stats.ts'
import type { Host } from '../host.ts'
import type { HostSet } from './host-set.ts'
import type { MetadataMatch } from './metadata-match.ts'
import type { PriorityLoad } from './priority-load.ts'

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
  /** Whom the next request but those peeked for will go to; absent, or undefined: that cannot be told. */
  peek?(): Host | undefined
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

export function panicThresholdOf({ runtime, panicThreshold }: BalancerServices): number {
  return Math.min(100, runtime.number('upstream.healthy_panic_threshold', Math.round(panicThreshold)))
}
