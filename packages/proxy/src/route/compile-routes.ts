import type {
  HeaderMatcher,
  HeaderMutations,
  RetryPolicy,
  Route,
  RouteConfiguration,
  RouteMatch,
  VirtualHost,
  WeightedCluster,
} from '@hopscope/envoy-config'
import type { RequestHeaders } from '../http/headers.ts'
import { compileMutations, type Mutate } from './header-mutations.ts'

/** A route with everything that a request needs of it, made when a snapshot is applied. */
export interface CompiledRoute {
  route: Route
  virtualHost: VirtualHost
  matches(path: string, headers: RequestHeaders): boolean
  mutations: RouteMutations
  /** Of `weighted_clusters`, by cluster entry: their own level is in it. */
  weighted: ReadonlyMap<WeightedCluster, RouteMutations>
  /** The route's, else the virtual host's. */
  retryPolicy: RetryPolicy | undefined
}

export interface RouteMutations {
  request: Mutate | undefined
  response: Mutate | undefined
}

export interface CompiledVirtualHost {
  routes: readonly CompiledRoute[]
}

/** Virtual hosts by the kind of their domains, in the order in which they are asked. */
export interface RouteTable {
  ignorePort: boolean
  exact: ReadonlyMap<string, CompiledVirtualHost>
  /** Longest first; `*` taken off. */
  suffixes: readonly (readonly [string, CompiledVirtualHost])[]
  prefixes: readonly (readonly [string, CompiledVirtualHost])[]
  any: CompiledVirtualHost | undefined
}

export function compileRoutes(config: RouteConfiguration): RouteTable {
  const exact = new Map<string, CompiledVirtualHost>()
  const suffixes: [string, CompiledVirtualHost][] = []
  const prefixes: [string, CompiledVirtualHost][] = []
  let any: CompiledVirtualHost | undefined
  for (const virtualHost of config.virtualHosts) {
    const compiled = { routes: virtualHost.routes.map(route => compileRoute(route, virtualHost, config)) }
    for (const written of virtualHost.domains) {
      const domain = written.toLowerCase()
      if (domain === '*') any = compiled
      else if (domain.startsWith('*')) suffixes.push([domain.slice(1), compiled])
      else if (domain.endsWith('*')) prefixes.push([domain.slice(0, -1), compiled])
      else exact.set(domain, compiled)
    }
  }
  const longestFirst = (a: readonly [string, unknown], b: readonly [string, unknown]): number =>
    b[0].length - a[0].length
  return {
    ignorePort: config.ignorePortInHostMatching,
    exact,
    suffixes: suffixes.sort(longestFirst),
    prefixes: prefixes.sort(longestFirst),
    any,
  }
}

function compileRoute(route: Route, virtualHost: VirtualHost, config: RouteConfiguration): CompiledRoute {
  const mutations = (cluster?: HeaderMutations): RouteMutations => {
    const levels = cluster === undefined ? [route, virtualHost, config] : [cluster, route, virtualHost, config]
    // The least specific acts last and so has the last word, unless it is turned round.
    if (config.mostSpecificHeaderMutationsWins) levels.reverse()
    return { request: compileMutations(levels, 'request'), response: compileMutations(levels, 'response') }
  }
  const { action } = route
  const weighted = new Map<WeightedCluster, RouteMutations>()
  if (action.type === 'route' && action.cluster.type === 'weighted') {
    for (const cluster of action.cluster.clusters) weighted.set(cluster, mutations(cluster))
  }
  return {
    route,
    virtualHost,
    matches: compileMatch(route.match),
    mutations: mutations(),
    weighted,
    retryPolicy: action.type === 'route' ? (action.retryPolicy ?? virtualHost.retryPolicy) : undefined,
  }
}

function compileMatch(match: RouteMatch): CompiledRoute['matches'] {
  const matchesPath = compilePath(match)
  if (match.headers.length === 0) return path => matchesPath(path)
  const matchers = match.headers.map(compileHeaderMatcher)
  return (path, headers) => matchers.every(matches => matches(headers)) && matchesPath(path)
}

function compilePath({ path, caseSensitive }: RouteMatch): (path: string) => boolean {
  const fold = (text: string): string => (caseSensitive ? text : text.toLowerCase())
  if (path.type === 'prefix') {
    const prefix = fold(path.prefix)
    if (prefix === '/') return given => given.charCodeAt(0) === 47
    return given => fold(given).startsWith(prefix)
  }
  const whole = fold(path.path)
  return given => fold(given) === whole
}

export function compileHeaderMatcher(matcher: HeaderMatcher): (headers: RequestHeaders) => boolean {
  const { name, match, invertMatch } = matcher
  if (match.type === 'present') {
    const wanted = match.present !== invertMatch
    return headers => (headers.get(name) !== undefined) === wanted
  }
  const fold = (text: string): string => (match.ignoreCase ? text.toLowerCase() : text)
  const value = fold(match.value)
  const pseudo = name.startsWith(':') || name === 'host'
  return headers => {
    const values = pseudo ? [headers.get(name === 'host' ? ':authority' : name) ?? ''] : headers.getAll(name)
    // A field that is not there matches nothing, inverted or not.
    return values.length === 0 ? false : values.some(one => fold(one) === value) !== invertMatch
  }
}
