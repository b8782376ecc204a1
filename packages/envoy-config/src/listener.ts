import type { AccessLog } from './access-log.ts'
import type { CustomTag } from './custom-tag.ts'
import type { HeaderMutations } from './header-mutations.ts'
import type { HeaderMutation } from './http-filters/header-mutation.ts'
import type { HttpFilter } from './http-filters.ts'
import type { LocalReplyConfig } from './local-reply.ts'
import type { Metadata } from './metadata.ts'
import type { OriginalIpDetection } from './original-ip-detection.ts'
import type { Fraction, Milliseconds, Percent } from './quantities.ts'
import type { RouteConfiguration } from './route.ts'
import type { ListenAddress } from './socket-address.ts'

/** envoy.config.listener.v3.Listener */
export interface Listener {
  /** "" in the file gets `<address>:<port>` here; Envoy makes a UUID, which no one can refer to either. */
  name: string
  address: ListenAddress
  trafficDirection: 'UNSPECIFIED' | 'INBOUND' | 'OUTBOUND'
  /** For `%METADATA(LISTENER:…)%`. */
  metadata?: Metadata
  perConnectionBufferLimitBytes: number
  /** Of its stats, in place of its address. */
  statPrefix: string
  /** Connections waiting to be accepted; undefined: as many as is usual. */
  tcpBacklogSize?: number
  filterChains: readonly FilterChain[]
  /** Of connections that no other takes; absent: they are closed. */
  defaultFilterChain?: FilterChain
}

/** envoy.config.listener.v3.FilterChain */
export interface FilterChain {
  name: string
  /** For `%METADATA(LISTENER_FILTER_CHAIN:…)%`. */
  metadata?: Metadata
  /** Absent: every connection. */
  match?: FilterChainMatch
  httpConnectionManager: HttpConnectionManager
}

/** envoy.config.listener.v3.FilterChainMatch, of what is known of a plain connection. Ranges are CIDR texts. */
export interface FilterChainMatch {
  destinationPort?: number
  prefixRanges?: readonly string[]
  directSourcePrefixRanges?: readonly string[]
  sourceType?: 'ANY' | 'SAME_IP_OR_LOOPBACK' | 'EXTERNAL'
  sourcePrefixRanges?: readonly string[]
  sourcePorts?: readonly number[]
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
  accessLogOptions: AccessLogOptions
  localReplyConfig?: LocalReplyConfig
  generateRequestId: boolean
  preserveExternalRequestId: boolean
  alwaysSetRequestIdInResponse: boolean
  useRemoteAddress: boolean
  xffNumTrustedHops: number
  skipXffAppend: boolean
  /** One after the other until one knows; empty: the end of x-forwarded-for. */
  originalIpDetection: readonly OriginalIpDetection[]
  /** undefined: no address is internal. CIDR texts otherwise (`{}` in the file gives RFC 1918, loopback and ULA). */
  internalAddressConfig?: { cidrRanges: readonly string[]; unixSockets?: boolean }
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
  maxStreamDuration: Milliseconds
  maxConnectionDuration: Milliseconds
  /** 0: unlimited. */
  maxRequestsPerConnection: number
  drainTimeout: Milliseconds
  maxRequestHeadersKb: number
  maxHeadersCount: number
  acceptHttp10: boolean
  /** Of HTTP/1.0 requests that name none; "": they are refused. */
  defaultHostForHttp10: string
  allowAbsoluteUrl: boolean
  enableTrailers: boolean
  /** Transfer-Encoding beats a Content-Length beside it, which is dropped. */
  allowChunkedLength: boolean
  /** Names of response headers go out as `Proper-Case`. */
  properCaseHeaders: boolean
  /** The upstream says whether a body is wanted (`Expect: 100-continue`), not the proxy. */
  proxy100Continue: boolean
  stripMatchingHostPort: boolean
  stripAnyHostPort: boolean
  stripTrailingHostDot: boolean
  /** Absent: the runtime may say so (`http_connection_manager.normalize_path`). */
  normalizePath?: boolean
  mergeSlashes: boolean
  pathWithEscapedSlashesAction: 'KEEP_UNCHANGED' | 'REJECT_REQUEST' | 'UNESCAPE_AND_REDIRECT' | 'UNESCAPE_AND_FORWARD'
  headersWithUnderscoresAction: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER'
  appendXForwardedPort: boolean
  /** "": as the client's connection or its x-forwarded-proto says. */
  schemeToOverwrite: '' | 'http' | 'https'
  /** A malformed request costs its connection; else only itself. */
  streamErrorOnInvalidHttpMessage: boolean
  requestId: RequestIdConfig
  /** Before anything else looks at a request. */
  earlyHeaderMutations: readonly HeaderMutation[]
  /** Absent: answers do not say in `proxy-status` what went wrong. */
  proxyStatus?: ProxyStatusConfig
  /** Whether x-forwarded-client-cert of a client goes on: without TLS there is none to be made here. */
  forwardClientCert: boolean
}

