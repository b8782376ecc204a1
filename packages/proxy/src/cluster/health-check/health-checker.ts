import type { HealthCheck, Milliseconds, RequestStyle, ResponseLimits } from '@hopscope/envoy-config'
import type { LogFile } from '../../access-log/log-file.ts'
import type { Clock } from '../../clock.ts'
import type { Runtime } from '../../runtime.ts'
import type { Stats } from '../../stats/stats.ts'
import type { Timers } from '../../timers.ts'
import type { ConnectOptions, Transports } from '../../transport/transports.ts'
import type { Host } from '../host.ts'
import { HealthCheckEvents } from './events.ts'
import { compileHttpCheck, HttpProbe } from './http-probe.ts'
import type { CreateProbe } from './probe.ts'
import { CheckSession, type HealthCheckStats, type SessionServices } from './session.ts'
import { TcpProbe } from './tcp-probe.ts'

export interface HealthCheckServices {
  stats: Stats
  runtime: Runtime
  clock: Clock
  timers: Timers
  transports: Transports
  /** Numbers in [0, 1). */
  random: () => number
  eventLog: (path: string) => Pick<LogFile, 'write'>
}

export interface CheckedCluster {
  name: string
  observabilityName: string
  requestStyle: RequestStyle
  responseLimits: ResponseLimits
  connectOptions?: ConnectOptions | undefined
  /** It has had a connection for requests. */
  hasTraffic(): boolean
  /** A host was checked; `changed`: its health is another. */
  onChecked(host: Host, changed: boolean, healthy: boolean): void
}

/** Asks the hosts of a cluster how they are, and notes it in their `checks`. */
export class HealthChecker {
  /** Every host that was there at first has been checked once. */
  readonly ready: Promise<void>
  readonly #sessions = new Map<Host, CheckSession>()
  readonly #services: SessionServices
  readonly #config: HealthCheck
  readonly #cluster: CheckedCluster
  readonly #runtime: Runtime
  readonly #random: () => number
  readonly #isReady = Promise.withResolvers<void>()
  #begun = false
  /** Not all that were there at first have been checked yet. */
  isWarming = true

  constructor(cluster: CheckedCluster, config: HealthCheck, services: HealthCheckServices) {
    this.#config = config
    this.#cluster = cluster
    this.#runtime = services.runtime
    this.#random = services.random
    this.ready = this.#isReady.promise
    const stats = createHealthCheckStats(services.stats, cluster.observabilityName)
    const files = config.eventLogPaths.map(services.eventLog)
    this.#services = {
      config,
      createProbe: createProbes(cluster, config, stats, services),
      clock: services.clock,
      timers: services.timers,
      events: new HealthCheckEvents(config.check.type === 'http' ? 'HTTP' : 'TCP', cluster.name, files, services.clock),
      stats,
      interval: (healthy, pending) => this.#interval(healthy, pending),
      initialDelay: 0,
      onChecked: (host, changed, healthy) => {
        cluster.onChecked(host, changed, healthy)
        this.#mayBeReady()
      },
    }
  }

  /** The cluster has these hosts now. */
  follow(hosts: readonly Host[]): void {
    const present = new Set(hosts)
    for (const [host, session] of this.#sessions) {
      if (present.has(host)) continue
      session.close()
      this.#sessions.delete(host)
    }
    const fresh: CheckSession[] = []
    for (const host of hosts) {
      if (host.healthCheck.disabled || this.#sessions.has(host)) continue
      const jitter = this.#config.initialJitter
      const initialDelay = jitter === 0 ? 0 : Math.max(1, Math.floor(this.#random() * jitter))
      const session = new CheckSession(host, { ...this.#services, initialDelay })
      host.failCheck = () => session.failByTraffic()
      this.#sessions.set(host, session)
      fresh.push(session)
    }
    for (const session of fresh) session.start()
    this.#begun = true
    this.#mayBeReady()
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close()
    this.#isReady.resolve()
  }

  #mayBeReady(): void {
    if (!this.#begun) return
    for (const session of this.#sessions.values()) if (session.isFirst) return
    this.isWarming = false
    this.#isReady.resolve()
  }

  #interval(healthy: boolean, pending: boolean): Milliseconds {
    const config = this.#config
    let base: Milliseconds
    if (!this.#cluster.hasTraffic())
      base = healthy && !pending ? config.noTrafficHealthyInterval : config.noTrafficInterval
    else if (healthy) base = pending ? config.healthyEdgeInterval : config.interval
    else base = pending ? config.unhealthyEdgeInterval : config.unhealthyInterval
    const byPercent = Math.floor((config.intervalJitterPercent * base) / 100)
    base += Math.floor(this.#random() * byPercent) + Math.floor(this.#random() * config.intervalJitter)
    const least = this.#runtime.number('health_check.min_interval', 0)
    const most = this.#runtime.number('health_check.max_interval', Number.MAX_SAFE_INTEGER)
    return Math.max(1, least, Math.min(base, most))
  }
}

function createProbes(
  cluster: CheckedCluster,
  config: HealthCheck,
  stats: HealthCheckStats,
  { transports, runtime }: HealthCheckServices,
): CreateProbe {
  const { check, reuseConnection: reuse } = config
  const { connectOptions } = cluster
  if (check.type === 'tcp')
    return (host, listener) => new TcpProbe(host, check, { reuse, transports, connectOptions }, listener)
  const headersOf = compileHttpCheck(check)
  const { name: clusterName, requestStyle, responseLimits } = cluster
  const verifyCluster = stats.verify_cluster
  const options = {
    clusterName,
    requestStyle,
    responseLimits,
    reuse,
    transports,
    connectOptions,
    runtime,
    verifyCluster,
  }
  return (host, listener) => new HttpProbe(host, check, headersOf, options, listener)
}

function createHealthCheckStats(stats: Stats, clusterName: string): HealthCheckStats {
  const prefix = `cluster.${clusterName}.health_check.`
  return {
    attempt: stats.counter(`${prefix}attempt`),
    success: stats.counter(`${prefix}success`),
    failure: stats.counter(`${prefix}failure`),
    passive_failure: stats.counter(`${prefix}passive_failure`),
    network_failure: stats.counter(`${prefix}network_failure`),
    verify_cluster: stats.counter(`${prefix}verify_cluster`),
    healthy: stats.gauge(`${prefix}healthy`),
    degraded: stats.gauge(`${prefix}degraded`),
  }
}
