import type { HeaderMutation } from './http-filters/header-mutation.ts'
import type { RuntimeFraction } from './quantities.ts'

/** envoy.config.route.v3.RouteAction.RequestMirrorPolicy */
export interface RequestMirrorPolicy {
  /** `header`: the request names its cluster; one that it does not name, or that does not exist, gets no copy. */
  cluster: { type: 'cluster'; name: string } | { type: 'header'; header: string }
  /** All requests, unless it says otherwise. */
  runtimeFraction: RuntimeFraction
  /** Absent: as the request itself. */
  traceSampled?: boolean
  disableShadowHostSuffixAppend: boolean
  /** Of the copy's headers, one after the other. */
  requestHeadersMutations: readonly HeaderMutation[]
  /** "": the request's host, with `-shadow`. */
  hostRewriteLiteral: string
}
