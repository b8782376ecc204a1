/** Removals first, then additions, in each level. */
export interface HeaderMutations {
  requestHeadersToAdd: readonly HeaderValueOption[]
  requestHeadersToRemove: readonly string[]
  responseHeadersToAdd: readonly HeaderValueOption[]
  responseHeadersToRemove: readonly string[]
}

/** envoy.config.core.v3.HeaderValueOption: a field to set or to add. */
export interface HeaderValueOption {
  /** Lower case. */
  key: string
  /** A format string: `%REQ(x-request-id)%`, literal text, `%%`. */
  value: string
  appendAction: 'APPEND_IF_EXISTS_OR_ADD' | 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS'
  keepEmptyValue: boolean
}
