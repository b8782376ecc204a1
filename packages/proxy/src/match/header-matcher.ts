import type { HeaderMatcher } from '@hopscope/envoy-config'
import type { HeaderMap } from '../http/headers.ts'
import { compileStringMatcher, type MatchText } from './string-matcher.ts'

export type MatchHeaders = (headers: HeaderMap) => boolean

/** Of several fields of the name one has to match. (Envoy before 1.39 looked at all of them joined with commas.) */
export function compileHeaderMatcher(matcher: HeaderMatcher): MatchHeaders {
  const { match, invertMatch, treatMissingHeaderAsEmpty } = matcher
  const name = matcher.name === 'host' ? ':authority' : matcher.name
  if (match.type === 'present') {
    const wanted = match.present !== invertMatch
    return headers => (treatMissingHeaderAsEmpty || headers.get(name) !== undefined) === wanted
  }
  const matches = match.type === 'range' ? compileRange(match.start, match.end) : compileStringMatcher(match.matcher)
  const pseudo = name.startsWith(':')
  return headers => {
    const values = pseudo ? [headers.get(name) ?? ''] : headers.getAll(name)
    if (values.length === 0) {
      // A field that is not there matches nothing, inverted or not.
      return treatMissingHeaderAsEmpty ? matches('') !== invertMatch : false
    }
    return values.some(matches) !== invertMatch
  }
}

/** A whole number, signed or not, blanks around it. */
const WHOLE = /^\s*[+-]?\d+\s*$/

function compileRange(start: number, end: number): MatchText {
  return text => {
    if (!WHOLE.test(text)) return false
    const number = Number(text)
    return number >= start && number < end
  }
}
