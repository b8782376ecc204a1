import type { RuntimeFraction } from '../http-filters.ts'
import type { StringMatcher } from '../matchers.ts'

/** envoy.extensions.filters.http.csrf.v3.CsrfPolicy */
export interface CsrfFilter {
  type: 'csrf'
  filterEnabled: RuntimeFraction
  shadowEnabled?: RuntimeFraction
  additionalOrigins: readonly StringMatcher[]
}
