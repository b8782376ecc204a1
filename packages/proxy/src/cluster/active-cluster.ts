import type { Cluster, HealthCheck } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import type { Runtime } from '../runtime.ts'
import type { Histogram, Stats } from '../stats/stats.ts'
import type { Timer, Timers } from '../timers.ts'
import { completeKeepAlive } from '../transport/keep-alive.ts'
import type { ConnectOptions, Transports } from '../transport/transports.ts'
import { Pool } from '../upstream/pool.ts'
import { createLoadBalancer } from './balancing/create-load-balancer.ts'
import { createHostSets, type HostSet, type LocalityName, localityKey } from './balancing/host-set.ts'
import type { LoadBalancer, PickContext } from './balancing/load-balancer.ts'
import { type CircuitBreaker, createCircuitBreaker } from './circuit-breaker.ts'
import { type ClusterStats, createClusterStats } from './cluster-stats.ts'
import { CodeStats } from './code-stats.ts'
import { HealthChecker, type HealthCheckServices } from './health-check/health-checker.ts'
import { addressOf, Host, type RoutingPriority } from './host.ts'
import type { SuccessRates } from './host-monitor.ts'
import { OutlierDetector } from './outlier-detector.ts'
import type { ResolvedEndpoint } from './resolved-endpoint.ts'

export interface ClusterServices {
  stats: Stats
  runtime: Runtime
  clock: Clock
  timers: Timers
  nextConnectionId(): number
  transports: Transports
  /** Numbers in [0, 1). */
  random: () => number
  /** Where the proxy is. */
  locality: LocalityName
  /** Files of events, by path. */
  eventLog: HealthCheckServices['eventLog']
  /** The file of ejections; "" none. */
  outlierLogPath: string
}

/** What else a response is counted by. */
export interface Answer {
  /** Whence; undefined: no host was asked. */
  host?: Host | undefined
  /** It says of itself that it is one (`x-envoy-upstream-canary`). */
  canary?: boolean
  /** `x-envoy-upstream-alt-stat-name` of its request. */
  altStatName?: string | undefined
}

/** A cluster at work: its hosts, its breaker, its numbers. */
export class ActiveCluster {
  readonly config: Cluster
  readonly name: string
  readonly observabilityName: string
  /** Of the runtime: the share of requests that are refused here. */
  readonly maintenanceKey: string
  readonly stats: ClusterStats
  readonly breakers: Readonly<Record<RoutingPriority, CircuitBreaker>>
  readonly codes: { all: CodeStats; internal: CodeStats; external: CodeStats; retry: CodeStats }
  /** Of connections to its hosts. */
  readonly connectOptions: ConnectOptions
  hosts: readonly Host[] = []
  readonly #balancer: LoadBalancer
  /** Hosts by priority, as the load balancer sees them. */
  #sets: readonly HostSet[] = []
  readonly #localityWeights = new Map<string, number>()
  /** The hosts of the cluster that the proxy is a member of. */
  #proxies: HostSet | undefined
  /** The load balancer sees other hosts, or other health. */
  onUpdate: () => void = () => {}
  readonly #outliers: OutlierDetector | undefined
  readonly #checker: HealthChecker | undefined
  /** Changes of health that come within the merge window of the one before are seen together at its end. */
  readonly #mergeTimer: Timer
  #mergedAt: number
  readonly #services: ClusterServices
  readonly #times = new Map<string, Histogram>()
  /** Those of them that every request asks for. */
  #time: Histogram | undefined
  #internalTime: Histogram | undefined
  #externalTime: Histogram | undefined
  readonly #variants = new Map<string, CodeStats>()

