import type { StringMatcher } from '../matchers.ts'
import type { RuntimeFraction } from '../quantities.ts'

/** envoy.extensions.filters.http.csrf.v3.CsrfPolicy */
export interface CsrfFilter {
  type: 'csrf'
  filterEnabled: RuntimeFraction
  shadowEnabled?: RuntimeFraction
  additionalOrigins: readonly StringMatcher[]
}
