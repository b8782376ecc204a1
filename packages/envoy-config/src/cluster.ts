import type { Dns } from './dns.ts'
import type { EndpointHealthCheck, HealthCheck } from './health-check.ts'
import type { LbPolicy } from './load-balancing.ts'
import type { Metadata } from './metadata.ts'
import type { Fraction, Milliseconds, Percent } from './quantities.ts'
import type { EndpointAddress, SocketAddress } from './socket-address.ts'

/** envoy.config.cluster.v3.Cluster */
export interface Cluster {
  name: string
  /** `alt_stat_name`, else the name: what stats, logs and spans call it. */
  observabilityName: string
  type: 'STATIC' | 'STRICT_DNS' | 'LOGICAL_DNS'
  /** For `%CLUSTER_METADATA%`. */
  metadata?: Metadata
  connectTimeout: Milliseconds
  lbPolicy: LbPolicy
  loadAssignment: ClusterLoadAssignment
  circuitBreakers: { default: Thresholds; high: Thresholds }
  /** Absent: hosts are never ejected. */
  outlierDetection?: OutlierDetection
  /** Absent: hosts are taken to be well. */
  healthCheck?: HealthCheck
  /** common_lb_config: new hosts do not count until their first check. */
  ignoreNewHostsUntilFirstHc: boolean
  /** common_lb_config: when hosts come or go, the connections of all are closed. */
  closeConnectionsOnHostSetChange: boolean
  healthyPanicThreshold: Percent
  /** common_lb_config.update_merge_window */
  updateMergeWindow: Milliseconds
  dns: Dns
  /** A host that DNS no longer names goes at once, though it passes its health checks. */
  ignoreHealthOnHostRemoval: boolean
  perConnectionBufferLimitBytes: number
  /** preconnect_policy.per_upstream_preconnect_ratio: connections to a host for so many times its requests. */
  preconnectRatio: number
  /** preconnect_policy.predictive_preconnect_ratio: connections of all hosts, made where the next requests will go. */
  predictivePreconnectRatio: number
  /** common_http_protocol_options.idle_timeout of the upstream; 0 is off. */
  idleTimeout: Milliseconds
  /** Of one request at an upstream; 0: none. */
  maxStreamDuration: Milliseconds
  /** 0: unlimited. */
  maxRequestsPerConnection: number
  enableTrailers?: boolean
  /** A connection is let go of after so long; 0: never. */
  maxConnectionDuration: Milliseconds
  /** How heads of requests are written. */
  requestStyle: RequestStyle
  responseLimits: ResponseLimits
  /** load_assignment.policy.drop_overloads: the share of requests that are refused here; absent: none. */
  dropOverload?: Fraction
  /** It is spoken to in HTTP/2, which so far only calls of the proxy's own do. */
  http2?: boolean
  /** Where connections to its hosts begin; absent: wherever the system has them begin. */
  bind?: BindConfig
  /** upstream_connection_options.tcp_keepalive: whether a peer that is silent is still there is asked; absent: it is not. */
  keepAlive?: KeepAlive
}

/** envoy.config.core.v3.TcpKeepalive; what is absent is as the system has it. */
export interface KeepAlive {
  /** Seconds of silence before it is asked. */
  time?: number
  /** Seconds between questions. */
  interval?: number
  /** Questions without an answer after which the connection is lost. */
  probes?: number
}

/** envoy.config.core.v3.BindConfig */
export interface BindConfig {
  /** An address of this machine; port 0: any free one. */
  source?: SocketAddress
}

/** How a cluster's hosts want heads to be written (`http_protocol_options`). */
export interface RequestStyle {
  /** `Content-Type` in place of `content-type`. */
  properCaseHeaders: boolean
  /** The request line has scheme and host, too. */
  fullUrl: boolean
}

/** Above them an answer is the upstream's fault. */
export interface ResponseLimits {
  headersCount: number
  /** Absent: as much as an answer of Envoy's default may have. */
  headKilobytes?: number
}

/** envoy.config.cluster.v3.OutlierDetection, with Envoy's defaults filled in. */
export interface OutlierDetection {
  consecutive5xx: number
  consecutiveGatewayFailure: number
  consecutiveLocalOriginFailure: number
  interval: Milliseconds
  baseEjectionTime: Milliseconds
  /** Absent: five minutes, or the base time if that is longer. */
  maxEjectionTime?: Milliseconds
  maxEjectionTimeJitter: Milliseconds
  maxEjectionPercent: number
  alwaysEjectOneHost: boolean
  /** A check that passes ends an ejection. */
  successfulActiveHealthCheckUnejectHost: boolean
  splitExternalLocalOriginErrors: boolean
  successRateMinimumHosts: number
  successRateRequestVolume: number
  /** In thousandths. */
  successRateStdevFactor: number
  failurePercentageThreshold: number
  failurePercentageMinimumHosts: number
  failurePercentageRequestVolume: number
  /** By cause: the share of its detections that are acted upon. */
  enforcing: {
    consecutive_5xx: Percent
    consecutive_gateway_failure: Percent
    consecutive_local_origin_failure: Percent
    success_rate: Percent
    failure_percentage: Percent
    local_origin_success_rate: Percent
    local_origin_failure_percentage: Percent
  }
}

/** circuit_breakers.thresholds and per_host_thresholds of one priority, defaults 1024, 1024, 1024, 3. */
export interface Thresholds {
  /** Absent: of any number of hosts. */
  maxConnectionPools?: number
  maxConnections: number
  /** Absent: one host may have them all. */
  maxConnectionsPerHost?: number
  maxPendingRequests: number
  maxRequests: number
  maxRetries: number
  /** In place of maxRetries: so many per cent of the requests, and so many always. */
  retryBudget?: { percent: Percent; minConcurrency: number }
  /** Gauges of what is left. */
  trackRemaining: boolean
}

/** envoy.config.endpoint.v3.ClusterLoadAssignment: the hosts of a cluster, by locality. */
export interface ClusterLoadAssignment {
  clusterName: string
  /** policy.overprovisioning_factor, in hundredths. */
  overprovisioningFactor: number
  /** policy.weighted_priority_health: a priority is as healthy as its hosts' weights say, not their number. */
  weightedPriorityHealth: boolean
  endpoints: readonly LocalityLbEndpoints[]
}

/** envoy.config.endpoint.v3.LocalityLbEndpoints: the hosts of one locality at one priority. */
export interface LocalityLbEndpoints {
  priority: number
  locality: { region: string; zone: string; subZone: string }
  /** Looked at with `locality_weighted_lb_config` alone; 0 when unset: no requests. */
  loadBalancingWeight: number
  lbEndpoints: readonly LbEndpoint[]
}

/** envoy.config.endpoint.v3.LbEndpoint: one host, or the name of several. */
export interface LbEndpoint {
  /** STATIC: an IP, or a Unix socket. STRICT_DNS: a name or an IP. */
  address: EndpointAddress
  /** endpoint.hostname; "" when unset. */
  hostname: string
  loadBalancingWeight: number
  /** Load balancing looks at its labels, `envoy.lb`. */
  metadata: Metadata
  healthStatus: HealthStatus
  healthCheck: EndpointHealthCheck
}

/** envoy.config.core.v3.HealthStatus */
export type HealthStatus = 'UNKNOWN' | 'HEALTHY' | 'UNHEALTHY' | 'DRAINING' | 'TIMEOUT' | 'DEGRADED'
