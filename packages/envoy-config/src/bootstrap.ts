import type { AccessLog } from './access-log.ts'
import type { Cluster } from './cluster.ts'
import type { Listener } from './listener.ts'
import type { Milliseconds } from './quantities.ts'
import type { ListenAddress } from './socket-address.ts'

/** What one Envoy bootstrap says, parsed and with Envoy's defaults filled in. */
export interface Bootstrap {
  node: Node
  /** Absent: no admin listener. */
  admin?: ListenAddress
  /** Of requests to it. */
  adminAccessLog: readonly AccessLog[]
  runtime: RuntimeLayer[]
  /** How often histograms show their new values (there are no sinks to flush to); `on admin`: after each time they were asked for. */
  statsFlushInterval: Milliseconds | 'on admin'
  snapshot: Snapshot
  /** The file as parsed (after merging `--config-yaml`), snake_case, for `/config_dump`. */
  source: object
}

/** What the proxy applies as one: every reference in it resolves. Never changed after it was made. */
export interface Snapshot {
  listeners: readonly Listener[]
  clusters: ReadonlyMap<string, Cluster>
  clusterManager: ClusterManager
}

/** envoy.config.bootstrap.v3.ClusterManager */
export interface ClusterManager {
  /** The cluster that this proxy is a member of, for zone-aware routing; "" without one. */
  localClusterName: string
  /** Where ejections of hosts are written, a JSON object a line; "" nowhere. */
  outlierEventLogPath: string
}

/** `node` of the bootstrap, after `--service-node`, `--service-cluster`, `--service-zone`. */
export interface Node {
  id: string
  /** The Zipkin service name. "" when unset. */
  cluster: string
  locality: { region: string; zone: string; subZone: string }
}

/** envoy.config.bootstrap.v3.RuntimeLayer.DiskLayer */
export interface DiskLayer {
  /** What is watched for moves. */
  symlinkRoot: string
  /** Where the values are: the root, its subdirectory, the service cluster. */
  directory: string
}

/** What a runtime key is set to. */
export type RuntimeValue = string | number | boolean
/** envoy.config.bootstrap.v3.RuntimeLayer; a later layer beats an earlier one. */
export interface RuntimeLayer {
  name: string
  kind: 'static' | 'admin' | 'disk'
  /** Of a disk layer, whose values are read when the proxy runs. */
  disk?: DiskLayer
  /** Keys joined with dots: `tracing.zipkin.min_flush_spans`. Fractional percents stay objects in the file; here they are percent numbers. */
  values: ReadonlyMap<string, RuntimeValue>
}
