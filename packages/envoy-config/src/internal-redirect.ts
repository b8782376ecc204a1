/** envoy.config.route.v3.InternalRedirectPolicy: answers that are followed here, in place of the client. */
export interface InternalRedirectPolicy {
  /** One more is passed on to the client. */
  maxInternalRedirects: number
  /** Of 301, 302, 303, 307 and 308. */
  responseCodes: readonly number[]
  /** All of them have to accept. */
  predicates: readonly InternalRedirectPredicate[]
  /** From http to https, or back. */
  allowCrossScheme: boolean
  /** Lower case: of the answer, for the request that follows; those that the answer lacks are taken away. */
  responseHeadersToCopy: readonly string[]
}

/** envoy.extensions.internal_redirect.*: where a redirect may not lead. All of them must agree. */
export type InternalRedirectPredicate =
  /** Not to a route that a redirect of this route has led to before. */
  | { type: 'previous_routes' }
  | { type: 'allow_listed_routes'; names: readonly string[] }
  /** Not from http to https. */
  | { type: 'safe_cross_scheme' }
