import type { AdminReply } from './admin-server.ts'
import type { ClusterStatus } from './clusters-page.ts'
import { dumpJson } from './dump-json.ts'
import { applyMask, crossesList, type Json } from './field-mask.ts'
import { compileFilter } from './stats-pages.ts'

const ADMIN = 'type.googleapis.com/envoy.admin.v3.'
const LISTENER = 'type.googleapis.com/envoy.config.listener.v3.Listener'
const CLUSTER = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const ROUTES = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration'

const ENDPOINTS = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'

/** What each dump may have, so that a mask with anything else can be refused. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  BootstrapConfigDump: ['bootstrap', 'last_updated'],
  ClustersConfigDump: ['version_info', 'static_clusters', 'dynamic_active_clusters', 'dynamic_warming_clusters'],
  EndpointsConfigDump: ['static_endpoint_configs', 'dynamic_endpoint_configs'],
  ListenersConfigDump: ['version_info', 'static_listeners', 'dynamic_listeners'],
  ScopedRoutesConfigDump: ['inline_scoped_route_configs', 'dynamic_scoped_route_configs'],
  RoutesConfigDump: ['static_route_configs', 'dynamic_route_configs'],
  SecretsConfigDump: ['static_secrets', 'dynamic_active_secrets', 'dynamic_warming_secrets'],
}

/** Of the fields above, those that are no lists. */
const SINGLE: ReadonlySet<string> = new Set(['bootstrap', 'last_updated', 'version_info'])

/** A list of which there is nothing here; those of endpoints only where they are asked for. */
function isKnown(resource: string, query: URLSearchParams): boolean {
  const dumps = Object.entries(FIELDS).filter(([dump]) => dump !== 'EndpointsConfigDump' || query.has('include_eds'))
  return dumps.some(([, fields]) => fields.includes(resource))
}

