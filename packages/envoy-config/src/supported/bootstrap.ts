import type { SupportTable } from './support.ts'

/** The bootstrap itself and its runtime. */
export const bootstrap: SupportTable = {
  'envoy.config.bootstrap.v3.Bootstrap': {
    node: 'yes',
    admin: 'yes',
    static_resources: 'yes',
    layered_runtime: 'yes',
    cluster_manager: 'yes',
    stats_flush_interval: 'yes',
    stats_flush_on_admin: 'yes',
    typed_dns_resolver_config: 'yes',
    default_regex_engine: 'yes',
    default_socket_interface: ['envoy.extensions.network.socket_interface.default_socket_interface'],
  },
  'envoy.extensions.regex_engines.v3.GoogleRE2': {},
  'envoy.config.bootstrap.v3.Bootstrap.StaticResources': { listeners: 'yes', clusters: 'yes' },
  'envoy.config.bootstrap.v3.Admin': {
    address: 'yes',
    access_log: 'yes',
    access_log_path: 'yes',
    profile_path: 'nothing is profiled: /cpuprofiler says so, as in Envoy’s own builds',
  },
  'envoy.config.bootstrap.v3.ClusterManager': {
    local_cluster_name: 'yes',
    outlier_detection: 'yes',
    upstream_bind_config: 'yes',
  },
  'envoy.config.bootstrap.v3.ClusterManager.OutlierDetection': { event_log_path: 'yes' },
  'envoy.config.bootstrap.v3.LayeredRuntime': { layers: 'yes' },
  'envoy.config.bootstrap.v3.RuntimeLayer': {
    name: 'yes',
    static_layer: 'yes',
    disk_layer: 'yes',
    admin_layer: 'yes',
  },
  'envoy.config.bootstrap.v3.RuntimeLayer.DiskLayer': {
    symlink_root: 'yes',
    subdirectory: 'yes',
    append_service_cluster: 'yes',
  },
  'envoy.config.bootstrap.v3.RuntimeLayer.AdminLayer': {},
}
