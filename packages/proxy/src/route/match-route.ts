import type { CookieMatcher, QueryParameterMatcher, RouteMatch } from '@hopscope/envoy-config'
import { isGrpc } from '../http/grpc-status.ts'
import type { RequestHeaders } from '../http/headers.ts'
import { compileHeaderMatcher } from '../match/header-matcher.ts'
import { compileMetadataMatcher } from '../match/metadata-matcher.ts'
import { compileStringMatcher, lowerAscii, type MatchText } from '../match/string-matcher.ts'
import type { Runtime } from '../runtime.ts'
import type { StreamInfo } from '../stream-info.ts'

/** What routes match of a request beside its head. */
export interface MatchedRequest {
  /** Its own number, the same for every share that it may fall into: whole, 0 up. */
  draw(): number
  readonly info: Pick<StreamInfo, 'dynamicMetadata'>
}

/** `path` is the request's without query and fragment. */
export type MatchRoute = (path: string, headers: RequestHeaders, request: MatchedRequest) => boolean

/** All that the match asks has to be so. `ignoreParameters`: segments of a path are looked at without what follows a `;`. */
export function compileRouteMatch(match: RouteMatch, runtime: Runtime, ignoreParameters: boolean): MatchRoute {
  const matches = compilePath(match)
  const matchesPath: MatchText = ignoreParameters ? path => matches(path.replace(/;[^/]*/g, '')) : matches
  const conditions = compileConditions(match, runtime)
  if (conditions.length === 0) return path => matchesPath(path)
  return (path, headers, request) => {
    for (const holds of conditions) if (!holds(headers, request)) return false
    return matchesPath(path)
  }
}

type Condition = (headers: RequestHeaders, request: MatchedRequest) => boolean

/** In Envoy's order. */
function compileConditions(match: RouteMatch, runtime: Runtime): Condition[] {
  const conditions: Condition[] = []
  if (match.runtimeFraction !== undefined) {
    const { runtimeKey, defaultValue } = match.runtimeFraction
    conditions.push((_, request) => runtime.enabled(runtimeKey, defaultValue, request.draw()))
  }
  if (match.grpc) conditions.push(headers => isGrpc(headers.get('content-type')))
  for (const matcher of match.headers) conditions.push(compileHeaderMatcher(matcher))
  for (const matcher of match.queryParameters) {
    const matches = compileQueryParameter(matcher)
    conditions.push(({ path }) => matches(path))
  }
  for (const matcher of match.cookies) conditions.push(compileCookie(matcher))
  for (const matcher of match.dynamicMetadata) {
    const matches = compileMetadataMatcher(matcher)
    conditions.push((_, { info }) => matches(info.dynamicMetadata))
  }
  // No filter leaves any state yet, and what is not there matches nothing.
  if (match.filterState.length > 0) conditions.push(() => false)
  return conditions
}

function compilePath({ path, caseSensitive }: RouteMatch): MatchText {
  const { type, value } = path
  if (type === 'regex') return compileStringMatcher({ type, value, ignoreCase: false })
  if (type === 'path') return compileStringMatcher({ type: 'exact', value, ignoreCase: !caseSensitive })
  if (type === 'prefix') {
    if (value === '/') return given => given.charCodeAt(0) === 47
    return compileStringMatcher({ type, value, ignoreCase: !caseSensitive })
  }
  const fold = caseSensitive ? (text: string) => text : lowerAscii
  const prefix = fold(Buffer.from(value, 'utf8').toString('latin1'))
  return given => {
    const text = fold(given)
    return text.startsWith(prefix) && (text.length === prefix.length || text.charCodeAt(prefix.length) === 47)
  }
}

/** Of a path with its query. */
export function compileQueryParameter({ name, match }: QueryParameterMatcher): (path: string) => boolean {
  const wanted = Buffer.from(name, 'utf8').toString('latin1')
  if (match.type === 'present') {
    return path => (queryParameter(path, wanted) !== undefined) === match.present
  }
  const matches = compileStringMatcher(match.matcher)
  return path => {
    const value = queryParameter(path, wanted)
    return value !== undefined && matches(value)
  }
}

function compileCookie({ name, matcher, invertMatch }: CookieMatcher): Condition {
  const matches = compileStringMatcher(matcher)
  return headers => {
    const value = cookie(headers, name)
    return value === undefined ? invertMatch : matches(value) !== invertMatch
  }
}

/** The first of its name, as it is written: nothing in it is decoded. A name without `=` has the value "". */
export function queryParameter(path: string, name: string): string | undefined {
  const mark = path.indexOf('?')
  if (mark === -1) return undefined
  for (const pair of path.slice(mark + 1).split('&')) {
    const equals = pair.indexOf('=')
    if ((equals === -1 ? pair : pair.slice(0, equals)) === name) return equals === -1 ? '' : pair.slice(equals + 1)
  }
  return undefined
}

/** The first of its name; quotes around its value are no part of it. */
export function cookie(headers: RequestHeaders, name: string): string | undefined {
  for (const field of headers.getAll('cookie')) {
    for (const pair of field.split(';')) {
      const equals = pair.indexOf('=')
      if (equals === -1 || pair.slice(0, equals).trim() !== name) continue
      const value = pair.slice(equals + 1).trim()
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
    }
  }
  return undefined
}
