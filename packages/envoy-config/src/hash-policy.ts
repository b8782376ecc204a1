import type { RegexRewrite } from './matchers.ts'

/** envoy.config.route.v3.RouteAction.HashPolicy: what of a request decides on its host, with RING_HASH and MAGLEV. */
export type HashPolicy = {
  /** When there is a hash by then, the rest of the list is not looked at. */
  terminal: boolean
} & (
  | { type: 'header'; name: string; rewrite?: RegexRewrite }
  | {
      type: 'cookie'
      name: string
      /** Seconds; set: a request without the cookie gets one. 0: until the client ends. */
      ttl?: number
      path: string
      attributes: readonly { name: string; value: string }[]
    }
  | { type: 'source_ip' }
  | { type: 'query_parameter'; name: string }
)