/** What of a bootstrap file `/config_dump` shows. `loaded` is when it was applied. */
export function configDump(
  source: object,
  loaded: Date,
  clusters: readonly ClusterStatus[],
  query: URLSearchParams,
): AdminReply {
  const last_updated = loaded.toISOString()
  const nameRegex = query.get('name_regex') ?? ''
  // All of a name has to match.
  const filter = compileFilter(nameRegex === '' ? '' : `^(?:${nameRegex})$`)
  const wrong = compileFilter(nameRegex)
  if (typeof filter === 'string' || typeof wrong === 'string') {
    const reason = typeof wrong === 'string' ? wrong.replace('Invalid re2 regex: ', '') : 'invalid'
    return {
      status: 400,
      type: 'bare',
      body: `INVALID_ARGUMENT: Error while parsing name_regex from ${nameRegex}: ${reason}`,
    }
  }
  const mask = query.get('mask') ?? ''
  const paths = mask === '' ? undefined : mask.split(',')
  const named = (value: Json) => filter.test(String(value.name ?? ''))

  const bootstrap = source as Json
  const resources = (bootstrap.static_resources ?? {}) as Json
  const listeners = list(resources.listeners)
  const static_clusters = list(resources.clusters)
    .filter(named)
    .map(cluster => ({ cluster: { '@type': CLUSTER, ...cluster }, last_updated }))
  const endpoints = clusters
    .filter(({ name }) => filter.test(name))
    .map(status => ({ endpoint_config: loadAssignment(status) }))
  const static_listeners = listeners
    .filter(named)
    .map(listener => ({ listener: { '@type': LISTENER, ...listener }, last_updated }))
  const static_route_configs = routeConfigs(listeners)
    .filter(named)
    .map(route_config => ({ route_config: { '@type': ROUTES, ...route_config }, last_updated }))

  const resource = query.get('resource') ?? ''
  if (resource !== '') {
    if (SINGLE.has(resource)) {
      const body = `${resource} is not a repeated field. Use ?mask=${resource} to get only this field`
      return { status: 400, type: 'bare', body }
    }
    const one = (type: string, values: object[]) => values.map(value => ({ '@type': `${ADMIN}${type}`, ...value }))
    const found: Record<string, object[]> = {
      static_clusters: one('ClustersConfigDump.StaticCluster', static_clusters),
      static_listeners: one('ListenersConfigDump.StaticListener', static_listeners),
      static_route_configs: one('RoutesConfigDump.StaticRouteConfig', static_route_configs),
      ...(query.has('include_eds')
        ? { static_endpoint_configs: one('EndpointsConfigDump.StaticEndpointConfig', endpoints) }
        : {}),
    }
    const configs = Object.hasOwn(found, resource) ? found[resource] : isKnown(resource, query) ? [] : undefined
    if (configs === undefined) return { status: 404, type: 'bare', body: `${resource} not found in config dump` }
    if (paths === undefined) return dumped(configs)
    const fields = [...Object.keys(configs[0] ?? {}), 'version_info', 'last_updated']
    const wrong = paths.filter(path => !fields.includes(path.split('.')[0]!) || crossesList(configs[0] as Json, path))
    if (wrong.length > 0 && configs.length > 0) {
      return {
        status: 400,
        type: 'bare',
        body: `FieldMask paths: "${wrong.join('", "')}" could not be successfully used.`,
      }
    }
    return dumped(configs.map(config => applyMask(config as Json, paths)))
  }
  const configs: Json[] = [
    { '@type': `${ADMIN}BootstrapConfigDump`, bootstrap, last_updated },
    { '@type': `${ADMIN}ClustersConfigDump`, ...filled('static_clusters', static_clusters) },
    ...(query.has('include_eds')
      ? [{ '@type': `${ADMIN}EndpointsConfigDump`, ...filled('static_endpoint_configs', endpoints) }]
      : []),
    { '@type': `${ADMIN}ListenersConfigDump`, ...filled('static_listeners', static_listeners) },
    { '@type': `${ADMIN}ScopedRoutesConfigDump` },
    { '@type': `${ADMIN}RoutesConfigDump`, ...filled('static_route_configs', static_route_configs) },
    { '@type': `${ADMIN}SecretsConfigDump` },
  ]
  if (paths === undefined) return dumped(configs)
  const masked = configs
    .filter(config => {
      const fields = FIELDS[String(config['@type']).slice(ADMIN.length)] ?? []
      return paths.every(path => fields.includes(path.split('.')[0]!) && !crossesList(config, path))
    })
    .map(config => applyMask(config, paths))
  if (masked.length > 0) return dumped(masked)
  return { status: 400, type: 'bare', body: `FieldMask ${mask} could not be successfully applied to any configs.` }
}

function dumped(configs: readonly object[]): AdminReply {
  return { type: 'json', body: dumpJson(configs.length === 0 ? {} : { configs }) }
}

/** The members of a cluster as they are now. */
function loadAssignment({ name, hosts }: ClusterStatus): Json {
  const groups = new Map<string, { locality: object; priority: number; lb_endpoints: object[] }>()
  for (const host of hosts) {
    const { region, zone, subZone } = host.locality
    const key = JSON.stringify([host.priority, region, zone, subZone])
    const locality = { ...text('region', region), ...text('zone', zone), ...text('sub_zone', subZone) }
    const group = groups.get(key) ?? { locality, priority: host.priority, lb_endpoints: [] as object[] }
    groups.set(key, group)
    group.lb_endpoints.push({
      endpoint: {
        address: { socket_address: { address: host.address, port_value: host.port } },
        health_check_config: {},
        ...text('hostname', host.hostname),
      },
      health_status: host.ejected || host.checks.failed ? 'UNHEALTHY' : 'HEALTHY',
      load_balancing_weight: host.weight,
    })
  }
  const endpoints = [...groups.values()].map(({ locality, priority, lb_endpoints }) => ({
    locality,
    lb_endpoints,
    load_balancing_weight: 0,
    ...(priority === 0 ? {} : { priority }),
  }))
  return { '@type': ENDPOINTS, cluster_name: name, endpoints, policy: { overprovisioning_factor: 140 } }
}

/** An empty text is not printed. */
function text(key: string, value: string): object {
  return value === '' ? {} : { [key]: value }
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
