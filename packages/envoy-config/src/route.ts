import type { SubstitutionFormat } from './access-log.ts'
import type { CustomTag } from './custom-tag.ts'
import type { HashPolicy } from './hash-policy.ts'
import type { HeaderMutations } from './header-mutations.ts'
import type { CorsPolicy } from './http-filters/cors.ts'
import type { PerFilterConfig } from './http-filters.ts'
import type { InternalRedirectPolicy } from './internal-redirect.ts'
import type { CookieMatcher, HeaderMatcher, QueryParameterMatcher, RegexRewrite } from './matchers.ts'
import type { Metadata } from './metadata.ts'
import type { MetadataMatcher } from './metadata-matcher.ts'
import type { RequestMirrorPolicy } from './mirror-policy.ts'
import type { Milliseconds, Percent, RuntimeFraction } from './quantities.ts'
import type { RateLimit } from './rate-limits.ts'
import type { Labels } from './subsets.ts'

/** envoy.config.route.v3.RouteConfiguration */
export interface RouteConfiguration extends HeaderMutations {
  name: string
  virtualHosts: readonly VirtualHost[]
  internalOnlyHeaders: readonly string[]
  mostSpecificHeaderMutationsWins: boolean
  ignorePortInHostMatching: boolean
  perFilterConfig: PerFilterConfig
  requestMirrorPolicies: readonly RequestMirrorPolicy[]
  /** The header that chooses the virtual host in place of Host; "": Host. */
  vhostHeader: string
  /** What follows a `;` in a path is not matched. */
  ignorePathParametersInPathMatching: boolean
  metadata: Metadata
}

/** envoy.config.route.v3.VirtualHost */
export interface VirtualHost extends HeaderMutations {
  name: string
  domains: readonly string[]
  routes: readonly Route[]
  retryPolicy?: RetryPolicy
  /** The older place of what `typed_per_filter_config` says of cors; counts where that says nothing at all. */
  cors?: CorsPolicy
  /** Requests that are not https are sent there. */
  requireTls: 'NONE' | 'EXTERNAL_ONLY' | 'ALL'
  metadata: Metadata
  /** Body bytes that may be kept for another try; absent: the listener's limit. */
  requestBodyBufferLimit?: number
  includeRequestAttemptCount: boolean
  includeAttemptCountInResponse: boolean
  includeIsTimeoutRetryHeader: boolean
  hedgePolicy?: HedgePolicy
  requestMirrorPolicies: readonly RequestMirrorPolicy[]
  /** Requests that are counted together, by the first that fits. */
  virtualClusters: readonly { name: string; headers: readonly HeaderMatcher[] }[]
  perFilterConfig: PerFilterConfig
  /** Of routes that have none of their own. */
  rateLimits: readonly RateLimit[]
}

/** envoy.config.route.v3.Route */
export interface Route extends HeaderMutations {
  name: string
  /** Its upstream requests are counted under this name as well; "": they are not. */
  statPrefix: string
  match: RouteMatch
  action: RouteAction | RedirectAction | DirectResponseAction
  metadata: Metadata
  requestBodyBufferLimit?: number
  decorator?: { operation: string; propagate: boolean }
  tracing?: RouteTracing
  perFilterConfig: PerFilterConfig
}

/** envoy.config.route.v3.Tracing: its percentages and names are in place of the connection manager's, its tags beside them. */
export interface RouteTracing {
  clientSampling: Percent
  randomSampling: Percent
  overallSampling: Percent
  customTags: readonly CustomTag[]
  operation: string
  upstreamOperation: string
}

/** envoy.config.route.v3.RouteMatch: all of it must hold. */
export interface RouteMatch {
  /** `separated` is a prefix that ends at a slash of the path; `regex` is RE2 over the whole path without its query. */
  path: { type: 'prefix' | 'path' | 'separated' | 'regex'; value: string }
  caseSensitive: boolean
  runtimeFraction?: RuntimeFraction
  headers: readonly HeaderMatcher[]
  queryParameters: readonly QueryParameterMatcher[]
  cookies: readonly CookieMatcher[]
  /** Of what filters have said of the request; looked at anew when one of them asks for another route. */
  dynamicMetadata: readonly MetadataMatcher[]
  /** Keys of objects that filters have left with the request. */
  filterState: readonly string[]
  /** Requests of gRPC alone. */
  grpc: boolean
}

