import type { AdminReply } from './admin-server.ts'
import { dumpJson } from './dump-json.ts'
import { compileFilter } from './stats-pages.ts'

const ADMIN = 'type.googleapis.com/envoy.admin.v3.'
const LISTENER = 'type.googleapis.com/envoy.config.listener.v3.Listener'
const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const ROUTES = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration'

type Json = { readonly [key: string]: unknown }

/** What of a bootstrap file `/config_dump` shows. `loaded` is when it was applied. */
export function configDump(source: object, loaded: Date, query: URLSearchParams): AdminReply {
  const last_updated = loaded.toISOString()
  const nameRegex = query.get('name_regex') ?? ''
  const filter = compileFilter(nameRegex)
  if (typeof filter === 'string') return { status: 400, body: `Error while parsing name_regex from ${nameRegex}\n` }
  if (query.has('mask')) return { status: 400, body: 'the parameter mask is not supported\n' }
  const named = (value: Json) => filter.test(String(value.name ?? ''))

  const bootstrap = source as Json
  const resources = (bootstrap.static_resources ?? {}) as Json
  const listeners = list(resources.listeners)
  const static_clusters = list(resources.clusters)
    .filter(named)
    .map(cluster => ({ cluster: { '@type': CLUSTER, ...cluster }, last_updated }))
  const static_listeners = listeners
    .filter(named)
    .map(listener => ({ listener: { '@type': LISTENER, ...listener }, last_updated }))
  const static_route_configs = routeConfigs(listeners)
    .filter(named)
    .map(route_config => ({ route_config: { '@type': ROUTES, ...route_config }, last_updated }))

  const resource = query.get('resource')
  if (resource !== null) {
    const one = (type: string, values: object[]) => values.map(value => ({ '@type': `${ADMIN}${type}`, ...value }))
    const found: Record<string, object[]> = {
      bootstrap: [bootstrap],
      static_clusters: one('ClustersConfigDump.StaticCluster', static_clusters),
      static_listeners: one('ListenersConfigDump.StaticListener', static_listeners),
      static_route_configs: one('RoutesConfigDump.StaticRouteConfig', static_route_configs),
    }
    const configs = Object.hasOwn(found, resource) ? found[resource] : undefined
    if (configs === undefined) return { status: 404, body: `${resource} not found in config dump` }
    return { type: 'json', body: dumpJson({ configs }) }
  }
  const configs: object[] = [
    { '@type': `${ADMIN}BootstrapConfigDump`, bootstrap, last_updated },
    { '@type': `${ADMIN}ClustersConfigDump`, ...filled('static_clusters', static_clusters) },
    { '@type': `${ADMIN}ListenersConfigDump`, ...filled('static_listeners', static_listeners) },
    { '@type': `${ADMIN}ScopedRoutesConfigDump` },
    { '@type': `${ADMIN}RoutesConfigDump`, ...filled('static_route_configs', static_route_configs) },
    { '@type': `${ADMIN}SecretsConfigDump` },
  ]
  return { type: 'json', body: dumpJson({ configs }) }
}

/** An empty list is not printed. */
function filled(key: string, values: object[]): object {
  return values.length === 0 ? {} : { [key]: values }
}

function routeConfigs(listeners: readonly Json[]): Json[] {
  return listeners
    .flatMap(listener => list(listener.filter_chains))
    .flatMap(chain => list(chain.filters))
    .map(filter => (filter.typed_config as Json | undefined)?.route_config as Json | undefined)
    .filter(config => config !== undefined)
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value : []
}
