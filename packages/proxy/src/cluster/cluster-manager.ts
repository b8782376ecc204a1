import type { Cluster, LbEndpoint, LocalityLbEndpoints } from '@hopscope/envoy-config'
import type { Timer } from '../timers.ts'
import { ActiveCluster, type ClusterServices, type ResolvedEndpoint } from './active-cluster.ts'
import { type ResolveName, resolveName } from './resolve-dns.ts'

/** How long the first answers of DNS are waited for before requests are let in. */
const FIRST_RESOLUTION = 5_000

/** The clusters of the present snapshot. */
export class ClusterManager {
  readonly #services: ClusterServices
  readonly #resolve: ResolveName
  #clusters = new Map<string, ActiveCluster>()
  readonly #refreshers = new Map<string, DnsRefresher>()

  constructor(services: ClusterServices, resolve: ResolveName = resolveName) {
    this.#services = services
    this.#resolve = resolve
  }

  get(name: string): ActiveCluster | undefined {
    return this.#clusters.get(name)
  }

  all(): readonly ActiveCluster[] {
    return [...this.#clusters.values()]
  }

  /** Clusters that did not change stay as they are, connections included. Resolves when all hosts are known, or will not be soon. */
  async apply(configs: ReadonlyMap<string, Cluster>): Promise<void> {
    const { stats } = this.#services
    const warming: Promise<void>[] = []
    const next = new Map<string, ActiveCluster>()
    for (const [name, config] of configs) {
      const present = this.#clusters.get(name)
      if (present !== undefined && JSON.stringify(present.config) === JSON.stringify(config)) {
        next.set(name, present)
        continue
      }
      const cluster = new ActiveCluster(config, this.#services)
      next.set(name, cluster)
      this.#refreshers.get(name)?.stop()
      this.#refreshers.delete(name)
      stats.counter(`cluster_manager.cluster_${present === undefined ? 'added' : 'modified'}`).add()
      if (config.type === 'STATIC') cluster.setHosts(staticEndpoints(config))
      else {
        const refresher = new DnsRefresher(cluster, this.#services, this.#resolve)
        this.#refreshers.set(name, refresher)
        warming.push(refresher.refresh())
      }
    }
    const before = this.#clusters
    this.#clusters = next
    for (const [name, cluster] of before) {
      if (next.get(name) === cluster) continue
      for (const host of cluster.hosts) host.pool.drain()
      if (next.has(name)) continue
      this.#refreshers.get(name)?.stop()
      this.#refreshers.delete(name)
      stats.counter('cluster_manager.cluster_removed').add()
    }
    for (const name of ['cluster_added', 'cluster_modified', 'cluster_removed', 'cluster_updated']) {
      stats.counter(`cluster_manager.${name}`)
    }
    stats.gauge('cluster_manager.active_clusters').set(next.size)
    stats.gauge('cluster_manager.warming_clusters')
    if (warming.length > 0) {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, FIRST_RESOLUTION)
      await Promise.race([Promise.all(warming), late.promise])
      clearTimeout(timer)
    }
  }

  close(): void {
    for (const refresher of this.#refreshers.values()) refresher.stop()
    for (const cluster of this.#clusters.values()) cluster.close()
  }
}

function staticEndpoints(config: Cluster): ResolvedEndpoint[] {
  return config.loadAssignment.endpoints.flatMap(group =>
    group.lbEndpoints.map(endpoint => resolved(endpoint, group, endpoint.address.address, endpoint.hostname)),
  )
}

function resolved(endpoint: LbEndpoint, group: LocalityLbEndpoints, ip: string, hostname: string): ResolvedEndpoint {
  return {
    ip,
    port: endpoint.address.port,
    hostname,
    weight: endpoint.loadBalancingWeight,
    priority: group.priority,
    locality: group.locality,
  }
}

/** STRICT_DNS: every address of every name is a host. Names that cannot be resolved keep the hosts they had. */
class DnsRefresher {
  readonly #cluster: ActiveCluster
  readonly #resolve: ResolveName
  readonly #timer: Timer
  /** The last answer, by place in the configuration. */
  readonly #answers = new Map<LbEndpoint, string[]>()
  #stopped = false

  constructor(cluster: ActiveCluster, services: ClusterServices, resolve: ResolveName) {
    this.#cluster = cluster
    this.#resolve = resolve
    this.#timer = services.timers.create(() => void this.refresh())
  }

  async refresh(): Promise<void> {
    const { config } = this.#cluster
    const groups = config.loadAssignment.endpoints
    await Promise.all(groups.flatMap(group => group.lbEndpoints.map(endpoint => this.#ask(endpoint))))
    if (this.#stopped) return
    const endpoints = groups.flatMap(group =>
      group.lbEndpoints.flatMap(endpoint =>
        (this.#answers.get(endpoint) ?? []).map(ip =>
          resolved(endpoint, group, ip, endpoint.hostname === '' ? endpoint.address.address : endpoint.hostname),
        ),
      ),
    )
    this.#cluster.setHosts(withoutRepeated(endpoints))
    this.#timer.start(config.dnsRefreshRate)
  }

  stop(): void {
    this.#stopped = true
    this.#timer.stop()
  }

  async #ask(endpoint: LbEndpoint): Promise<void> {
    const { stats, config } = this.#cluster
    stats.update_attempt.add()
    try {
      const addresses = await this.#resolve(endpoint.address.address, config.dnsLookupFamily)
      this.#answers.set(endpoint, addresses)
      stats.update_success.add()
      if (addresses.length === 0) stats.update_empty.add()
    } catch {
      stats.update_failure.add()
    }
  }
}

function withoutRepeated(endpoints: readonly ResolvedEndpoint[]): ResolvedEndpoint[] {
  const seen = new Set<string>()
  return endpoints.filter(one => {
    const key = `${one.ip} ${one.port}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
