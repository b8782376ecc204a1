import type { InternalRedirectPolicy, Milliseconds, RouteAction } from '@hopscope/envoy-config'
import type { ActiveCluster } from '../cluster/active-cluster.ts'
import type { MetadataMatch } from '../cluster/balancing/metadata-match.ts'
import type { RoutingPriority } from '../cluster/host.ts'
import type { HttpStats } from '../http/http-stats.ts'
import type { HashRequest } from '../route/hash-policy.ts'
import type { RouteNumbers } from '../route/route-numbers.ts'
import type { Mirrors } from './mirrors.ts'
import type { RetryState } from './retry-state.ts'

/** What is fixed once the request is routed. */
export interface Plan {
  cluster: ActiveCluster
  action: Pick<RouteAction, 'autoHostRewrite' | 'appendXForwardedHost'>
  timeout: Milliseconds
  /** 0: none. */
  perTryTimeout: Milliseconds
  /** 0: none. */
  perTryIdleTimeout: Milliseconds
  /** Of one try, from its connection to its end; 0: none. */
  maxStreamDuration: Milliseconds
  /** A try that takes too long goes on beside the next. */
  hedge: boolean
  /** x-envoy-is-timeout-retry */
  tellTimeoutRetries: boolean
  retry: RetryState | undefined
  suppressEnvoyHeaders: boolean
  /** x-envoy-attempt-count: to the upstream, to the client. */
  countAttempts: { request: boolean; response: boolean }
  /** The global timeout answers 204. */
  timeoutIsNoContent: boolean
  /** Body bytes kept for another try. */
  bufferLimit: number
  priority: RoutingPriority
  hash: HashRequest | undefined
  metadataMatch: MetadataMatch | undefined
  /** Counted under this name as well. */
  altStatName: string | undefined
  /** Of its virtual cluster and its route, where these are counted. */
  numbers: readonly RouteNumbers[]
  mirrors: Mirrors | undefined
  /** Answers that are followed here. */
  redirects: InternalRedirectPolicy | undefined
  http: HttpStats
}
