import type { LocalRateLimitFilter, TokenBucketConfig } from '../../http-filters.ts'
import type { Fraction } from '../../quantities.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseAdditions } from '../header-mutations.ts'
import { parseRateLimits } from '../parse-rate-limits.ts'
import { parseRuntimeFraction } from '../percent.ts'
import { parseStatus } from '../status.ts'

/** Left out, both shares are none: the filter does nothing. */
const NEVER: Fraction = { numerator: 0, denominator: 100 }

/** Of an envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit. */
export function parseLocalRateLimit(message: Message, context: ParseContext): LocalRateLimitFilter {
  const bucket = message.message('token_bucket')
  const rateLimits = message.messages('rate_limits')
  for (const limit of rateLimits) {
    for (const field of ['stage', 'disable_key']) {
      if (limit.has(field))
        context.problems.add('invalid', limit.place(field), 'is for the rate_limits of routes alone')
    }
  }
  const code = parseStatus(message.message('status')) ?? 429
  return {
    type: 'local_ratelimit',
    statPrefix: message.string('stat_prefix'),
    // Envoy: below 400 it is no refusal.
    status: code < 400 ? 429 : code,
    ...(bucket && { tokenBucket: parseTokenBucket(bucket, context) }),
    filterEnabled: parseRuntimeFraction(message.message('filter_enabled'), NEVER),
    filterEnforced: parseRuntimeFraction(message.message('filter_enforced'), NEVER),
    requestHeadersToAddWhenNotEnforced: parseAdditions(message, 'request_headers_to_add_when_not_enforced', context),
    responseHeadersToAdd: parseAdditions(message, 'response_headers_to_add', context),
    localRateLimitPerDownstreamConnection: message.boolean('local_rate_limit_per_downstream_connection'),
    rateLimitedAsResourceExhausted: message.boolean('rate_limited_as_resource_exhausted'),
    descriptors: parseDescriptors(message, context),
    maxDynamicDescriptors: message.number('max_dynamic_descriptors', 20),
    stage: message.number('stage'),
    rateLimits: parseRateLimits(message, context),
    vhRateLimits: message.enum<LocalRateLimitFilter['vhRateLimits']>('vh_rate_limits', 'OVERRIDE'),
    alwaysConsumeDefaultTokenBucket: message.boolean('always_consume_default_token_bucket', true),
    enableXRateLimitHeaders: message.enum<string>('enable_x_ratelimit_headers', 'OFF') !== 'OFF',
    enableRetryAfterHeader: message.boolean('enable_retry_after_header'),
  }
}

function parseDescriptors(message: Message, context: ParseContext): LocalRateLimitFilter['descriptors'] {
  const seen = new Set<string>()
  return message.messages('descriptors').map(descriptor => {
    const entries = descriptor.messages('entries').map(entry => [entry.string('key'), entry.string('value')] as const)
    const key = JSON.stringify(entries)
    if (seen.has(key)) context.problems.add('invalid', descriptor, 'duplicate descriptor in the local rate limit')
    seen.add(key)
    const own = descriptor.message('token_bucket')
    return {
      entries,
      tokenBucket: own ? parseTokenBucket(own, context) : { maxTokens: 1, tokensPerFill: 1, fillInterval: 50 },
      shadowMode: descriptor.boolean('shadow_mode'),
    }
  })
}

/** Of an envoy.type.v3.TokenBucket. */
function parseTokenBucket(bucket: Message, context: ParseContext): TokenBucketConfig {
  if (bucket.duration('fill_interval', 50) < 50) {
    const what = 'local rate limit token bucket fill timer must be >= 50ms'
    context.problems.add('invalid', bucket.valuePlace('fill_interval'), what)
  }
  return {
    maxTokens: bucket.number('max_tokens'),
    tokensPerFill: bucket.number('tokens_per_fill', 1),
    fillInterval: bucket.duration('fill_interval', 0),
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
