import type { HeaderMatcher } from '../matchers.ts'
import type { Milliseconds, Percent } from '../quantities.ts'

/** envoy.extensions.filters.http.health_check.v3.HealthCheck */
export interface HealthCheckFilter {
  type: 'health_check'
  passThroughMode: boolean
  /** How long an upstream's answer is given again; 0: never. */
  cacheTime: Milliseconds
  /** The proxy is healthy when so much of each of these clusters is. */
  clusterMinHealthyPercentages: ReadonlyMap<string, Percent>
  /** All have to match. */
  headers: readonly HeaderMatcher[]
}
