import type { StringMatcher } from '../matchers.ts'
import type { RuntimeFraction } from '../quantities.ts'

/** envoy.extensions.filters.http.cors.v3.Cors: what it does, routes say. */
export interface CorsFilter {
  type: 'cors'
}

/** envoy.extensions.filters.http.cors.v3.CorsPolicy. What is absent here may stand in the policy of a less specific level. */
export interface CorsPolicy {
  type: 'cors_policy'
  allowOrigins: readonly StringMatcher[]
  /** Values of response headers; "": none. */
  allowMethods: string
  allowHeaders: string
  exposeHeaders: string
  maxAge: string
  allowCredentials?: boolean
  allowPrivateNetworkAccess?: boolean
  /** A preflight request of another origin goes upstream. */
  forwardNotMatchingPreflights?: boolean
  filterEnabled?: RuntimeFraction
  shadowEnabled?: RuntimeFraction
}
