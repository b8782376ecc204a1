import type { HostPolicy } from '@hopscope/envoy-config'
import type { Host } from '../host.ts'
import { boundLoad } from './bounded-load.ts'
import { createHashRing } from './hash-ring.ts'
import type { HashTable, Share } from './hash-table.ts'
import type { HostSet } from './host-set.ts'
import type { BalancerServices, LoadBalancer, PickContext } from './load-balancer.ts'
import { panicThresholdOf } from './load-balancer.ts'
import { createMaglevTable } from './maglev-table.ts'
import { choosePriority, type Spread, spreadOverPriorities } from './priority-load.ts'

/** RING_HASH and MAGLEV: a request with the same hash goes to the same host. One without any goes anywhere. */
export class HashBalancer implements LoadBalancer {
  readonly #weighted: boolean
  readonly #services: BalancerServices
  readonly #createTable: (shares: readonly Share[]) => HashTable
  #spread: Spread = { load: { healthy: [100], degraded: [0] }, panic: [false] }
  #tables: HashTable[] = []

  constructor(policy: Extract<HostPolicy, { type: 'RING_HASH' | 'MAGLEV' }>, services: BalancerServices) {
    this.#services = services
    this.#weighted = policy.locality.type === 'weighted'
    const { stats, statPrefix, clusterStats } = services
    const { hashBalanceFactor: factor } = policy
    const bound = (shares: readonly Share[], table: HashTable): HashTable =>
      factor === 0 ? table : boundLoad(table, shares, factor, clusterStats.upstream_rq_active)
    const useHostname = policy.useHostnameForHashing
    if (policy.type === 'RING_HASH') {
      const gauge = (name: string) => stats.gauge(`${statPrefix}ring_hash_lb.${name}`)
      const numbers = {
        size: gauge('size'),
        min_hashes_per_host: gauge('min_hashes_per_host'),
        max_hashes_per_host: gauge('max_hashes_per_host'),
      }
      const { hashFunction, minimumRingSize: minimumSize, maximumRingSize: maximumSize } = policy
      this.#createTable = shares =>
        bound(shares, createHashRing(shares, { minimumSize, maximumSize, hashFunction, useHostname }, numbers))
    } else {
      const gauge = (name: string) => stats.gauge(`${statPrefix}maglev_lb.${name}`)
      const numbers = {
        min_entries_per_host: gauge('min_entries_per_host'),
        max_entries_per_host: gauge('max_entries_per_host'),
      }
      const { tableSize } = policy
      this.#createTable = shares => bound(shares, createMaglevTable(shares, { tableSize, useHostname }, numbers))
    }
  }

  update(sets: readonly HostSet[]): void {
    this.#spread = spreadOverPriorities(sets, panicThresholdOf(this.#services))
    this.#tables = sets.map((set, priority) =>
      this.#createTable(sharesOf(set, this.#spread.panic[priority]!, this.#weighted)),
    )
  }

  pick(context?: PickContext): Host | undefined {
    const hash = context?.hash?.() ?? this.#anyHash()
    const { priority } = choosePriority(this.#spread.load, Number(hash % 100n))
    if (this.#spread.panic[priority]) this.#services.clusterStats.lb_healthy_panic.add()
    const attempts = context?.attempts ?? 1
    let host: Host | undefined
    for (let i = 0; i < attempts; i++) {
      host = this.#tables[priority]?.pick(hash, i)
      if (host === undefined || !context?.avoid?.(host)) break
    }
    return host
  }

  #anyHash(): bigint {
    const half = () => BigInt(Math.floor(this.#services.random() * 2 ** 32))
    return (half() << 32n) | half()
  }
}

function sharesOf(set: HostSet, panic: boolean, weighted: boolean): Share[] {
  if (!weighted) return sharesAmong(panic ? set.hosts : set.healthy, 1)
  const total = set.localities.reduce((all, { weight }) => all + weight, 0)
  if (total === 0) return []
  return set.localities.flatMap(({ weight, hosts, healthy }) =>
    weight === 0 ? [] : sharesAmong(panic ? hosts : healthy, weight / total),
  )
}

function sharesAmong(hosts: readonly Host[], whole: number): Share[] {
  const total = hosts.reduce((all, { weight }) => all + weight, 0)
  return hosts.map(host => ({ host, share: (host.weight * whole) / total }))
}
