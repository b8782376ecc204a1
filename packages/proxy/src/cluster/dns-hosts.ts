import type { LbEndpoint } from '@hopscope/envoy-config'
import type { Timer, Timers } from '../timers.ts'
import type { ActiveCluster } from './active-cluster.ts'
import type { ResolveName } from './resolve-dns.ts'
import { type ResolvedEndpoint, resolvedEndpoint } from './resolved-endpoint.ts'

/** One name of the configuration and what DNS last said of it. */
interface Target {
  endpoint: LbEndpoint
  addresses: readonly string[]
  timer: Timer
}

/**
 * STRICT_DNS: every address of every name is a host. Each name is asked for on its own. A name that has no address loses its hosts;
 * when there is no answer it keeps them.
 */
export class DnsHosts {
  readonly #cluster: ActiveCluster
  readonly #resolve: ResolveName
  readonly #targets: readonly Target[]
  #stopped = false

  constructor(cluster: ActiveCluster, timers: Timers, resolve: ResolveName) {
    this.#cluster = cluster
    this.#resolve = resolve
    const endpoints = cluster.config.loadAssignment.endpoints.flatMap(group => group.lbEndpoints)
    this.#targets = endpoints.map(endpoint => {
      const target: Target = { endpoint, addresses: [], timer: timers.create(() => void this.#ask(target)) }
      return target
    })
  }

  /** Resolves when every name has been asked for once. */
  async start(): Promise<void> {
    await Promise.all(this.#targets.map(target => this.#ask(target)))
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#targets) timer.stop()
  }

  async #ask(target: Target): Promise<void> {
    const { stats, config } = this.#cluster
    stats.update_attempt.add()
    try {
      const addresses = await this.#resolve(target.endpoint.address.address, config.dnsLookupFamily)
      if (this.#stopped) return
      stats.update_success.add()
      const same = [...addresses].sort().join() === [...target.addresses].sort().join()
      target.addresses = addresses
      if (same) stats.update_no_rebuild.add()
      else this.#cluster.setHosts(this.#endpoints())
    } catch {
      if (this.#stopped) return
      stats.update_failure.add()
    }
    target.timer.start(config.dnsRefreshRate)
  }

  #endpoints(): ResolvedEndpoint[] {
    const addressesOf = new Map(this.#targets.map(({ endpoint, addresses }) => [endpoint, addresses]))
    const found = new Map<string, ResolvedEndpoint>()
    for (const group of this.#cluster.config.loadAssignment.endpoints) {
      for (const endpoint of group.lbEndpoints) {
        const hostname = endpoint.hostname === '' ? endpoint.address.address : endpoint.hostname
        for (const ip of addressesOf.get(endpoint)!) {
          const key = `${ip} ${endpoint.address.port}`
          if (!found.has(key)) found.set(key, resolvedEndpoint(endpoint, group, ip, hostname))
        }
      }
    }
    return [...found.values()]
  }
}
