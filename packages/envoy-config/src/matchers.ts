/** envoy.type.matcher.v3.StringMatcher */
export interface StringMatcher {
  /** `regex` is RE2 and has to match all of the text. */
  type: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex'
  value: string
  /** Never with a regex. */
  ignoreCase: boolean
}

/** envoy.config.route.v3.HeaderMatcher */
export interface HeaderMatcher {
  /** Lower case; may be a pseudo header (`:method`, `:path`, `:authority`). */
  name: string
  match:
    | { type: 'present'; present: boolean }
    | { type: 'string'; matcher: StringMatcher }
    /** A whole number from `start` to before `end`. */
    | { type: 'range'; start: number; end: number }
  invertMatch: boolean
  treatMissingHeaderAsEmpty: boolean
}

/** envoy.config.route.v3.QueryParameterMatcher */
export interface QueryParameterMatcher {
  name: string
  match: { type: 'present'; present: boolean } | { type: 'string'; matcher: StringMatcher }
}

/** envoy.config.route.v3.CookieMatcher */
export interface CookieMatcher {
  name: string
  matcher: StringMatcher
  invertMatch: boolean
}

/** envoy.type.matcher.v3.RegexMatchAndSubstitute */
export interface RegexRewrite {
  pattern: string
  /** `\1` is the first group of a match, `\0` all of it. */
  substitution: string
}
