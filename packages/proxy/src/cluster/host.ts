import type { EndpointHealthCheck, HealthStatus, Labels, Metadata } from '@hopscope/envoy-config'
import { formatAddress } from '../transport/address-text.ts'
import type { Transport, TransportHandler } from '../transport/transport.ts'
import type { ConnectOptions, Transports } from '../transport/transports.ts'
import type { Pool } from '../upstream/pool.ts'
import type { HostMonitor } from './host-monitor.ts'
import { createHostStats, type HostStats } from './host-stats.ts'

/** envoy.config.core.v3.RoutingPriority */
export type RoutingPriority = 'default' | 'high'

/** One endpoint of a cluster, with its connections. */
export class Host {
  /** Or the path of a Unix socket. */
  ip: string
  readonly port: number
  readonly isPipe: boolean
  /** `ip:port`, or the path. */
  address: string
  /** endpoint.hostname, or the name that DNS was asked for; "" without one. */
  readonly hostname: string
  readonly weight: number
  readonly priority: number
  readonly locality: { region: string; zone: string; subZone: string }
  /** What the configuration says of its health. */
  readonly edsHealth: HealthStatus
  readonly healthCheck: EndpointHealthCheck
  readonly metadata: Metadata
  /** Of `metadata`, what load balancing looks at. */
  readonly labels: Labels
  /** The label `canary`. */
  readonly isCanary: boolean
  /** Fails it for health checks, for what a response of it said; undefined: it is not checked. */
  failCheck: (() => void) | undefined
  /** Out of the cluster for a while, for what it did. */
  ejected = false
  /** What active health checks say; all false without any. */
  readonly checks = {
    failed: false,
    /** The last failures were timeouts. */
    timedOut: false,
    /** It said so itself (`x-envoy-degraded`). */
    degraded: false,
    /** Not checked yet, and not to count until it is. */
    pending: false,
    /** It said itself that it fails (`x-envoy-immediate-health-check-fail`). */
    excluded: false,
    /** DNS names it no longer: it goes when it fails. */
    pendingRemoval: false,
  }
  /** When it was first healthy, from which its slow start counts; set by health checks, or by the balancer when it first sees the host. */
  healthySince: number | undefined
  readonly #pool: Pool
  #highPool: Pool | undefined
  readonly #createPool: (host: Host, priority: RoutingPriority) => Pool
  /** Hears what becomes of requests; undefined: the cluster watches for no outliers. */
  monitor: HostMonitor | undefined
  readonly stats: HostStats = createHostStats()

  constructor(
    endpoint: {
      ip: string
      port: number
      isPipe: boolean
      hostname: string
      weight: number
      priority: number
      locality: { region: string; zone: string; subZone: string }
      healthStatus: HealthStatus
      healthCheck: EndpointHealthCheck
      metadata: Metadata
    },
    createPool: (host: Host, priority: RoutingPriority) => Pool,
  ) {
    this.ip = endpoint.ip
    this.port = endpoint.port
    this.isPipe = endpoint.isPipe
    this.address = addressOf(endpoint)
    this.hostname = endpoint.hostname
    this.weight = endpoint.weight
    this.priority = endpoint.priority
    this.locality = endpoint.locality
    this.edsHealth = endpoint.healthStatus
    this.healthCheck = endpoint.healthCheck
    this.metadata = endpoint.metadata
    this.labels = (endpoint.metadata.get('envoy.lb') ?? {}) as Labels
    this.isCanary = this.labels.canary === true
    this.#createPool = createPool
    this.#pool = createPool(this, 'default')
  }

  /** Connections are not shared by requests of different priorities. */
  pool(priority: RoutingPriority): Pool {
    if (priority === 'default') return this.#pool
    this.#highPool ??= this.#createPool(this, 'high')
    return this.#highPool
  }

  get pools(): readonly Pool[] {
    return this.#highPool === undefined ? [this.#pool] : [this.#pool, this.#highPool]
  }

  /** New connections go there. */
  moveTo(ip: string): void {
    this.ip = ip
    this.address = formatAddress(ip, this.port)
  }

  /** Begins a connection to it, as `Transports.connect`. */
  connect(
    transports: Transports,
    highWaterMark: number,
    handler: TransportHandler,
    options?: ConnectOptions,
  ): Transport {
    return this.isPipe
      ? transports.connectPipe(this.ip, highWaterMark, handler)
      : transports.connect(this.ip, this.port, highWaterMark, handler, options)
  }

  /** …where health checks ask. */
  connectForCheck(
    transports: Transports,
    highWaterMark: number,
    handler: TransportHandler,
    options?: ConnectOptions,
  ): Transport {
    const { ip, port, isPipe } = this.checkAddress
    return isPipe
      ? transports.connectPipe(ip, highWaterMark, handler)
      : transports.connect(ip, port, highWaterMark, handler, options)
  }

  /** Where health checks ask. */
  get checkAddress(): { ip: string; port: number; isPipe: boolean } {
    const { address, port } = this.healthCheck
    if (address === undefined) return { ip: this.ip, port: port || this.port, isPipe: this.isPipe }
    return { ip: address.address, port: port || address.port, isPipe: address.isPipe }
  }

  /** What load balancing makes of all that is known. */
  get health(): 'healthy' | 'degraded' | 'unhealthy' {
    const { checks, edsHealth } = this
    if (
      this.ejected ||
      checks.failed ||
      edsHealth === 'UNHEALTHY' ||
      edsHealth === 'TIMEOUT' ||
      edsHealth === 'DRAINING'
    )
      return 'unhealthy'
    return checks.degraded || edsHealth === 'DEGRADED' ? 'degraded' : 'healthy'
  }

  /** It does not count among the hosts of its priority, healthy or not. */
  get isExcluded(): boolean {
    return this.checks.pending || this.checks.excluded || this.edsHealth === 'DRAINING'
  }
}

/** `ip:port`, or the path of a Unix socket. */
export function addressOf({ ip, port, isPipe }: Pick<Host, 'ip' | 'port' | 'isPipe'>): string {
  return isPipe ? ip : formatAddress(ip, port)
}