/** Lines of access logs beside the one at a request's end. */
export interface AccessLogOptions {
  onNewRequest: boolean
  /** While a request is under way; 0: none. */
  flushInterval: Milliseconds
}

/** HttpConnectionManager.ProxyStatusConfig (RFC 9209) */
export interface ProxyStatusConfig {
  removeDetails: boolean
  removeResponseFlags: boolean
  /** The status that the error recommends takes the place of the answer's. */
  setRecommendedResponseCode: boolean
  /** Who it is that says it; undefined: the server's name. */
  proxyName?: { type: 'node_id' } | { type: 'literal'; name: string }
}

/** envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig */
export interface RequestIdConfig {
  /** The reason why a request is traced is kept in its id. */
  packTraceReason: boolean
  /** Whether a request is sampled is drawn from its id; else all are. */
  useForTraceSampling: boolean
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
  /** Format strings that name the spans, "" for none; with one of them decorators are off. */
  operation: string
  upstreamOperation: string
  noContextPropagation: boolean
  /** Absent (`tracing: {}`): the request id is rewritten, no span is made. */
  provider?: ZipkinConfig | OpenTelemetryConfig
}

/** envoy.config.trace.v3.ZipkinConfig */
export interface ZipkinConfig {
  type: 'zipkin'
  collectorCluster: string
  collectorEndpoint: string
  /** Host of the POSTs; defaults to the collector cluster's name. */
  collectorHostname: string
  /** Of `collector_service`. Its timeout counts for nothing in Envoy: the runtime has it (`tracing.zipkin.request_timeout`). */
  headersToAdd: HttpService['headersToAdd']
  format: 'json' | 'proto'
  traceId128bit: boolean
  /** The high half of a 128-bit root begins with its start in seconds. */
  timestampTraceIds: boolean
  sharedSpanContext: boolean
  /** USE_B3_WITH_W3C_PROPAGATION */
  w3cPropagation: boolean
  /** `split_spans_for_request` */
  splitSpans: boolean
}

/** envoy.config.core.v3.HttpService: requests of the proxy itself. */
export interface HttpService {
  cluster: string
  /** Of the URI. */
  host: string
  path: string
  timeout: Milliseconds
  headersToAdd: readonly (readonly [name: string, value: string])[]
}

/** envoy.config.core.v3.GrpcService of Envoy's own client (`envoy_grpc`): calls of the proxy itself. */
export interface GrpcService {
  /** One that speaks HTTP/2. */
  cluster: string
  authority: string
  /** Beside those of every call. Lower-case names, each once. */
  initialMetadata: readonly (readonly [name: string, value: string])[]
  /** Not to say who asks, in x-envoy-internal and x-forwarded-for. */
  skipEnvoyHeaders: boolean
}

/** envoy.config.trace.v3.OpenTelemetryConfig */
export interface OpenTelemetryConfig {
  type: 'opentelemetry'
  service: ({ type: 'http' } & HttpService) | ({ type: 'grpc' } & GrpcService)
  serviceName: string
  /** Of resource detectors; `environment`: those of OTEL_RESOURCE_ATTRIBUTES. */
  resource: readonly ('environment' | Readonly<Record<string, string>>)[]
  /** Absent: Envoy's own decision. */
  sampler?: OpenTelemetrySampler
  /** Spans that wait for the collector. */
  maxCacheSize: number
  namesSdk: boolean
  namesService: boolean
  namesScope: boolean
}

/** envoy.extensions.tracers.opentelemetry.samplers.v3.* */
export type OpenTelemetrySampler =
  | { type: 'always_on' }
  | { type: 'parent_based'; wrapped: OpenTelemetrySampler }
  | { type: 'trace_id_ratio_based'; percentage: Fraction }

export type { HeaderMutations }
