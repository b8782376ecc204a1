import type { HeaderMatcher, QueryParameterMatcher } from './matchers.ts'

/** envoy.config.route.v3.RateLimit: what of a request its limit goes by. */
export interface RateLimit {
  /** Filters go by those of their own stage. */
  stage: number
  /** The runtime key `ratelimit.KEY.http_filter_enabled` switches it off; "": none does. */
  disableKey: string
  /** All of them have to have a word on the request. */
  actions: readonly RateLimitAction[]
  /** How many requests one counts for: a number, or a format string that gives one. */
  hitsAddend?: number | string
  applyOnStreamDone: boolean
  /** Whether clients are told; UNSPECIFIED: as the filter says. */
  xRateLimitOption: 'UNSPECIFIED' | 'OFF' | 'DRAFT_VERSION_03'
}

/** RateLimit.Action: one entry of a descriptor. */
export type RateLimitAction =
  | { type: 'source_cluster' }
  | { type: 'destination_cluster' }
  | { type: 'remote_address' }
  | { type: 'masked_remote_address'; v4Bits: number; v6Bits: number }
  /** `ranges` are `10.0.0.0/8`. */
  | { type: 'remote_address_match'; key: string; value: string; ranges: readonly string[]; invert: boolean }
  | { type: 'generic_key'; key: string; value: string }
  /** Without the header there is no descriptor, or, with `skipIfAbsent`, one without this entry. */
  | { type: 'request_headers'; name: string; key: string; skipIfAbsent: boolean }
  | { type: 'query_parameters'; name: string; key: string; skipIfAbsent: boolean }
  | { type: 'header_value_match'; key: string; value: string; expectMatch: boolean; headers: readonly HeaderMatcher[] }
  | {
      type: 'query_parameter_value_match'
      key: string
      value: string
      expectMatch: boolean
      queryParameters: readonly QueryParameterMatcher[]
    }
  | {
      type: 'metadata'
      key: string
      of: 'DYNAMIC' | 'ROUTE_ENTRY'
      /** A namespace, and the keys that lead to a text in it. */
      path: readonly string[]
      defaultValue: string
      skipIfAbsent: boolean
    }
