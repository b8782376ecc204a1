import type { HealthStatus, Thresholds } from '@hopscope/envoy-config'
import type { AdminReply } from './admin-server.ts'
import { dumpJson } from './dump-json.ts'
import { addressText } from './listeners-page.ts'
import { compileFilter } from './stats-pages.ts'

/** What a cluster is doing. */
export interface ClusterStatus {
  name: string
  observabilityName: string
  thresholds: { default: Thresholds; high: Thresholds }
  hosts: readonly HostStatus[]
  /** Of outlier detection, per cent, -1: not known; undefined without. */
  successRates: { average: number; threshold: number; localAverage: number; localThreshold: number } | undefined
}

export interface HostStatus {
  address: string
  port: number
  /** `address` is the path of a Unix socket. */
  isPipe: boolean
  hostname: string
  weight: number
  isCanary: boolean
  priority: number
  locality: { region: string; zone: string; subZone: string }
  cxActive: number
  cxConnectFail: number
  cxTotal: number
  rqActive: number
  rqError: number
  rqPendingActive: number
  rqSuccess: number
  rqTimeout: number
  rqTotal: number
  /** Taken out by outlier detection. */
  ejected: boolean
  /** What the configuration says of it. */
  edsHealth: HealthStatus
  /** Per cent; -1: not known. */
  successRate: number
  localOriginSuccessRate: number
  /** What active health checks say. */
  checks: Readonly<Record<'failed' | 'timedOut' | 'degraded' | 'pending' | 'excluded' | 'pendingRemoval', boolean>>
}

export function clustersPage(clusters: readonly ClusterStatus[], query: URLSearchParams): AdminReply {
  const filter = compileFilter(query.get('filter') ?? '')
  // Here Envoy does not say what is wrong with it.
  if (typeof filter === 'string') return { status: 400, body: 'Invalid re2 regex' }
  const shown = clusters.filter(cluster => filter.test(cluster.name))
  if (query.get('format') === 'json') {
    // As all lists of protobuf: not there when there is nothing in it.
    return { type: 'json', body: dumpJson(shown.length === 0 ? {} : { cluster_statuses: shown.map(clusterJson) }) }
  }
  return { body: shown.map(clusterText).join('') }
}

function clusterText(cluster: ClusterStatus): string {
  const lines: string[] = [`observability_name::${cluster.observabilityName}`]
  const rates = cluster.successRates
  if (rates !== undefined)
    lines.push(
      `outlier::success_rate_average::${rates.average}`,
      `outlier::success_rate_ejection_threshold::${rates.threshold}`,
      `outlier::local_origin_success_rate_average::${rates.localAverage}`,
      `outlier::local_origin_success_rate_ejection_threshold::${rates.localThreshold}`,
    )
  for (const priority of ['default', 'high'] as const) {
    const limits = cluster.thresholds[priority]
    lines.push(
      `${priority}_priority::max_connections::${limits.maxConnections}`,
      `${priority}_priority::max_pending_requests::${limits.maxPendingRequests}`,
      `${priority}_priority::max_requests::${limits.maxRequests}`,
      `${priority}_priority::max_retries::${limits.maxRetries}`,
    )
  }
  lines.push('added_via_api::false')
  for (const host of cluster.hosts) {
    const rows: [string, string | number][] = [
      ['cx_active', host.cxActive],
      ['cx_connect_fail', host.cxConnectFail],
      ['cx_total', host.cxTotal],
      ['rq_active', host.rqActive],
      ['rq_error', host.rqError],
      ['rq_pending_active', host.rqPendingActive],
      ['rq_success', host.rqSuccess],
      ['rq_timeout', host.rqTimeout],
      ['rq_total', host.rqTotal],
      ['hostname', host.hostname],
      ['health_flags', healthFlags(host)],
      ['weight', host.weight],
      ['region', host.locality.region],
      ['zone', host.locality.zone],
      ['sub_zone', host.locality.subZone],
      ['canary', String(host.isCanary)],
      ['priority', host.priority],
      ['success_rate', host.successRate],
      ['local_origin_success_rate', host.localOriginSuccessRate],
    ]
    const where = host.isPipe ? host.address : addressText(host)
    for (const [name, value] of rows) lines.push(`${where}::${name}::${value}`)
  }
  return lines.map(line => `${cluster.name}::${line}\n`).join('')
}