/** envoy.config.route.v3.RouteAction */
export interface RouteAction {
  type: 'route'
  /** As the virtual host's, and before it. */
  cors?: CorsPolicy
  cluster:
    | { type: 'cluster'; name: string }
    /** The request's header of that name names it. */
    | { type: 'header'; header: string }
    | {
        type: 'weighted'
        clusters: readonly WeightedCluster[]
        totalWeight: number
        runtimeKeyPrefix: string
        /** The header whose number is drawn in place of a random one; "": none. */
        headerName: string
        /** The route's hash is drawn, if the request has one. */
        useHashPolicy: boolean
      }
  /** Which subset of the cluster's hosts. */
  metadataMatch?: Labels
  clusterNotFoundResponseCode: 503 | 404 | 500
  prefixRewrite?: string
  /** Over the path without its query. */
  regexRewrite?: RegexRewrite
  /** A format string for the whole path. */
  pathRewrite?: string
  hostRewrite?:
    | { type: 'literal'; host: string }
    | { type: 'header'; name: string }
    | { type: 'path_regex'; rewrite: RegexRewrite }
    /** A format string. */
    | { type: 'format'; format: string }
  autoHostRewrite: boolean
  appendXForwardedHost: boolean
  /** 15000 by default; 0 is none. */
  timeout: Milliseconds
  /** Overrides the HCM's stream_idle_timeout when present. */
  idleTimeout?: Milliseconds
  maxStreamDuration?: MaxStreamDuration
  retryPolicy?: RetryPolicy
  requestMirrorPolicies: readonly RequestMirrorPolicy[]
  /** Which connections and which circuit breaker. */
  priority: 'default' | 'high'
  hashPolicies: readonly HashPolicy[]
  hedgePolicy?: HedgePolicy
  internalRedirectPolicy?: InternalRedirectPolicy
  rateLimits: readonly RateLimit[]
  /** Those of the virtual host count beside them. */
  includeVhRateLimits: boolean
}

/** envoy.config.route.v3.HedgePolicy */
export interface HedgePolicy {
  /** A try that takes too long is joined by another; the first good answer counts. */
  hedgeOnPerTryTimeout: boolean
}

/** RouteAction.MaxStreamDuration; 0 is no limit. */
export interface MaxStreamDuration {
  /** Overrides the HCM's. */
  duration?: Milliseconds
  /** The client's `grpc-timeout` counts, up to this. */
  grpcTimeoutHeaderMax?: Milliseconds
  /** Taken from `grpc-timeout`. */
  grpcTimeoutHeaderOffset: Milliseconds
}

/** envoy.config.route.v3.WeightedCluster.ClusterWeight */
export interface WeightedCluster extends HeaderMutations {
  /** "": `clusterHeader` says it. */
  name: string
  clusterHeader: string
  hostRewriteLiteral?: string
  weight: number
  /** Over the route's, label by label. */
  metadataMatch?: Labels
  perFilterConfig: PerFilterConfig
}

/** envoy.config.route.v3.RetryPolicy */
export interface RetryPolicy {
  /** Tokens of retry_on as written; the proxy knows which it acts on. */
  retryOn: readonly string[]
  numRetries: number
  /** 0: none. */
  perTryTimeout: Milliseconds
  baseInterval: Milliseconds
  maxInterval: Milliseconds
  retriableStatusCodes: readonly number[]
  /** Of an upstream that is silent for so long, before its response or in it. 0: none. */
  perTryIdleTimeout: Milliseconds
  /** Of a response, with the condition retriable-headers. */
  retriableHeaders: readonly HeaderMatcher[]
  /** Not empty: only requests that one of them matches are tried again. */
  retriableRequestHeaders: readonly HeaderMatcher[]
  /** A response says in one of these how long to wait, but for more than `maxInterval`. */
  rateLimitedBackOff?: { resetHeaders: readonly ResetHeader[]; maxInterval: Milliseconds }
  /** Not one that was tried already, if another can be had. */
  avoidPreviousHosts: boolean
  /** No canary (a host with the label `canary: true`), if another can be had. */
  omitCanaryHosts: boolean
  /** No host that has all of one of these, if another can be had. */
  omitHosts: readonly Labels[]
  /** After so many tries the priorities that were tried are left out; absent: never. */
  previousPriorities?: { updateFrequency: number }
  /** How often another host is chosen in place of one that is not wanted. */
  hostSelectionRetryMaxAttempts: number
}

/** envoy.config.route.v3.RetryPolicy.ResetHeader: a field of the response that says when to try again. */
export interface ResetHeader {
  /** Lower case. */
  name: string
  format: 'SECONDS' | 'UNIX_TIMESTAMP'
}

/** envoy.config.route.v3.RedirectAction */
export interface RedirectAction {
  type: 'redirect'
  httpsRedirect: boolean
  schemeRedirect?: string
  hostRedirect?: string
  portRedirect?: number
  pathRedirect?: string
  prefixRewrite?: string
  regexRewrite?: RegexRewrite
  /** A format string for the whole path. */
  pathRewrite?: string
  responseCode: 301 | 302 | 303 | 307 | 308
  stripQuery: boolean
}

/** envoy.config.route.v3.DirectResponseAction */
export interface DirectResponseAction {
  type: 'direct_response'
  status: number
  /** The bytes, read when the file was loaded. */
  body: Uint8Array
  bodyFormat?: SubstitutionFormat
}
