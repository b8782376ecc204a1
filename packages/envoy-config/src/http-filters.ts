import type { HeaderValueOption } from './header-mutations.ts'
import type { BufferFilter } from './http-filters/buffer.ts'
import type { CompressorFilter, CompressorOfRoute, DecompressorFilter } from './http-filters/compression.ts'
import type { CorsFilter, CorsPolicy } from './http-filters/cors.ts'
import type { CsrfFilter } from './http-filters/csrf.ts'
import type { ExtAuthzFilter, ExtAuthzOfRoute } from './http-filters/ext-authz.ts'
import type { HeaderMutationFilter } from './http-filters/header-mutation.ts'
import type { HealthCheckFilter } from './http-filters/health-check.ts'
import type { RbacFilter } from './http-filters/rbac.ts'
import type { HeaderMatcher } from './matchers.ts'
import type { Fraction, Milliseconds, RuntimeFraction } from './quantities.ts'
import type { RateLimit } from './rate-limits.ts'

/** An entry of HttpConnectionManager.http_filters. */
export interface HttpFilter {
  /** Routes name it to configure it (`typed_per_filter_config`). */
  name: string
  /** Takes part only where a route has a word on it. */
  disabled: boolean
  config: HttpFilterConfig
}

/** What a listener says of a filter. */
export type HttpFilterConfig =
  | RouterFilter
  | BufferFilter
  | CompressorFilter
  | CorsFilter
  | CsrfFilter
  | DecompressorFilter
  | ExtAuthzFilter
  | FaultFilter
  | HeaderMutationFilter
  | HealthCheckFilter
  | LocalRateLimitFilter
  | RbacFilter

/** What a weighted cluster, a route, a virtual host or all routes say of a filter. */
export type RouteFilterConfig =
  | BufferFilter
  | CompressorOfRoute
  | CorsPolicy
  | CsrfFilter
  | ExtAuthzOfRoute
  | FaultFilter
  | HeaderMutationFilter
  | LocalRateLimitFilter
  | RbacFilter

/** `typed_per_filter_config` of one level, by the filter's name. */
export type PerFilterConfig = ReadonlyMap<string, PerFilter>

/** What one level says of one filter. */
export interface PerFilter {
  /** envoy.config.route.v3.FilterConfig: no part in these requests. */
  disabled: boolean
  /** undefined: as a less specific level, or the listener, says. */
  config: RouteFilterConfig | undefined
}

/** envoy.extensions.filters.http.router.v3.Router */
export interface RouterFilter {
  type: 'router'
  suppressEnvoyHeaders: boolean
  startChildSpan: boolean
  respectExpectedRqTimeout: boolean
  /** Headers whose values have to mean something; lower case. */
  strictCheckHeaders: readonly string[]
}

/** envoy.extensions.filters.http.fault.v3.HTTPFault */
export interface FaultFilter {
  type: 'fault'
  /** `header`: the request says how long. */
  delay?: { fixed: Milliseconds | 'header'; percentage: Fraction }
  abort?: { by: { type: 'http' | 'grpc'; status: number } | { type: 'header' }; percentage: Fraction }
  /** KiB/s */
  responseRateLimit?: { limit: number | 'header'; percentage: Fraction }
  /** "": any. */
  upstreamCluster: string
  headers: readonly HeaderMatcher[]
  downstreamNodes: readonly string[]
  /** undefined: no limit. */
  maxActiveFaults?: number
  runtimeKeys: {
    delayPercent: string
    abortPercent: string
    delayDuration: string
    abortHttpStatus: string
    abortGrpcStatus: string
    maxActiveFaults: string
    responseRateLimitPercent: string
  }
  disableDownstreamClusterStats: boolean
}

/** envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit */
export interface LocalRateLimitFilter {
  type: 'local_ratelimit'
  statPrefix: string
  status: number
  /** Absent: every request goes through, uncounted. */
  tokenBucket?: TokenBucketConfig
  filterEnabled: RuntimeFraction
  filterEnforced: RuntimeFraction
  requestHeadersToAddWhenNotEnforced: readonly HeaderValueOption[]
  responseHeadersToAdd: readonly HeaderValueOption[]
  localRateLimitPerDownstreamConnection: boolean
  /** A gRPC client is told RESOURCE_EXHAUSTED instead of what its HTTP status means. */
  rateLimitedAsResourceExhausted: boolean
  /** Buckets of their own for what `rateLimits`, or those of routes, say of a request; a value of "" stands for any. */
  descriptors: readonly {
    entries: readonly (readonly [key: string, value: string])[]
    tokenBucket: TokenBucketConfig
    /** Refusals are counted, no more. */
    shadowMode: boolean
  }[]
  /** Buckets at a time for each descriptor with a "". */
  maxDynamicDescriptors: number
  /** Which `rate_limits` of routes count. */
  stage: number
  /** Not empty: in place of those of routes. */
  rateLimits: readonly RateLimit[]
  /** OVERRIDE: those of the virtual host count where the route has none. */
  vhRateLimits: 'OVERRIDE' | 'INCLUDE' | 'IGNORE'
  /** `tokenBucket` counts requests that have a bucket of their own as well. */
  alwaysConsumeDefaultTokenBucket: boolean
  /** Clients are told: x-ratelimit-limit, -remaining, -reset; retry-after. */
  enableXRateLimitHeaders: boolean
  enableRetryAfterHeader: boolean
}

/** envoy.type.v3.TokenBucket */
export interface TokenBucketConfig {
  maxTokens: number
  tokensPerFill: number
  fillInterval: Milliseconds
}
