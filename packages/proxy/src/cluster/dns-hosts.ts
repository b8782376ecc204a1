import type { LbEndpoint, Milliseconds } from '@hopscope/envoy-config'
import type { Timer, Timers } from '../timers.ts'
import type { ActiveCluster } from './active-cluster.ts'
import type { ResolveName } from './resolve-dns.ts'
import { type ResolvedEndpoint, resolvedEndpoint } from './resolved-endpoint.ts'

/** One name of the configuration and what DNS last said of it. */
interface Target {
  endpoint: LbEndpoint
  addresses: readonly string[]
  timer: Timer
  /** Failures in a row. */
  failures: number
}

/**
 * STRICT_DNS: every address of every name is a host. Each name is asked for on its own. A name that has no address loses its hosts;
 * when there is no answer it keeps them. LOGICAL_DNS: one host at the first address there is; when that changes, it moves there.
 */
export class DnsHosts {
  readonly #cluster: ActiveCluster
  readonly #resolve: ResolveName
  readonly #random: () => number
  readonly #targets: readonly Target[]
  #stopped = false

  constructor(cluster: ActiveCluster, timers: Timers, resolve: ResolveName, random: () => number) {
    this.#cluster = cluster
    this.#resolve = resolve
    this.#random = random
    const endpoints = cluster.config.loadAssignment.endpoints.flatMap(group => group.lbEndpoints)
    this.#targets = endpoints.map(endpoint => {
      const target: Target = {
        endpoint,
        addresses: [],
        failures: 0,
        timer: timers.create(() => void this.#ask(target)),
      }
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
    let ttl: number | undefined
    try {
      const resolved = await this.#resolve(target.endpoint.address.address, config.dns)
      if (this.#stopped) return
      stats.update_success.add()
      target.failures = 0
      ttl = resolved.ttl
      if (config.type === 'LOGICAL_DNS') this.#follow(target, resolved.addresses)
      else this.#take(target, resolved.addresses)
    } catch {
      if (this.#stopped) return
      stats.update_failure.add()
      target.failures++
    }
    target.timer.start(this.#pause(target.failures, ttl))
  }

  #take(target: Target, addresses: readonly string[]): void {
    const same = [...addresses].sort().join() === [...target.addresses].sort().join()
    target.addresses = addresses
    // Envoy makes its hosts anew of every answer, and looks for the transport socket of each.
    if (addresses.length > 0) this.#cluster.stats['default.total_match_count'].add(addresses.length)
    if (same) this.#cluster.stats.update_no_rebuild.add()
    else this.#cluster.setHosts(this.#endpoints())
  }

  /** LOGICAL_DNS. Connections to the old address are kept as long as they last. */
  #follow(target: Target, [first]: readonly string[]): void {
    if (first === undefined || first === target.addresses[0]) return
    target.addresses = [first]
    const [host] = this.#cluster.hosts
    if (host === undefined) {
      this.#cluster.stats['default.total_match_count'].add()
      this.#cluster.setHosts(this.#endpoints())
    } else host.moveTo(first)
  }

  /** Until the name is asked for again. */
  #pause(failures: number, ttl: number | undefined): Milliseconds {
    const { refreshRate, failureRefreshRate, respectTtl, jitter } = this.#cluster.config.dns
    if (failures > 0 && failureRefreshRate !== undefined) {
      const { base, max } = failureRefreshRate
      return Math.max(1, Math.floor(this.#random() * Math.min(max, base * 2 ** (failures - 1))))
    }
    const pause = failures === 0 && respectTtl && ttl !== undefined && ttl > 0 ? ttl * 1000 : refreshRate
    return pause + Math.floor(this.#random() * jitter)
  }

  #endpoints(): ResolvedEndpoint[] {
    const addressesOf = new Map(this.#targets.map(({ endpoint, addresses }) => [endpoint, addresses]))
    const found = new Map<string, ResolvedEndpoint>()
    for (const group of this.#cluster.config.loadAssignment.endpoints) {
      for (const endpoint of group.lbEndpoints) {
        const hostname = endpoint.hostname === '' ? endpoint.address.address : endpoint.hostname
        for (const ip of addressesOf.get(endpoint)!) {
          const key = `${group.priority} ${ip} ${endpoint.address.port}`
          if (!found.has(key)) found.set(key, resolvedEndpoint(endpoint, group, ip, hostname))
        }
      }
    }
    return [...found.values()]
  }
}
