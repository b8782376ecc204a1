import type { StringMatcher } from './matchers.ts'

/** xds.type.matcher.v3.Matcher: a tree of questions that leads to an action. */
export interface Matcher<Action> {
  match:
    | { type: 'list'; matchers: readonly { predicate: Predicate; onMatch: OnMatch<Action> }[] }
    | { type: 'exact' | 'prefix'; input: MatchInput; map: ReadonlyMap<string, OnMatch<Action>> }
    | { type: 'none' }
  onNoMatch: OnMatch<Action> | undefined
}

/** xds.type.matcher.v3.Matcher.OnMatch: an action, or another matcher to go on with. */
export type OnMatch<Action> =
  | { type: 'action'; action: Action; keepMatching: boolean }
  | { type: 'matcher'; matcher: Matcher<Action>; keepMatching: boolean }

/** xds.type.matcher.v3.Matcher.MatcherList.Predicate */
export type Predicate =
  | { type: 'single'; input: MatchInput; matcher: StringMatcher }
  | { type: 'and' | 'or'; predicates: readonly Predicate[] }
  | { type: 'not'; predicate: Predicate }

/** What a question is about: text, or nothing. */
export type MatchInput =
  | { type: 'request_header'; name: string }
  | { type: 'destination_ip' | 'destination_port' | 'source_ip' | 'direct_source_ip' | 'source_port' }
