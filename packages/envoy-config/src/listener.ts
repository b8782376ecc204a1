import type { SocketAddress } from './bootstrap.ts'
import type { HttpFilter } from './http-filters.ts'
import type { HeaderMutations, RouteConfiguration } from './route.ts'

export type Milliseconds = number
/** 0..100, from a Percent or FractionalPercent of any denominator. */
export type Percent = number

export interface Listener {
  /** "" in the file gets `<address>:<port>` here; Envoy makes a UUID, which no one can refer to either. */
  name: string
  address: SocketAddress
  trafficDirection: 'UNSPECIFIED' | 'INBOUND' | 'OUTBOUND'
  perConnectionBufferLimitBytes: number
  filterChains: readonly FilterChain[]
}

export interface FilterChain {
  name: string
  httpConnectionManager: HttpConnectionManager
}

/** envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager */
export interface HttpConnectionManager {
  statPrefix: string
  codecType: 'AUTO' | 'HTTP1'
  routeConfig: RouteConfiguration
  httpFilters: readonly HttpFilter[]
  /** Absent: no trace decision, the request id is not rewritten. */
  tracing?: Tracing
  accessLog: readonly AccessLog[]
  generateRequestId: boolean
  preserveExternalRequestId: boolean
  alwaysSetRequestIdInResponse: boolean
  useRemoteAddress: boolean
  xffNumTrustedHops: number
  skipXffAppend: boolean
  /** undefined: no address is internal. CIDR texts otherwise (`{}` in the file gives RFC 1918, loopback and ULA). */
  internalAddressConfig?: { cidrRanges: readonly string[] }
  addUserAgent: boolean
  via: string
  serverName: string
  serverHeaderTransformation: 'OVERWRITE' | 'APPEND_IF_ABSENT' | 'PASS_THROUGH'
  /** 0 is off, for all timeouts here. */
  streamIdleTimeout: Milliseconds
  requestTimeout: Milliseconds
  requestHeadersTimeout: Milliseconds
  delayedCloseTimeout: Milliseconds
  idleTimeout: Milliseconds
  maxRequestHeadersKb: number
  maxHeadersCount: number
  acceptHttp10: boolean
  stripMatchingHostPort: boolean
  stripAnyHostPort: boolean
}

/** HttpConnectionManager.Tracing */
export interface Tracing {
  clientSampling: Percent
  randomSampling: Percent
  overallSampling: Percent
  verbose: boolean
  maxPathTagLength: number
  customTags: readonly CustomTag[]
  spawnUpstreamSpan: boolean
  /** Absent (`tracing: {}`): the request id is rewritten, no span is made. */
  provider?: ZipkinConfig
}

export type CustomTag =
  | { tag: string; type: 'literal'; value: string }
  | { tag: string; type: 'environment'; name: string; defaultValue: string }
  | { tag: string; type: 'request_header'; name: string; defaultValue: string }

/** envoy.config.trace.v3.ZipkinConfig */
export interface ZipkinConfig {
  type: 'zipkin'
  collectorCluster: string
  collectorEndpoint: string
  /** Host of the POSTs; defaults to the collector cluster's name. */
  collectorHostname: string
  traceId128bit: boolean
  sharedSpanContext: boolean
  /** USE_B3_WITH_W3C_PROPAGATION */
  w3cPropagation: boolean
}

export interface AccessLog {
  sink: { type: 'file'; path: string } | { type: 'stdout' } | { type: 'stderr' }
  /** Text: one format string, newline included. JSON: object whose leaves are format strings. Absent: Envoy's default line. */
  format?: { text: string } | { json: JsonFormat }
}
export interface JsonFormat {
  readonly [key: string]: string | number | boolean | JsonFormat
}

export type { HeaderMutations }
