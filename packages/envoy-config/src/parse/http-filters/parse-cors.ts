import type { CorsFilter, CorsPolicy } from '../../http-filters/cors.ts'
import type { Fraction } from '../../quantities.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseStringMatcher } from '../matchers.ts'
import { parseRuntimeFraction } from '../percent.ts'

const ALWAYS: Fraction = { numerator: 100, denominator: 100 }
const NEVER: Fraction = { numerator: 0, denominator: 100 }

/** Of an envoy.extensions.filters.http.cors.v3.Cors. */
export function parseCors(): CorsFilter {
  return { type: 'cors' }
}

/** Of an envoy.extensions.filters.http.cors.v3.CorsPolicy, or of the older envoy.config.route.v3.CorsPolicy with the same fields. */
export function parseCorsPolicy(message: Message, context: ParseContext): CorsPolicy {
  const flag = <K extends string>(key: K, name: string) =>
    (message.has(name) ? { [key]: message.boolean(name) } : {}) as { [key in K]?: boolean }
  const enabled = message.message('filter_enabled')
  const shadow = message.message('shadow_enabled')
  return {
    type: 'cors_policy',
    allowOrigins: message.messages('allow_origin_string_match').map(matcher => parseStringMatcher(matcher, context)),
    allowMethods: message.string('allow_methods'),
    allowHeaders: message.string('allow_headers'),
    exposeHeaders: message.string('expose_headers'),
    maxAge: message.string('max_age'),
    ...flag('allowCredentials', 'allow_credentials'),
    ...flag('allowPrivateNetworkAccess', 'allow_private_network_access'),
    ...flag('forwardNotMatchingPreflights', 'forward_not_matching_preflights'),
    ...(enabled && { filterEnabled: parseRuntimeFraction(enabled, ALWAYS) }),
    ...(shadow && { shadowEnabled: parseRuntimeFraction(shadow, NEVER) }),
  }
}
