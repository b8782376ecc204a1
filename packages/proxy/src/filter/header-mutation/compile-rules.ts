import type { HeaderMutation } from '@hopscope/envoy-config'
import { compileStringMatcher } from '../../match/string-matcher.ts'
import { compileAdditions, type Mutate } from '../../route/header-mutations.ts'

/** The rules one after the other, each seeing what those before it did. */
export function compileRules(rules: readonly HeaderMutation[], direction: 'request' | 'response'): readonly Mutate[] {
  return rules.map(rule => compileRule(rule, direction))
}

function compileRule(rule: HeaderMutation, direction: 'request' | 'response'): Mutate {
  if (rule.type === 'append') return compileAdditions([rule.option], direction)!
  if (rule.type === 'remove') return headers => void headers.remove(rule.name)
  const matches = compileStringMatcher(rule.matcher)
  return headers => void headers.removeWhere(matches)
}
