import type { InternalRedirectPolicy, InternalRedirectPredicate } from '@hopscope/envoy-config'
import type { Exchange, RedirectHistory } from '../http/exchange.ts'
import type { RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { HttpStats } from '../http/http-stats.ts'

/**
 * Turns the request into the one that an answer asks for: scheme, host, path, method. False: it stays as it was, and the answer goes
 * to the client; a counter says why. (Envoy `Filter::convertRequestHeadersForInternalRedirect`)
 */
export function redirectRequest(
  exchange: Exchange,
  response: ResponseHeaders,
  policy: InternalRedirectPolicy,
  stats: HttpStats,
): boolean {
  const { headers } = exchange
  const from = exchange.route?.route.name ?? ''
  const target = parseLocation(response.get('location') ?? '')
  if (target === undefined) {
    stats.passthrough_internal_redirect_bad_location.add()
    return false
  }
  // The client came without TLS, whatever x-forwarded-proto says.
  const upgrades = target.scheme.toLowerCase() !== 'http'
  if (upgrades && !policy.allowCrossScheme) {
    stats.passthrough_internal_redirect_unsafe_scheme.add()
    return false
  }
  exchange.redirects ??= { count: 0, led: new Map() }
  const history = exchange.redirects
  if (history.count >= policy.maxInternalRedirects) {
    stats.passthrough_internal_redirect_too_many_redirects.add()
    return false
  }

  const original = headers.clone()
  for (const name of policy.responseHeadersToCopy) {
    headers.remove(name)
    for (const value of response.getAll(name)) headers.append(name, value)
  }
  headers.scheme = target.scheme
  headers.authority = target.host
  headers.path = target.path
  const { responseMutations } = exchange
  exchange.reroute()
  const { route } = exchange
  // Whatever comes of it, the answer to this request is that of the route that it went by.
  exchange.responseMutations = responseMutations
  if (route === undefined) {
    stats.passthrough_internal_redirect_no_route.add()
    restore(headers, original)
    return false
  }
  const step: Step = { from, to: route.route.name, upgrades }
  if (!policy.predicates.every(predicate => accepts(predicate, step, history))) {
    stats.passthrough_internal_redirect_predicate.add()
    restore(headers, original)
    return false
  }
  if (response.status === 303 && headers.method !== 'GET' && headers.method !== 'HEAD') {
    headers.method = 'GET'
    headers.remove('content-length')
  }
  history.count++
  headers.set('x-envoy-original-url', `http://${original.authority}${original.path}`)
  return true
}

/** Envoy puts the scheme back beside itself, which its log shows. */
function restore(headers: RequestHeaders, original: RequestHeaders): void {
  headers.restore(original)
  headers.scheme = `${original.scheme},${original.scheme}`
}

/** A 303 asks for something else, with GET: the body is not part of it. */
export function keepsBody(response: ResponseHeaders, headers: RequestHeaders): boolean {
  return !(response.status === 303 && headers.method === 'GET')
}

interface Step {
  /** Names of routes. */
  from: string
  to: string
  /** From http to https. */
  upgrades: boolean
}

function accepts(
  predicate: InternalRedirectPredicate,
  { from, to, upgrades }: Step,
  { led }: RedirectHistory,
): boolean {
  if (predicate.type === 'safe_cross_scheme') return !upgrades
  if (predicate.type === 'allow_listed_routes') return predicate.names.includes(to)
  const routes = led.get(from) ?? new Set()
  led.set(from, routes)
  if (routes.has(to)) return false
  routes.add(to)
  return true
}

interface Target {
  scheme: string
  /** With its port, if one is said. */
  host: string
  path: string
}

/** An absolute URL, its fragment taken off. */
function parseLocation(text: string): Target | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@]*@)?([^/?#@\s]+)([/?].*)?$/i.exec(text)
  if (match === null) return undefined
  const [, scheme, host, path] = match as unknown as [string, string, string, string | undefined]
  const port = /:([^\]:]*)$/.exec(host)?.[1]
  if (port !== undefined && (port === '' || !(Number(port) <= 65_535))) return undefined
  return { scheme, host, path: path?.replace(/#.*$/, '') ?? '/' }
}
