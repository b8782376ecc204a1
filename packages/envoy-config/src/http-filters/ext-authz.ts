import type { StringMatcher } from '../matchers.ts'
import type { MetadataMatcher } from '../metadata-matcher.ts'
import type { Milliseconds, RuntimeFraction } from '../quantities.ts'

/** envoy.extensions.filters.http.ext_authz.v3.ExtAuthz, with an HTTP service. */
export interface ExtAuthzFilter {
  type: 'ext_authz'
  service: ExtAuthzService
  /** A failing service lets requests through. */
  failureModeAllow: boolean
  failureModeAllowHeaderAdd: boolean
  withRequestBody?: ExtAuthzBody
  statusOnError: number
  /** Headers that the service sees beside those it always sees; undefined: none. */
  allowedHeaders: readonly StringMatcher[]
  disallowedHeaders: readonly StringMatcher[]
  filterEnabled?: RuntimeFraction
  /** Only requests are asked about whose dynamic metadata it matches. */
  filterEnabledMetadata?: MetadataMatcher
  /** What is not asked about is refused. */
  denyAtDisable?: { defaultValue: boolean; runtimeKey: string }
  statPrefix: string
  chargeClusterResponseStats: boolean
  /** The request gets another route when the service has changed its headers. */
  clearRouteCache: boolean
  /** What the service says is counted, and refuses nothing. */
  shadowMode: boolean
  /** Of the service's body, for a refused client; 0: all of it. */
  maxDeniedResponseBodyBytes: number
}

/** envoy.extensions.filters.http.ext_authz.v3.HttpService */
export interface ExtAuthzService {
  cluster: string
  timeout: Milliseconds
  /** Before the request's path, or in its place. */
  pathPrefix: string
  pathOverride: string
  headersToAdd: readonly (readonly [name: string, value: string])[]
  allowedUpstreamHeaders: readonly StringMatcher[]
  allowedUpstreamHeadersToAppend: readonly StringMatcher[]
  allowedClientHeaders: readonly StringMatcher[]
  allowedClientHeadersOnSuccess: readonly StringMatcher[]
  /** Of an answer that lets the request pass: dynamic metadata under their names. */
  metadataFromHeaders: readonly StringMatcher[]
}

/** envoy.extensions.filters.http.ext_authz.v3.BufferSettings: how much of the body the service gets. */
export interface ExtAuthzBody {
  maxRequestBytes: number
  allowPartialMessage: boolean
}

/** envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute */
export interface ExtAuthzOfRoute {
  type: 'ext_authz_of_route'
  disabled: boolean
  disableRequestBodyBuffering: boolean
  withRequestBody?: ExtAuthzBody
  service?: ExtAuthzService
}
