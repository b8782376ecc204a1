import type { Cluster, ClusterManager as ClusterManagerConfig } from '@hopscope/envoy-config'
import { ActiveCluster, type ClusterServices } from './active-cluster.ts'
import { DnsHosts } from './dns-hosts.ts'
import { type ResolveName, resolveName } from './resolve-dns.ts'
import { resolvedEndpoint } from './resolved-endpoint.ts'

/** How long the first answers of DNS are waited for before requests are let in. */
const FIRST_RESOLUTION = 5_000

/** The clusters of the present snapshot. */
export class ClusterManager {
  readonly #services: Omit<ClusterServices, 'outlierLogPath'>
  readonly #resolve: ResolveName
  #clusters = new Map<string, ActiveCluster>()
  readonly #names = new Map<string, DnsHosts>()

  constructor(services: Omit<ClusterServices, 'outlierLogPath'>, resolve: ResolveName = resolveName) {
    this.#services = services
    this.#resolve = resolve
  }

  /** One that requests can go to. */
  get(name: string): ActiveCluster | undefined {
    const cluster = this.#clusters.get(name)
    return cluster?.config.http2 === true ? undefined : cluster
  }

  /** One for calls of the proxy itself over HTTP/2. */
  ofHttp2(name: string): ActiveCluster | undefined {
    const cluster = this.#clusters.get(name)
    return cluster?.config.http2 === true ? cluster : undefined
  }

  all(): readonly ActiveCluster[] {
    return [...this.#clusters.values()]
  }

  /** Clusters that did not change stay as they are, connections included. Resolves when all hosts are known, or will not be soon. */
  async apply(
    configs: ReadonlyMap<string, Cluster>,
    { localClusterName, outlierEventLogPath: outlierLogPath }: ClusterManagerConfig,
  ): Promise<void> {
    const { stats } = this.#services
    const warming: Promise<void>[] = []
    const checks: Promise<void>[] = []
    const next = new Map<string, ActiveCluster>()
    for (const [name, config] of configs) {
      const present = this.#clusters.get(name)
      if (present !== undefined && JSON.stringify(present.config) === JSON.stringify(config)) {
        next.set(name, present)
        continue
      }
      const cluster = new ActiveCluster(config, { ...this.#services, outlierLogPath })
      next.set(name, cluster)
      this.#names.get(name)?.stop()
      this.#names.delete(name)
      stats.counter(`cluster_manager.cluster_${present === undefined ? 'added' : 'modified'}`).add()
      if (config.type === 'STATIC') {
        setStaticHosts(cluster)
        if (cluster.checked !== undefined) checks.push(cluster.checked)
      } else {
        const hosts = new DnsHosts(cluster, this.#services.timers, this.#resolve, this.#services.random)
        this.#names.set(name, hosts)
        const warm = hosts.start().then(() => cluster.checked)
        if (config.dns.waitForWarmOnInit) warming.push(warm)
      }
    }
    const before = this.#clusters
    this.#clusters = next
    for (const [name, cluster] of before) {
      if (next.get(name) === cluster) continue
      cluster.stop()
      for (const host of cluster.hosts) for (const pool of host.pools) pool.drain()
      if (next.has(name)) continue
      this.#names.get(name)?.stop()
      this.#names.delete(name)
      stats.counter('cluster_manager.cluster_removed').add()
    }
    for (const name of ['cluster_added', 'cluster_modified', 'cluster_removed', 'cluster_updated']) {
      stats.counter(`cluster_manager.${name}`)
    }
    this.#followProxies(localClusterName)
    stats.gauge('cluster_manager.active_clusters').set(next.size)
    stats.gauge('cluster_manager.warming_clusters').set(0)
    await Promise.all(checks)
    if (warming.length > 0) {
      const late = Promise.withResolvers<void>()
      const timer = setTimeout(late.resolve, FIRST_RESOLUTION)
      await Promise.race([Promise.all(warming), late.promise])
      clearTimeout(timer)
    }
  }

  /** Zone-aware routing weighs the hosts of a cluster against those of the proxies that ask them. */
  #followProxies(localClusterName: string): void {
    const local = this.#clusters.get(localClusterName)
    for (const cluster of this.#clusters.values()) cluster.onUpdate = () => {}
    if (local === undefined) return
    local.onUpdate = () => {
      for (const cluster of this.#clusters.values()) cluster.followProxies(local.firstSet)
    }
    local.onUpdate()
  }

  close(): void {
    for (const hosts of this.#names.values()) hosts.stop()
    for (const cluster of this.#clusters.values()) cluster.close()
  }
}

function setStaticHosts(cluster: ActiveCluster): void {
  const groups = cluster.config.loadAssignment.endpoints
  const hosts = groups.flatMap(group =>
    group.lbEndpoints.map(endpoint => resolvedEndpoint(endpoint, group, endpoint.address.address, endpoint.hostname)),
  )
  if (hosts.length > 0) cluster.stats['default.total_match_count'].add(hosts.length)
  cluster.setHosts(hosts)
}
