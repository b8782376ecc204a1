import type { PerFilterConfig, RuntimeFraction } from './http-filters.ts'
import type { CustomTag, Milliseconds, Percent } from './listener.ts'
import type { CookieMatcher, HeaderMatcher, QueryParameterMatcher } from './matchers.ts'
import type { RequestMirrorPolicy } from './mirror-policy.ts'

/** envoy.config.route.v3.RouteConfiguration */
export interface RouteConfiguration extends HeaderMutations {
  name: string
  virtualHosts: readonly VirtualHost[]
  internalOnlyHeaders: readonly string[]
  mostSpecificHeaderMutationsWins: boolean
  ignorePortInHostMatching: boolean
  requestMirrorPolicies: readonly RequestMirrorPolicy[]
}

export interface VirtualHost extends HeaderMutations {
  name: string
  domains: readonly string[]
  routes: readonly Route[]
  retryPolicy?: RetryPolicy
  includeRequestAttemptCount: boolean
  includeAttemptCountInResponse: boolean
  requestMirrorPolicies: readonly RequestMirrorPolicy[]
  perFilterConfig: PerFilterConfig
}

/** Removals first, then additions, in each level. */
export interface HeaderMutations {
  requestHeadersToAdd: readonly HeaderValueOption[]
  requestHeadersToRemove: readonly string[]
  responseHeadersToAdd: readonly HeaderValueOption[]
  responseHeadersToRemove: readonly string[]
}

export interface HeaderValueOption {
  /** Lower case. */
  key: string
  /** A format string: `%REQ(x-request-id)%`, literal text, `%%`. */
  value: string
  appendAction: 'APPEND_IF_EXISTS_OR_ADD' | 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS'
  keepEmptyValue: boolean
}

export interface Route extends HeaderMutations {
  name: string
  match: RouteMatch
  action: RouteAction | RedirectAction | DirectResponseAction
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

export interface RouteMatch {
  /** `separated` is a prefix that ends at a slash of the path; `regex` is RE2 over the whole path without its query. */
  path: { type: 'prefix' | 'path' | 'separated' | 'regex'; value: string }
  caseSensitive: boolean
  runtimeFraction?: RuntimeFraction
  headers: readonly HeaderMatcher[]
  queryParameters: readonly QueryParameterMatcher[]
  cookies: readonly CookieMatcher[]
  /** Requests of gRPC alone. */
  grpc: boolean
}

/** envoy.config.route.v3.RouteAction */
export interface RouteAction {
  type: 'route'
  cluster:
    | { type: 'cluster'; name: string }
    | { type: 'weighted'; clusters: readonly WeightedCluster[]; totalWeight: number; runtimeKeyPrefix: string }
  clusterNotFoundResponseCode: 503 | 404 | 500
  prefixRewrite?: string
  hostRewriteLiteral?: string
  autoHostRewrite: boolean
  appendXForwardedHost: boolean
  /** 15000 by default; 0 is none. */
  timeout: Milliseconds
  /** Overrides the HCM's stream_idle_timeout when present. */
  idleTimeout?: Milliseconds
  retryPolicy?: RetryPolicy
  requestMirrorPolicies: readonly RequestMirrorPolicy[]
}

export interface WeightedCluster extends HeaderMutations {
  name: string
  weight: number
  perFilterConfig: PerFilterConfig
}

export interface RetryPolicy {
  /** Tokens of retry_on as written; the proxy knows which it acts on. */
  retryOn: readonly string[]
  numRetries: number
  /** 0: none. */
  perTryTimeout: Milliseconds
  baseInterval: Milliseconds
  maxInterval: Milliseconds
  retriableStatusCodes: readonly number[]
}

export interface RedirectAction {
  type: 'redirect'
  httpsRedirect: boolean
  schemeRedirect?: string
  hostRedirect?: string
  portRedirect?: number
  pathRedirect?: string
  prefixRewrite?: string
  responseCode: 301 | 302 | 303 | 307 | 308
  stripQuery: boolean
}

export interface DirectResponseAction {
  type: 'direct_response'
  status: number
  /** The bytes, read when the file was loaded. */
  body: Uint8Array
}
