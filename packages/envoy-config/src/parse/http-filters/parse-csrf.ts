import type { CsrfFilter } from '../../http-filters/csrf.ts'
import type { Fraction } from '../../quantities.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseStringMatcher } from '../matchers.ts'
import { parseRuntimeFraction } from '../percent.ts'

const NEVER: Fraction = { numerator: 0, denominator: 100 }

/** Of an envoy.extensions.filters.http.csrf.v3.CsrfPolicy. */
export function parseCsrf(message: Message, context: ParseContext): CsrfFilter {
  const shadow = message.message('shadow_enabled')
  return {
    type: 'csrf',
    filterEnabled: parseRuntimeFraction(message.message('filter_enabled'), NEVER),
    ...(shadow && { shadowEnabled: parseRuntimeFraction(shadow, NEVER) }),
    additionalOrigins: message.messages('additional_origins').map(matcher => parseStringMatcher(matcher, context)),
  }
}
