import type { Fraction, LocalRateLimitFilter } from '../../http-filters.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseAdditions } from '../header-mutations.ts'
import { parseRuntimeFraction } from '../percent.ts'

/** Left out, both shares are none: the filter does nothing. */
const NEVER: Fraction = { numerator: 0, denominator: 100 }

/** Of an envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit. */
export function parseLocalRateLimit(message: Message, context: ParseContext): LocalRateLimitFilter {
  const bucket = message.message('token_bucket')
  const status = message.message('status')?.enum<string>('code', '') ?? ''
  if (bucket !== undefined && bucket.duration('fill_interval', 50) < 50) {
    context.problems.add(
      'invalid',
      bucket.valuePlace('fill_interval'),
      'local rate limit token bucket fill timer must be >= 50ms',
    )
  }
  const code = STATUS_NUMBERS[status] ?? 429
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

/** envoy.type.v3.StatusCode, by the names of its values. */
const STATUS_NUMBERS: Readonly<Record<string, number>> = {
  Continue: 100,
  OK: 200,
  Created: 201,
  Accepted: 202,
  NonAuthoritativeInformation: 203,
  NoContent: 204,
  ResetContent: 205,
  PartialContent: 206,
  MultiStatus: 207,
  AlreadyReported: 208,
  IMUsed: 226,
  MultipleChoices: 300,
  MovedPermanently: 301,
  Found: 302,
  SeeOther: 303,
  NotModified: 304,
  UseProxy: 305,
  TemporaryRedirect: 307,
  PermanentRedirect: 308,
  BadRequest: 400,
  Unauthorized: 401,
  PaymentRequired: 402,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  ProxyAuthenticationRequired: 407,
  RequestTimeout: 408,
  Conflict: 409,
  Gone: 410,
  LengthRequired: 411,
  PreconditionFailed: 412,
  PayloadTooLarge: 413,
  URITooLong: 414,
  UnsupportedMediaType: 415,
  RangeNotSatisfiable: 416,
  ExpectationFailed: 417,
  MisdirectedRequest: 421,
  UnprocessableEntity: 422,
  Locked: 423,
  FailedDependency: 424,
  UpgradeRequired: 426,
  PreconditionRequired: 428,
  TooManyRequests: 429,
  RequestHeaderFieldsTooLarge: 431,
  InternalServerError: 500,
  NotImplemented: 501,
  BadGateway: 502,
  ServiceUnavailable: 503,
  GatewayTimeout: 504,
  HTTPVersionNotSupported: 505,
  VariantAlsoNegotiates: 506,
  InsufficientStorage: 507,
  LoopDetected: 508,
  NotExtended: 510,
  NetworkAuthenticationRequired: 511,
}
