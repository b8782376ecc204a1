import type { HeaderValueOption } from '../header-mutations.ts'
import type { StringMatcher } from '../matchers.ts'

/** envoy.extensions.filters.http.header_mutation.v3.HeaderMutation, and HeaderMutationPerRoute. */
export interface HeaderMutationFilter {
  type: 'header_mutation'
  request: readonly HeaderMutation[]
  response: readonly HeaderMutation[]
  queryParameters: readonly QueryParameterMutation[]
  /** Of the listener: the levels in the order of routes, the most specific last. */
  mostSpecificWins: boolean
}

/** envoy.config.common.mutation_rules.v3.HeaderMutation */
export type HeaderMutation =
  | { type: 'remove'; name: string }
  | { type: 'append'; option: HeaderValueOption }
  | { type: 'remove_on_match'; matcher: StringMatcher }

/** envoy.config.core.v3.KeyValueMutation */
export type QueryParameterMutation =
  | { type: 'remove'; key: string }
  | { type: 'append'; key: string; value: string; action: HeaderValueOption['appendAction'] }