  constructor(config: Cluster, services: ClusterServices) {
    const { stats, runtime } = services
    this.config = config
    this.name = config.name
    this.observabilityName = config.observabilityName
    this.maintenanceKey = `upstream.maintenance_mode.${config.name}`
    this.#services = services
    this.connectOptions = {
      from: config.bind?.source,
      keepAlive: config.keepAlive && completeKeepAlive(config.keepAlive),
    }
    this.stats = createClusterStats(stats, config.observabilityName)
    this.breakers = {
      default: createCircuitBreaker(config, 'default', config.circuitBreakers.default, stats, runtime),
      high: createCircuitBreaker(config, 'high', config.circuitBreakers.high, stats, runtime),
    }
    this.#mergedAt = services.clock.now()
    this.#mergeTimer = services.timers.create(() => this.#chooseAmong())
    this.#outliers =
      config.outlierDetection &&
      new OutlierDetector(
        config.observabilityName,
        config.outlierDetection,
        {
          ...services,
          outlierLog: services.outlierLogPath === '' ? undefined : services.eventLog(services.outlierLogPath),
        },
        () => this.hosts,
        () => this.#onHealthChange(),
      )
    this.#checker = config.healthCheck && this.#createChecker(config.healthCheck)
    const prefix = `cluster.${config.observabilityName}.`
    this.#balancer = createLoadBalancer(config.lbPolicy, {
      ...services,
      clusterStats: this.stats,
      statPrefix: prefix,
      panicThreshold: config.healthyPanicThreshold,
    })
    for (const { priority, locality, loadBalancingWeight } of config.loadAssignment.endpoints)
      this.#localityWeights.set(`${priority} ${localityKey(locality)}`, loadBalancingWeight)
    this.#chooseAmong()
    this.codes = {
      all: new CodeStats(stats, prefix),
      internal: new CodeStats(stats, `${prefix}internal.`),
      external: new CodeStats(stats, `${prefix}external.`),
      retry: new CodeStats(stats, `${prefix}retry.`),
    }
  }

  /** Where a request goes; undefined: nowhere, which is counted. */
  pickHost(context?: PickContext, priority: RoutingPriority = 'default'): Host | undefined {
    const { stats, config } = this
    const host = this.#balancer.pick(context)
    if (host === undefined) {
      stats.upstream_cx_none_healthy.add()
      return undefined
    }
    if (config.http2 !== true && !host.pool(priority).open()) {
      stats.upstream_cx_pool_overflow.add()
      return undefined
    }
    if (config.predictivePreconnectRatio > 1) this.#preconnect(priority)
    return host
  }

  /** Opens connections for the requests to come, no more at a time than Envoy does. (ClusterManagerImpl::maybePreconnect) */
  #preconnect(priority: RoutingPriority): void {
    const ratio = this.config.predictivePreconnectRatio
    for (let i = 0; i < 3; i++) {
      const sum = { wanted: 1, active: 0, free: 0 }
      for (const { pools } of this.hosts) {
        for (const { demand } of pools) {
          sum.wanted += demand.pending + demand.active
          sum.active += demand.active
          sum.free += demand.free
        }
      }
      if (sum.wanted * ratio <= sum.active + sum.free) return
      const pool = this.#balancer.peek?.()?.pool(priority)
      if (pool === undefined || !pool.open() || !pool.preconnect(ratio)) return
    }
  }

  /** Priority 0 as the load balancer sees it. */
  get firstSet(): HostSet | undefined {
    return this.#sets[0]
  }

  /** The cluster that the proxy is a member of has other hosts, or other health. */
  followProxies(proxies: HostSet | undefined): void {
    this.#proxies = proxies
    this.#balancer.update(this.#sets, proxies)
  }

  /** Counts the status of a response that goes downstream. */
  countStatus(status: number, internal: boolean, of?: Answer): void {
    this.codes.all.add(status)
    if (internal) this.codes.internal.add(status)
    else this.codes.external.add(status)
    if (of === undefined) return
    if (of.canary) this.#codesOf('canary.').add(status)
    const zones = this.#zones(of.host)
    if (zones !== undefined) this.#codesOf(zones).add(status)
    if (of.altStatName !== undefined) this.#codesOf(`${of.altStatName}.`).add(status)
  }

  /** `zone.FROM.TO.`, when both are known. */
  #zones(host: Host | undefined): string | undefined {
    const from = this.#services.locality.zone
    if (from === '' || host === undefined || host.locality.zone === '') return undefined
    return `zone.${from}.${host.locality.zone}.`
  }

  #codesOf(variant: string): CodeStats {
    let codes = this.#variants.get(variant)
    if (codes === undefined) {
      codes = new CodeStats(this.#services.stats, `cluster.${this.observabilityName}.${variant}`)
      this.#variants.set(variant, codes)
    }
    return codes
  }

  /** From the complete request to the complete response, ms. */
  recordTime(time: number, internal: boolean, of?: Answer): void {
    this.#time ??= this.#timeOf('')
    this.#time.record(time)
    if (internal) {
      this.#internalTime ??= this.#timeOf('internal.')
      this.#internalTime.record(time)
    } else {
      this.#externalTime ??= this.#timeOf('external.')
      this.#externalTime.record(time)
    }
    if (of === undefined) return
    if (of.canary) this.#timeOf('canary.').record(time)
    const zones = this.#zones(of.host)
    if (zones !== undefined) this.#timeOf(zones).record(time)
    if (of.altStatName !== undefined) this.#timeOf(`${of.altStatName}.`).record(time)
  }

  /** Replaces the hosts; those that stay keep their connections and numbers. */
  setHosts(endpoints: readonly ResolvedEndpoint[]): void {
    const before = new Map(this.hosts.map(host => [`${host.priority} ${host.address}`, host]))
    const hosts: Host[] = []
    for (const endpoint of endpoints) {
      const key = `${endpoint.priority} ${addressOf(endpoint)}`
      const known = before.get(key)
      if (known !== undefined && known.weight === endpoint.weight) {
        known.checks.pendingRemoval = false
        hosts.push(known)
        before.delete(key)
      } else hosts.push(this.#createHost(endpoint))
    }
    for (const [key, gone] of before) {
      // What passes its checks is not given up on the word of DNS alone.
      const isChecked = this.#checker !== undefined && !gone.healthCheck.disabled
      if (!isChecked || this.config.ignoreHealthOnHostRemoval || gone.checks.failed) continue
      gone.checks.pendingRemoval = true
      hosts.push(gone)
      before.delete(key)
    }
    if (before.size === 0 && hosts.length === this.hosts.length) return
    const stay = new Set(this.hosts)
    const changed = [...hosts.filter(host => !stay.has(host)), ...before.values()]
    this.#replaceHosts(hosts, before.values(), new Set(changed.map(host => host.priority)).size)
  }

  #remove(host: Host): void {
    const rest = this.hosts.filter(one => one !== host)
    this.#replaceHosts(rest, [host])
  }

  /** `changes`: of how many priorities. */
  #replaceHosts(hosts: readonly Host[], removed: Iterable<Host>, changes = 1): void {
    this.hosts = hosts
    for (const gone of removed) for (const pool of gone.pools) pool.drain()
    if (this.config.closeConnectionsOnHostSetChange)
      for (const host of hosts) for (const pool of host.pools) pool.retireConnections()
    this.#outliers?.follow(hosts)
    this.#chooseAmong()
    this.#checker?.follow(hosts)
    this.stats.membership_change.add(changes)
    this.stats.membership_total.set(hosts.length)
    if (this.config.type === 'STRICT_DNS')
      this.stats.max_host_weight.set(Math.max(1, ...hosts.map(host => host.weight)))
    this.#countMembers()
  }

  #countMembers(): void {
    const count = (is: (host: Host) => boolean): number => this.hosts.reduce((n, host) => (is(host) ? n + 1 : n), 0)
    this.stats.membership_healthy.set(count(host => host.health === 'healthy'))
    this.stats.membership_degraded.set(count(host => host.health === 'degraded'))
    this.stats.membership_excluded.set(count(host => host.isExcluded))
  }

  /** Seen by the numbers at once, by the load balancer in time. */
  #onHealthChange(): void {
    this.#countMembers()
    const window = this.config.updateMergeWindow
    const now = this.#services.clock.now()
    // What first checks find is known before the first request.
    const atOnce = window === 0 || this.#checker?.isWarming === true
    if (atOnce || now - this.#mergedAt > window) this.#chooseAmong()
    else if (!this.#mergeTimer.running) this.#mergeTimer.start(window)
  }

  #chooseAmong(): void {
    const { clock, locality } = this.#services
    this.#mergedAt = clock.now()
    const { overprovisioningFactor, weightedPriorityHealth } = this.config.loadAssignment
    this.#sets = createHostSets(this.hosts, {
      own: locality,
      overprovisioningFactor,
      weightedHealth: weightedPriorityHealth,
      localityWeight: (priority, name) => this.#localityWeights.get(`${priority} ${localityKey(name)}`) ?? 0,
    })
    this.#balancer.update(this.#sets, this.#proxies)
    this.onUpdate()
  }

  close(): void {
    this.stop()
    for (const host of this.hosts) for (const pool of host.pools) pool.close()
  }

  /** Its hosts are watched no longer; their connections are let be. */
  stop(): void {
    this.#outliers?.close()
    this.#checker?.close()
    this.#mergeTimer.stop()
  }

  /** Of outlier detection; undefined without. */
  get successRates(): SuccessRates | undefined {
    return this.#outliers?.successRates
  }

  /** Its hosts have been checked once, if they are checked. */
  get checked(): Promise<void> | undefined {
    return this.#checker?.ready
  }

  #createChecker(config: HealthCheck): HealthChecker {
    const { name, observabilityName, stats } = this
    const { requestStyle, responseLimits } = this.config
    const cluster = {
      name,
      observabilityName,
      requestStyle,
      responseLimits,
      connectOptions: this.connectOptions,
      hasTraffic: () => stats.upstream_cx_total.value > 0,
      onChecked: (host: Host, changed: boolean, healthy: boolean) => {
        if (healthy) this.#outliers?.onChecked(host)
        if (!changed) return
        if (host.checks.failed) for (const pool of host.pools) pool.retireConnections()
        if (host.checks.failed && host.checks.pendingRemoval) this.#remove(host)
        else this.#onHealthChange()
      },
    }
    return new HealthChecker(cluster, config, this.#services)
  }

  #createHost(endpoint: ResolvedEndpoint): Host {
    const { clock, timers, transports, nextConnectionId } = this.#services
    const { connectTimeout, idleTimeout, maxRequestsPerConnection, perConnectionBufferLimitBytes } = this.config
    const create = (host: Host, priority: RoutingPriority): Pool =>
      new Pool(
        {
          host,
          stats: this.stats,
          clock,
          timers,
          nextConnectionId,
          transports,
          connectTimeout,
          idleTimeout,
          maxRequests: maxRequestsPerConnection,
          maxDuration: this.config.maxConnectionDuration,
          requestStyle: this.config.requestStyle,
          responseLimits: this.config.responseLimits,
          preconnectRatio: this.config.preconnectRatio,
          enableTrailers: this.config.enableTrailers ?? false,
          bufferLimit: perConnectionBufferLimitBytes,
          connectOptions: this.connectOptions,
        },
        this.breakers[priority],
      )
    const host = new Host(endpoint, create)
    if (this.#checker !== undefined && !host.healthCheck.disabled) {
      host.checks.failed = true
      host.checks.pending = this.config.ignoreNewHostsUntilFirstHc
    }
    return host
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
