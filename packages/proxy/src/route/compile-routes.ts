import type {
  HeaderMutations,
  PerFilterConfig,
  RequestMirrorPolicy,
  RetryPolicy,
  Route,
  RouteConfiguration,
  VirtualHost,
  WeightedCluster,
} from '@hopscope/envoy-config'
import { MetadataMatch } from '../cluster/balancing/metadata-match.ts'
import { compileRules } from '../filter/header-mutation/compile-rules.ts'
import { compileBody } from '../http/local-reply.ts'
import type { Runtime } from '../runtime.ts'
import type { Stats } from '../stats/stats.ts'
import { compileHashPolicies, type HashRequest } from './hash-policy.ts'
import { compileMutations, type Mutate } from './header-mutations.ts'
import { compileRouteMatch, type MatchRoute } from './match-route.ts'
import { compileHostRewrite, compilePathRewrite, type Rewrite } from './rewrite.ts'
import { RouteNumbers } from './route-numbers.ts'
import { compileVirtualClusters } from './virtual-clusters.ts'

/** A policy of copies whose mutations are compiled. */
export interface MirrorPolicy extends RequestMirrorPolicy {
  mutations: readonly Mutate[]
}

/** A route with everything that a request needs of it, made when a snapshot is applied. */
export interface CompiledRoute {
  route: Route
  virtualHost: VirtualHost
  /** What is said of filters, the most specific level first; levels that say nothing are left out. */
  perFilterConfigs: readonly PerFilterConfig[]
  matches: MatchRoute
  mutations: RouteMutations
  /** Of a direct response. */
  formatBody: ReturnType<typeof compileBody> | undefined
  rewritePath: Rewrite | undefined
  rewriteHost: Rewrite | undefined
  /** Of `weighted_clusters`, by cluster entry: their own level is in it. */
  weighted: ReadonlyMap<WeightedCluster, RouteMutations>
  /** Body bytes that may be kept for another try: the route's word, else the virtual host's. */
  requestBodyBufferLimit: number | undefined
  /** The route's, else the virtual host's. */
  retryPolicy: RetryPolicy | undefined
  /** Those of the most specific level that has any. */
  mirrorPolicies: readonly MirrorPolicy[]
  /** For a cluster that has its hosts in subsets. */
  metadataMatch: MetadataMatch | undefined
  /** That of an entry of `weighted_clusters`, where it is another. */
  weightedMatches: ReadonlyMap<WeightedCluster, MetadataMatch>
  /** For a cluster that chooses its hosts by hash. */
  hash: HashRequest | undefined
  /** Which of the virtual host's virtual clusters counts a request. */
  virtualCluster: ReturnType<typeof compileVirtualClusters>
  /** Of a route with a stat_prefix. */
  numbers: RouteNumbers | undefined
}

export interface RouteMutations {
  request: Mutate | undefined
  response: Mutate | undefined
}

export interface CompiledVirtualHost {
  requireTls: VirtualHost['requireTls']
  routes: readonly CompiledRoute[]
}

/** Virtual hosts by the kind of their domains, in the order in which they are asked. */
export interface RouteTable {
  ignorePort: boolean
  /** "": Host. */
  vhostHeader: string
  exact: ReadonlyMap<string, CompiledVirtualHost>
  /** Longest first; `*` taken off. */
  suffixes: readonly (readonly [string, CompiledVirtualHost])[]
  prefixes: readonly (readonly [string, CompiledVirtualHost])[]
  any: CompiledVirtualHost | undefined
}

export function compileRoutes(config: RouteConfiguration, runtime: Runtime, stats: Stats): RouteTable {
  const exact = new Map<string, CompiledVirtualHost>()
  const suffixes: [string, CompiledVirtualHost][] = []
  const prefixes: [string, CompiledVirtualHost][] = []
  let any: CompiledVirtualHost | undefined
  for (const virtualHost of config.virtualHosts) {
    const virtualCluster = compileVirtualClusters(virtualHost, stats)
    const compiled = {
      requireTls: virtualHost.requireTls,
      routes: virtualHost.routes.map(route => ({
        ...compileRoute(route, virtualHost, config, runtime),
        virtualCluster,
        numbers: numbersOf(route, virtualHost, stats),
      })),
    }
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
    vhostHeader: config.vhostHeader,
    exact,
    suffixes: suffixes.sort(longestFirst),
    prefixes: prefixes.sort(longestFirst),
    any,
  }
}

function numbersOf({ statPrefix }: Route, virtualHost: VirtualHost, stats: Stats): RouteNumbers | undefined {
  return statPrefix === '' ? undefined : new RouteNumbers(stats, `vhost.${virtualHost.name}.route.${statPrefix}.`)
}

function compileRoute(
  route: Route,
  virtualHost: VirtualHost,
  config: RouteConfiguration,
  runtime: Runtime,
): Omit<CompiledRoute, 'virtualCluster' | 'numbers'> {
  const mutations = (cluster?: HeaderMutations): RouteMutations => {
    const levels = cluster === undefined ? [route, virtualHost, config] : [cluster, route, virtualHost, config]
    // The least specific acts last and so has the last word, unless it is turned round.
    if (config.mostSpecificHeaderMutationsWins) levels.reverse()
    return { request: compileMutations(levels, 'request'), response: compileMutations(levels, 'response') }
  }
  const { action } = route
  const metadataMatch =
    action.type === 'route' && action.metadataMatch !== undefined ? new MetadataMatch(action.metadataMatch) : undefined
  const weightedMatches = new Map<WeightedCluster, MetadataMatch>()
  const weighted = new Map<WeightedCluster, RouteMutations>()
  if (action.type === 'route' && action.cluster.type === 'weighted') {
    for (const cluster of action.cluster.clusters) {
      weighted.set(cluster, mutations(cluster))
      const labels = cluster.metadataMatch
      if (labels !== undefined) weightedMatches.set(cluster, metadataMatch?.with(labels) ?? new MetadataMatch(labels))
    }
  }
  return {
    route,
    virtualHost,
    perFilterConfigs: [route, virtualHost, config].map(level => level.perFilterConfig).filter(level => level.size > 0),
    matches: compileRouteMatch(route.match, runtime, config.ignorePathParametersInPathMatching),
    mutations: mutations(),
    formatBody:
      action.type === 'direct_response' && action.bodyFormat !== undefined ? compileBody(action.bodyFormat) : undefined,
    rewritePath: action.type === 'direct_response' ? undefined : compilePathRewrite(action, route.match),
    rewriteHost: action.type === 'route' ? compileHostRewrite(action.hostRewrite) : undefined,
    weighted,
    requestBodyBufferLimit: route.requestBodyBufferLimit ?? virtualHost.requestBodyBufferLimit,
    retryPolicy: action.type === 'route' ? (action.retryPolicy ?? virtualHost.retryPolicy) : undefined,
    metadataMatch,
    weightedMatches,
    hash: action.type === 'route' ? compileHashPolicies(action.hashPolicies) : undefined,
    mirrorPolicies:
      action.type === 'route'
        ? (
            [action, virtualHost, config].find(level => level.requestMirrorPolicies.length > 0)
              ?.requestMirrorPolicies ?? []
          ).map(policy => ({ ...policy, mutations: compileRules(policy.requestHeadersMutations, 'request') }))
        : [],
  }
}
