import type { LocalRateLimitFilter } from '../../http-filters.ts'
import type { Fraction } from '../../quantities.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseAdditions } from '../header-mutations.ts'
import { parseRuntimeFraction } from '../percent.ts'
import { parseStatus } from '../status.ts'

/** Left out, both shares are none: the filter does nothing. */
const NEVER: Fraction = { numerator: 0, denominator: 100 }

/** Of an envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit. */
export function parseLocalRateLimit(message: Message, context: ParseContext): LocalRateLimitFilter {
  const bucket = message.message('token_bucket')
  if (bucket !== undefined && bucket.duration('fill_interval', 50) < 50) {
    context.problems.add(
      'invalid',
      bucket.valuePlace('fill_interval'),
      'local rate limit token bucket fill timer must be >= 50ms',
    )
  }
  const code = parseStatus(message.message('status')) ?? 429
  return {
    type: 'local_ratelimit',
    statPrefix: message.string('stat_prefix'),
    // Envoy: below 400 it is no refusal.
    status: code < 400 ? 429 : code,
    ...(bucket && {
      tokenBucket: {
        maxTokens: bucket.number('max_tokens'),
        tokensPerFill: bucket.number('tokens_per_fill', 1),
        fillInterval: bucket.duration('fill_interval', 0),
      },
    }),
    filterEnabled: parseRuntimeFraction(message.message('filter_enabled'), NEVER),
    filterEnforced: parseRuntimeFraction(message.message('filter_enforced'), NEVER),
    requestHeadersToAddWhenNotEnforced: parseAdditions(message, 'request_headers_to_add_when_not_enforced', context),
    responseHeadersToAdd: parseAdditions(message, 'response_headers_to_add', context),
    localRateLimitPerDownstreamConnection: message.boolean('local_rate_limit_per_downstream_connection'),
    rateLimitedAsResourceExhausted: message.boolean('rate_limited_as_resource_exhausted'),
  }
}

/** The same on a route, where Envoy asks for a bucket. */
export function parseLocalRateLimitOfRoute(message: Message, context: ParseContext): LocalRateLimitFilter {
  if (!message.has('token_bucket') && !message.broken.has('token_bucket')) {
    const what = 'is required: local rate limit token bucket must be set for per filter configs'
    context.problems.add('invalid', message.place('token_bucket'), what)
  }
  return parseLocalRateLimit(message, context)
}
