import type { RouteAction, WeightedCluster } from '@hopscope/envoy-config'
import type { ClusterManager } from '../cluster/cluster-manager.ts'
import type { ChosenCluster, Exchange } from '../http/exchange.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { CompiledRoute } from '../route/compile-routes.ts'
import type { Runtime } from '../runtime.ts'

export interface ChooseServices {
  clusters: ClusterManager
  runtime: Runtime
}

/** The cluster of a request, drawn once, for the filter or the router that asks first. Logs and spans know it from then on. */
export function chooseCluster(
  exchange: Exchange,
  route: CompiledRoute,
  action: RouteAction,
  services: ChooseServices,
): ChosenCluster {
  if (exchange.cluster !== undefined) return exchange.cluster
  const chosen = draw(exchange, route, action, services)
  exchange.cluster = chosen
  exchange.responseMutations = chosen.mutations.response
  const cluster = services.clusters.get(chosen.name)
  if (cluster !== undefined) {
    exchange.info.clusterName = cluster.name
    exchange.info.clusterMetadata = cluster.config.metadata
    exchange.info.clusterObservabilityName = cluster.observabilityName
  }
  return chosen
}

function draw(
  exchange: Exchange,
  route: CompiledRoute,
  action: RouteAction,
  { runtime }: ChooseServices,
): ChosenCluster {
  const { headers } = exchange
  const { cluster: specifier } = action
  if (specifier.type === 'cluster') return { name: specifier.name, mutations: route.mutations }
  if (specifier.type === 'header') return { name: headers.get(specifier.header) ?? '', mutations: route.mutations }
  const { clusters, runtimeKeyPrefix, headerName, useHashPolicy } = specifier
  const weightOf = (cluster: WeightedCluster): number =>
    runtimeKeyPrefix === '' ? cluster.weight : runtime.number(`${runtimeKeyPrefix}.${cluster.name}`, cluster.weight)
  let total = 0
  for (const cluster of clusters) total += weightOf(cluster)
  const hash = useHashPolicy ? route.hash?.(exchange) : undefined
  let left =
    hash === undefined ? (numberIn(headers, headerName) ?? exchange.draw()) % total : Number(hash % BigInt(total))
  for (const cluster of clusters) {
    left -= weightOf(cluster)
    if (left < 0) return chosen(cluster, route, headers)
  }
  return chosen(clusters.at(-1)!, route, headers)
}

/** What the client (or whoever is in front) has drawn; undefined when it is no whole number. */
function numberIn(headers: RequestHeaders, name: string): number | undefined {
  const value = name === '' ? undefined : headers.get(name)
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}

function chosen(weighted: WeightedCluster, route: CompiledRoute, headers: RequestHeaders): ChosenCluster {
  const name = weighted.name === '' ? (headers.get(weighted.clusterHeader) ?? '') : weighted.name
  return { name, mutations: route.weighted.get(weighted)!, weighted }
}
