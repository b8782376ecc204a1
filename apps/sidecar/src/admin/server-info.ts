import type { Node } from '@hopscope/envoy-config'
import type { Options } from '../command-line.ts'
import { NAME, VERSION } from '../version.ts'

export type ServerState = 'LIVE' | 'DRAINING' | 'PRE_INITIALIZING' | 'INITIALIZING'

/** `/server_info`: Envoy's fields, of which those are left out that would say nothing here. */
export function serverInfo(node: Node, options: Options, state: ServerState, uptimeSeconds: number): object {
  const { region, zone, subZone } = node.locality
  return {
    version: `${NAME}/${VERSION}`,
    state,
    uptime_current_epoch: `${uptimeSeconds}s`,
    uptime_all_epochs: `${uptimeSeconds}s`,
    hot_restart_version: 'disabled',
    command_line_options: {
      base_id: String(options.baseId),
      concurrency: options.concurrency,
      config_path: options.configPath ?? '',
      config_yaml: options.configYaml ?? '',
      admin_address_path: options.adminAddressPath ?? '',
      log_level: options.logLevel,
      service_cluster: options.serviceCluster ?? '',
      service_node: options.serviceNode ?? '',
      service_zone: options.serviceZone ?? '',
      file_flush_interval: `${options.fileFlushInterval / 1000}s`,
      drain_time: `${options.drainTime}s`,
      parent_shutdown_time: `${options.parentShutdownTime}s`,
      mode: 'Serve',
      disable_hot_restart: true,
      drain_strategy: options.drainStrategy === 'gradual' ? 'Gradual' : 'Immediate',
    },
    node: {
      id: node.id,
      cluster: node.cluster,
      locality: { region, zone, sub_zone: subZone },
      user_agent_name: NAME,
      user_agent_version: VERSION,
    },
  }
}
