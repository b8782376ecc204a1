import type { RouteAction, WeightedCluster } from '@hopscope/envoy-config'
import type { ClusterManager } from '../cluster/cluster-manager.ts'
import type { ChosenCluster, Exchange } from '../http/exchange.ts'
import type { CompiledRoute } from '../route/compile-routes.ts'
import type { Runtime } from '../runtime.ts'

export interface ChooseServices {
  clusters: ClusterManager
  runtime: Runtime
}

/** The cluster of a request, drawn once: by whoever asks first, the filters or the router. Logs and spans know it from then on. */
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
  if (action.cluster.type === 'cluster') return { name: action.cluster.name, mutations: route.mutations }
  const { clusters, runtimeKeyPrefix } = action.cluster
  const weightOf = (cluster: WeightedCluster): number =>
    runtimeKeyPrefix === '' ? cluster.weight : runtime.number(`${runtimeKeyPrefix}.${cluster.name}`, cluster.weight)
  let total = 0
  for (const cluster of clusters) total += weightOf(cluster)
  let left = exchange.draw() % total
  for (const cluster of clusters) {
    left -= weightOf(cluster)
    if (left < 0) return chosen(cluster, route)
  }
  return chosen(clusters.at(-1)!, route)
}

function chosen(weighted: WeightedCluster, route: CompiledRoute): ChosenCluster {
  return { name: weighted.name, mutations: route.weighted.get(weighted)!, weighted }
}
