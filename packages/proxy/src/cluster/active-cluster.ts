import type { Cluster } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import type { Runtime } from '../runtime.ts'
import type { Histogram, Stats } from '../stats/stats.ts'
import type { Timer, Timers } from '../timers.ts'
import type { Transports } from '../transport/transports.ts'
import { Pool } from '../upstream/pool.ts'
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.ts'
import { type ClusterStats, createClusterStats } from './cluster-stats.ts'
import { CodeStats } from './code-stats.ts'
import { Host } from './host.ts'
import { OutlierDetector } from './outlier-detector.ts'
import { createRoundRobin, type PickHost, type Turn } from './pick-host.ts'
import type { ResolvedEndpoint } from './resolved-endpoint.ts'

export interface ClusterServices {
  stats: Stats
  runtime: Runtime
  clock: Clock
  timers: Timers
  transports: Transports
  /** Numbers in [0, 1). */
  random: () => number
}

/** A cluster at work: its hosts, its breaker, its numbers. */
export class ActiveCluster {
  readonly config: Cluster
  readonly name: string
  readonly observabilityName: string
  readonly stats: ClusterStats
  readonly breaker: CircuitBreaker
  readonly codes: { all: CodeStats; internal: CodeStats; external: CodeStats; retry: CodeStats }
  hosts: readonly Host[] = []
  #pick: PickHost<Host> = () => undefined
  /** So few hosts are healthy that all are used. */
  #panics = false
  readonly #turns: { all: Turn; healthy: Turn } = { all: {}, healthy: {} }
  readonly #outliers: OutlierDetector | undefined
  /** Changes of health that come within the merge window of the one before are seen together at its end. */
  readonly #mergeTimer: Timer
  #mergedAt: number
  readonly #services: ClusterServices
  readonly #times = new Map<string, Histogram>()

  constructor(config: Cluster, services: ClusterServices) {
    const { stats, runtime } = services
    this.config = config
    this.name = config.name
    this.observabilityName = config.observabilityName
    this.#services = services
    this.stats = createClusterStats(stats, config.observabilityName)
    this.breaker = createCircuitBreaker(config, 'default', config.circuitBreakers.default, stats, runtime)
    createCircuitBreaker(config, 'high', config.circuitBreakers.high, stats, runtime)
    this.#mergedAt = services.clock.now()
    this.#mergeTimer = services.timers.create(() => this.#chooseAmong())
    this.#outliers =
      config.outlierDetection &&
      new OutlierDetector(
        config.observabilityName,
        config.outlierDetection,
        services,
        () => this.hosts,
        () => this.#onHealthChange(),
      )
    const prefix = `cluster.${config.observabilityName}.`
    this.codes = {
      all: new CodeStats(stats, prefix),
      internal: new CodeStats(stats, `${prefix}internal.`),
      external: new CodeStats(stats, `${prefix}external.`),
      retry: new CodeStats(stats, `${prefix}retry.`),
    }
  }

  pickHost(): Host | undefined {
    if (this.hosts.length === 0) {
      this.stats.lb_healthy_panic.add()
      return undefined
    }
    if (this.#panics) this.stats.lb_healthy_panic.add()
    return this.#pick()
  }

  /** Counts the status of a response that goes downstream. */
  countStatus(status: number, internal: boolean): void {
    this.codes.all.add(status)
    if (internal) this.codes.internal.add(status)
    else this.codes.external.add(status)
  }

  /** From the complete request to the complete response, ms. */
  recordTime(time: number, internal: boolean): void {
    this.#timeOf('').record(time)
    this.#timeOf(internal ? 'internal.' : 'external.').record(time)
  }

  /** Replaces the hosts; those that stay keep their connections and numbers. */
  setHosts(endpoints: readonly ResolvedEndpoint[]): void {
    const before = new Map(this.hosts.map(host => [host.address, host]))
    const hosts: Host[] = []
    for (const endpoint of endpoints) {
      const address = endpoint.ip.includes(':')
        ? `[${endpoint.ip}]:${endpoint.port}`
        : `${endpoint.ip}:${endpoint.port}`
      const known = before.get(address)
      if (known !== undefined && known.weight === endpoint.weight) {
        hosts.push(known)
        before.delete(address)
      } else hosts.push(this.#createHost(endpoint))
    }
    if (before.size === 0 && hosts.length === this.hosts.length) return
    this.hosts = hosts
    for (const gone of before.values()) gone.pool.drain()
    this.#outliers?.follow(hosts)
    this.#chooseAmong()
    this.stats.membership_change.add()
    this.stats['default.total_match_count'].add()
    this.stats.membership_total.set(hosts.length)
    this.stats.membership_healthy.set(this.#healthy.length)
  }

  get #healthy(): readonly Host[] {
    return this.hosts.filter(host => !host.ejected)
  }

  /** Seen by the numbers at once, by the load balancer in time. */
  #onHealthChange(): void {
    this.stats.membership_healthy.set(this.#healthy.length)
    const window = this.config.updateMergeWindow
    const now = this.#services.clock.now()
    if (window === 0 || now - this.#mergedAt > window) this.#chooseAmong()
    else if (!this.#mergeTimer.running) this.#mergeTimer.start(window)
  }

  #chooseAmong(): void {
    const { clock, random, runtime } = this.#services
    this.#mergedAt = clock.now()
    // Priorities above the first are for when those below fail, which only health checks can tell.
    const first = Math.min(...this.hosts.map(host => host.priority))
    const members = this.hosts.filter(host => host.priority === first)
    const healthy = members.filter(host => !host.ejected)
    const threshold = Math.min(
      100,
      runtime.number('upstream.healthy_panic_threshold', this.config.healthyPanicThreshold),
    )
    this.#panics = (100 * healthy.length) / members.length < threshold
    this.#pick = this.#panics
      ? createRoundRobin(members, random, this.#turns.all)
      : createRoundRobin(healthy, random, this.#turns.healthy)
  }

  close(): void {
    this.stop()
    for (const host of this.hosts) host.pool.close()
  }

  /** Its hosts are watched no longer; their connections are let be. */
  stop(): void {
    this.#outliers?.close()
    this.#mergeTimer.stop()
  }

  #createHost(endpoint: ResolvedEndpoint): Host {
    const { clock, timers, transports } = this.#services
    const { connectTimeout, idleTimeout, maxRequestsPerConnection, perConnectionBufferLimitBytes } = this.config
    const create = (host: Host): Pool =>
      new Pool(
        {
          host,
          stats: this.stats,
          clock,
          timers,
          transports,
          connectTimeout,
          idleTimeout,
          maxRequests: maxRequestsPerConnection,
          bufferLimit: perConnectionBufferLimitBytes,
        },
        this.breaker,
      )
    return new Host(endpoint, create)
  }

  #timeOf(variant: string): Histogram {
    let histogram = this.#times.get(variant)
    if (histogram === undefined) {
      histogram = this.#services.stats.histogram(`cluster.${this.observabilityName}.${variant}upstream_rq_time`)
      this.#times.set(variant, histogram)
    }
    return histogram
  }
}