/** Zero values and empty fields are left out, as in JSON made of a proto3 message. */
function clusterJson(cluster: ClusterStatus): object {
  return {
    name: cluster.name,
    ...(cluster.hosts.length === 0 ? {} : { host_statuses: cluster.hosts.map(hostJson) }),
    circuit_breakers: {
      thresholds: [
        thresholdsJson(cluster.thresholds.default),
        { priority: 'HIGH', ...thresholdsJson(cluster.thresholds.high) },
      ],
    },
    observability_name: cluster.observabilityName,
  }
}

function thresholdsJson(limits: Thresholds): object {
  return {
    max_connections: limits.maxConnections,
    max_pending_requests: limits.maxPendingRequests,
    max_requests: limits.maxRequests,
    max_retries: limits.maxRetries,
  }
}

function hostJson(host: HostStatus): object {
  const counter = (name: string, value: number) => (value === 0 ? { name } : { value: String(value), name })
  const gauge = (name: string, value: number) => ({ type: 'GAUGE', ...counter(name, value) })
  const { region, zone, subZone } = host.locality
  return {
    address: host.isPipe
      ? { pipe: { path: host.address } }
      : { socket_address: { address: host.address, port_value: host.port } },
    stats: [
      counter('cx_connect_fail', host.cxConnectFail),
      counter('cx_total', host.cxTotal),
      counter('rq_error', host.rqError),
      counter('rq_success', host.rqSuccess),
      counter('rq_timeout', host.rqTimeout),
      counter('rq_total', host.rqTotal),
      gauge('cx_active', host.cxActive),
      gauge('rq_active', host.rqActive),
      gauge('rq_pending_active', host.rqPendingActive),
    ],
    health_status: healthJson(host),
    weight: host.weight,
    ...(host.hostname === '' ? {} : { hostname: host.hostname }),
    ...(host.priority === 0 ? {} : { priority: host.priority }),
    locality: {
      ...(region === '' ? {} : { region }),
      ...(zone === '' ? {} : { zone }),
      ...(subZone === '' ? {} : { sub_zone: subZone }),
    },
  }
}

/** As Envoy concatenates its flags, in their order. */
function healthFlags({ ejected, edsHealth, checks }: HostStatus): string {
  const flags = [
    [checks.failed, '/failed_active_hc'],
    [ejected, '/failed_outlier_check'],
    [edsHealth === 'UNHEALTHY' || edsHealth === 'TIMEOUT', '/failed_eds_health'],
    [checks.degraded, '/degraded_active_hc'],
    [edsHealth === 'DEGRADED', '/degraded_eds_health'],
    [checks.pendingRemoval, '/pending_dynamic_removal'],
    [checks.pending, '/pending_active_hc'],
    [checks.excluded, '/excluded_via_immediate_hc_fail'],
    [checks.timedOut, '/active_hc_timeout'],
    [edsHealth === 'DRAINING', '/eds_status_draining'],
  ] as const
  const set = flags.filter(([is]) => is).map(([, flag]) => flag)
  return set.length === 0 ? 'healthy' : set.join('')
}

function healthJson({ ejected, edsHealth, checks }: HostStatus): object {
  return {
    ...(checks.failed ? { failed_active_health_check: true } : {}),
    ...(ejected ? { failed_outlier_check: true } : {}),
    eds_health_status: edsHealth === 'UNKNOWN' ? 'HEALTHY' : edsHealth === 'TIMEOUT' ? 'UNHEALTHY' : edsHealth,
    ...(checks.degraded ? { failed_active_degraded_check: true } : {}),
    ...(checks.pendingRemoval ? { pending_dynamic_removal: true } : {}),
    ...(checks.pending ? { pending_active_hc: true } : {}),
    ...(checks.excluded ? { excluded_via_immediate_hc_fail: true } : {}),
    ...(checks.timedOut ? { active_hc_timeout: true } : {}),
  }
}
