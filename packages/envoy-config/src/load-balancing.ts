import type { Milliseconds, Percent } from './quantities.ts'
import type { Subsets } from './subsets.ts'

/**
 * How a cluster chooses among its hosts: `lb_policy` with its `*_lb_config`, or the first policy of `load_balancing_policy` that is
 * known, which means the same.
 */
export type LbPolicy = HostPolicy | SubsetPolicy

/** Among the hosts of one group. */
export interface SubsetPolicy extends Subsets {
  type: 'SUBSET'
  /** Within a group. */
  child: LbPolicy
}

/** Among all hosts that it is given. */
export type HostPolicy = { locality: LocalityLb } & (
  | { type: 'ROUND_ROBIN'; slowStart?: SlowStart }
  | {
      type: 'LEAST_REQUEST'
      choiceCount: number
      activeRequestBias: RuntimeDouble
      fullScan: boolean
      slowStart?: SlowStart
    }
  | { type: 'RANDOM' }
  | {
      type: 'RING_HASH'
      hashFunction: 'XX_HASH' | 'MURMUR_HASH_2'
      minimumRingSize: number
      maximumRingSize: number
      useHostnameForHashing: boolean
      /** Per cent of a host's share of the requests under way that it gets at most; 0: all. */
      hashBalanceFactor: number
    }
  | {
      type: 'MAGLEV'
      /** A prime. */
      tableSize: number
      useHostnameForHashing: boolean
      /** Per cent of a host's share of the requests under way that it gets at most; 0: all. */
      hashBalanceFactor: number
    }
)

/**
 * Which localities of a priority are preferred: by their weights, or the proxy's own. Without a local cluster (bootstrap's
 * `cluster_manager.local_cluster_name`) zone awareness does nothing.
 */
export type LocalityLb =
  | { type: 'weighted' }
  | {
      type: 'zone_aware'
      routingEnabled: Percent
      minClusterSize: number
      failTrafficOnPanic: boolean
      forceLocalityDirectRouting: boolean
    }

/** A host that is new gets less than its weight at first. */
export interface SlowStart {
  window: Milliseconds
  aggression: RuntimeDouble
  minWeightPercent: Percent
}

/** envoy.config.core.v3.RuntimeDouble */
export interface RuntimeDouble {
  defaultValue: number
  runtimeKey: string
}
