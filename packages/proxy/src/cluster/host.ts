import { Counter, Gauge } from '../stats/stats.ts'
import { formatAddress } from '../transport/address-text.ts'
import type { Pool } from '../upstream/pool.ts'
import type { HostMonitor } from './outlier-detector.ts'

/** One endpoint of a cluster, with its connections. */
export class Host {
  readonly ip: string
  readonly port: number
  /** `ip:port` */
  readonly address: string
  /** endpoint.hostname, or the name that DNS was asked for; "" without one. */
  readonly hostname: string
  readonly weight: number
  readonly priority: number
  readonly locality: { region: string; zone: string; subZone: string }
  readonly pool: Pool
  /** Out of the cluster for a while, for what it did. */
  ejected = false
  /** Hears what becomes of requests; undefined: the cluster watches for no outliers. */
  monitor: HostMonitor | undefined
  /** Per host, shown by `/clusters` alone. */
  readonly stats = {
    cx_active: new Gauge('cx_active'),
    cx_connect_fail: new Counter('cx_connect_fail'),
    cx_total: new Counter('cx_total'),
    rq_active: new Gauge('rq_active'),
    rq_error: new Counter('rq_error'),
    rq_success: new Counter('rq_success'),
    rq_timeout: new Counter('rq_timeout'),
    rq_total: new Counter('rq_total'),
  }

  constructor(
    endpoint: {
      ip: string
      port: number
      hostname: string
      weight: number
      priority: number
      locality: { region: string; zone: string; subZone: string }
    },
    createPool: (host: Host) => Pool,
  ) {
    this.ip = endpoint.ip
    this.port = endpoint.port
    this.address = formatAddress(endpoint.ip, endpoint.port)
    this.hostname = endpoint.hostname
    this.weight = endpoint.weight
    this.priority = endpoint.priority
    this.locality = endpoint.locality
    this.pool = createPool(this)
  }
}
