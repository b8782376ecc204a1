import type { CookieMatcher, HeaderMatcher, QueryParameterMatcher, RegexRewrite, StringMatcher } from '../matchers.ts'
import { checkSubstitution, compileRegex } from '../regex.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'

/** Of an envoy.type.matcher.v3.StringMatcher. */
export function parseStringMatcher(message: Message | undefined, context: ParseContext): StringMatcher {
  const ignoreCase = message?.boolean('ignore_case') ?? false
  for (const type of ['prefix', 'suffix', 'contains'] as const) {
    if (message?.has(type)) return { type, value: message.string(type), ignoreCase }
  }
  const regex = message?.message('safe_regex')
  if (regex === undefined) return { type: 'exact', value: message?.string('exact') ?? '', ignoreCase }
  if (ignoreCase) {
    const what = 'ignore_case has no effect for safe_regex: write (?i) before the pattern'
    context.problems.add('invalid', message!.place('ignore_case'), what)
  }
  return { type: 'regex', value: parseRegex(regex, context), ignoreCase: false }
}

/** Of an envoy.type.matcher.v3.RegexMatcher: its pattern. What is no RE2 is noted. */
export function parseRegex(message: Message | undefined, context: ParseContext): string {
  const pattern = message?.string('regex') ?? ''
  if (message === undefined || pattern === '') return ''
  try {
    compileRegex(pattern)
  } catch (error) {
    context.problems.add('invalid', message.valuePlace('regex'), `is no RE2 pattern: ${(error as Error).message}`)
    return ''
  }
  return pattern
}

/** Of an envoy.type.matcher.v3.RegexMatchAndSubstitute. */
export function parseRegexRewrite(message: Message, context: ParseContext): RegexRewrite {
  const pattern = parseRegex(message.message('pattern'), context)
  const substitution = message.string('substitution')
  const wrong = pattern === '' ? undefined : checkSubstitution(pattern, substitution)
  if (wrong !== undefined)
    context.problems.add('unsupported', message.valuePlace('substitution'), `${wrong}: Envoy would replace nothing`)
  return { pattern, substitution }
}

/** The matchers that HeaderMatcher had before `string_match`. */
const OLDER = {
  exact_match: 'exact',
  prefix_match: 'prefix',
  suffix_match: 'suffix',
  contains_match: 'contains',
} as const

/** Of an envoy.config.route.v3.HeaderMatcher. */
export function parseHeaderMatcher(message: Message, context: ParseContext): HeaderMatcher {
  return {
    name: message.string('name').toLowerCase(),
    match: parseHeaderMatch(message, context),
    invertMatch: message.boolean('invert_match'),
    treatMissingHeaderAsEmpty: message.boolean('treat_missing_header_as_empty'),
  }
}

function parseHeaderMatch(message: Message, context: ParseContext): HeaderMatcher['match'] {
  const string = (matcher: StringMatcher) => ({ type: 'string', matcher }) as const
  if (message.has('string_match')) return string(parseStringMatcher(message.message('string_match'), context))
  for (const [field, type] of Object.entries(OLDER)) {
    if (message.has(field)) return string({ type, value: message.string(field), ignoreCase: false })
  }
  if (message.has('safe_regex_match')) {
    const value = parseRegex(message.message('safe_regex_match'), context)
    return string({ type: 'regex', value, ignoreCase: false })
  }
  const range = message.message('range_match')
  if (range !== undefined) return { type: 'range', start: range.number('start'), end: range.number('end') }
  return { type: 'present', present: message.boolean('present_match', true) }
}

/** Of an envoy.config.route.v3.QueryParameterMatcher. */
export function parseQueryParameterMatcher(message: Message, context: ParseContext): QueryParameterMatcher {
  return {
    name: message.string('name'),
    match: message.has('string_match')
      ? { type: 'string', matcher: parseStringMatcher(message.message('string_match'), context) }
      : { type: 'present', present: message.boolean('present_match', true) },
  }
}

/** Of an envoy.config.route.v3.CookieMatcher. */
export function parseCookieMatcher(message: Message, context: ParseContext): CookieMatcher {
  return {
    name: message.string('name'),
    matcher: parseStringMatcher(message.message('string_match'), context),
    invertMatch: message.boolean('invert_match'),
  }
}
