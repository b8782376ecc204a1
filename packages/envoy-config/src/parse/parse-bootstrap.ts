import type { AccessLog } from '../access-log.ts'
import type { Bootstrap, ClusterManager, Node } from '../bootstrap.ts'
import type { Cluster } from '../cluster.ts'
import type { Listener } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import { toProtoJson } from '../schema/to-proto-json.ts'
import { checkCluster, type ParseContext } from './context.ts'
import { parseAccessLog } from './parse-access-log.ts'
import { parseBindConfig } from './parse-bind-config.ts'
import { parseCluster, parseLocality } from './parse-cluster.ts'
import { parseListener } from './parse-listener.ts'
import { parseRuntime } from './parse-runtime.ts'
import { parseListenAddress } from './socket-address.ts'

/** What the command line says about the node; it beats the file. */
export interface NodeOverrides {
  serviceNode?: string | undefined
  serviceCluster?: string | undefined
  serviceZone?: string | undefined
}

/** Of an envoy.config.bootstrap.v3.Bootstrap whose fields were checked. References are checked here. */
export function parseBootstrap(message: Message, overrides: NodeOverrides, context: ParseContext): Bootstrap {
  const resources = message.message('static_resources')
  const bindOfAll = parseBindConfig(message.message('cluster_manager')?.message('upstream_bind_config'), context)
  const clusters = (resources?.messages('clusters') ?? []).map(
    cluster => [cluster, parseCluster(cluster, bindOfAll, context)] as const,
  )
  const listeners = (resources?.messages('listeners') ?? []).map(
    listener => [listener, parseListener(listener, context)] as const,
  )
  checkDuplicateClusters(clusters, context)
  checkDuplicateListeners(listeners, context)
  if (message.has('stats_flush_interval') && message.boolean('stats_flush_on_admin')) {
    const what = 'only one of stats_flush_interval or stats_flush_on_admin should be set'
    context.problems.add('invalid', message.place('stats_flush_on_admin'), what)
  }
  const node = parseNode(message.message('node'), overrides)
  const admin = message.message('admin')?.message('address')
  const adminAccessLog = parseAdminAccessLog(message.message('admin'), context)
  return {
    node,
    ...(admin === undefined ? {} : { admin: parseListenAddress(admin, ': the admin address needs an IP', context) }),
    adminAccessLog,
    runtime: parseRuntime(message.message('layered_runtime'), node.cluster, context),
    statsFlushInterval: message.boolean('stats_flush_on_admin')
      ? 'on admin'
      : message.duration('stats_flush_interval', 5000),
    snapshot: {
      listeners: listeners.map(([, listener]) => listener),
      clusters: new Map(clusters.map(([, cluster]) => [cluster.name, cluster])),
      clusterManager: parseClusterManager(message.message('cluster_manager'), context),
    },
    source: toProtoJson(message) as object,
  }
}

/** The deprecated path is one log more, with Envoy's own line. */
function parseAdminAccessLog(message: Message | undefined, context: ParseContext): AccessLog[] {
  const path = message?.string('access_log_path') ?? ''
  const logs = (message?.messages('access_log') ?? []).flatMap(log => parseAccessLog(log, context) ?? [])
  return path === '' ? logs : [...logs, { sink: { type: 'file', path } }]
}

function parseClusterManager(message: Message | undefined, context: ParseContext): ClusterManager {
  const localClusterName = message?.string('local_cluster_name') ?? ''
  if (localClusterName !== '')
    checkCluster(localClusterName, message!.valuePlace('local_cluster_name'), 'local cluster', context, 'any')
  return {
    localClusterName,
    outlierEventLogPath: message?.message('outlier_detection')?.string('event_log_path') ?? '',
  }
}

function parseNode(message: Message | undefined, overrides: NodeOverrides): Node {
  const locality = parseLocality(message?.message('locality'))
  return {
    id: overrides.serviceNode || (message?.string('id') ?? ''),
    cluster: overrides.serviceCluster || (message?.string('cluster') ?? ''),
    locality: { ...locality, zone: overrides.serviceZone || locality.zone },
  }
}

function checkDuplicateClusters(clusters: readonly (readonly [Message, Cluster])[], context: ParseContext): void {
  const names = new Set<string>()
  for (const [message, { name }] of clusters) {
    if (name !== '' && names.has(name))
      context.problems.add('invalid', message.valuePlace('name'), `duplicate cluster '${name}'`)
    names.add(name)
  }
}

function checkDuplicateListeners(listeners: readonly (readonly [Message, Listener])[], context: ParseContext): void {
  const names = new Set<string>()
  const owners = new Map<string, string>()
  for (const [message, listener] of listeners) {
    const { address, port, isPipe } = listener.address
    if (message.string('name') !== '' && names.has(listener.name)) {
      context.problems.add(
        'unsupported',
        message.valuePlace('name'),
        `there is another listener '${listener.name}': Envoy would let the last replace the first`,
      )
    }
    names.add(listener.name)
    const key = isPipe ? address : `${address}:${port}`
    const owner = owners.get(key)
    if (address !== '' && (isPipe || port !== 0) && owner !== undefined) {
      context.problems.add(
        'invalid',
        message.place('address'),
        `'${listener.name}' has duplicate address '${key}' as existing listener '${owner}'`,
      )
    }
    owners.set(key, listener.name)
  }
}
