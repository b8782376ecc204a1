import type { Runtime, Stats } from '@hopscope/proxy'
import type { ServerState } from './admin/server-info.ts'

const STATES: readonly ServerState[] = ['LIVE', 'DRAINING', 'PRE_INITIALIZING', 'INITIALIZING']
const NO_CERTIFICATE = 4_294_967_295

/** `server.*` and `runtime.*`: made here, measured anew when someone looks. */
export function createServerStats(
  stats: Stats,
  runtime: Runtime,
  concurrency: number,
  uptimeSeconds: () => number,
): {
  setState(state: ServerState): void
  refresh(): void
  initialized(milliseconds: number): void
} {
  stats.gauge('server.concurrency').set(concurrency)
  stats.gauge('server.hot_restart_epoch').set(0)
  stats.gauge('server.days_until_first_cert_expiring').set(NO_CERTIFICATE)
  for (const name of [
    'dynamic_unknown_fields',
    'static_unknown_fields',
    'dropped_stat_flushes',
    'envoy_bug_failures',
    'envoy_notifications',
    'debug_assertion_failures',
    'wip_protos',
  ]) {
    stats.counter(`server.${name}`)
  }
  for (const name of [
    'compilation_settings.fips_mode',
    'parent_connections',
    'seconds_until_first_ocsp_response_expiring',
  ]) {
    stats.gauge(`server.${name}`).set(0)
  }
  countLoads(stats, runtime)
  const keys = stats.gauge('runtime.num_keys')
  const overrides = stats.gauge('runtime.admin_overrides_active')
  const live = stats.gauge('server.live')
  const stateGauge = stats.gauge('server.state')
  const uptime = stats.gauge('server.uptime')
  const allocated = stats.gauge('server.memory_allocated')
  const heap = stats.gauge('server.memory_heap_size')
  const physical = stats.gauge('server.memory_physical_size')
  const initialization = stats.histogram('server.initialization_time_ms')
  return {
    setState(state) {
      live.set(state === 'LIVE' ? 1 : 0)
      stateGauge.set(STATES.indexOf(state))
    },
    refresh() {
      const memory = process.memoryUsage()
      uptime.set(uptimeSeconds())
      allocated.set(memory.heapUsed + memory.external)
      heap.set(memory.heapTotal)
      physical.set(memory.rss)
      keys.set(new Set(runtime.layers.flatMap(layer => [...layer.values.keys()])).size)
      const isOverridden = runtime.layers.some(layer => layer.kind === 'admin' && layer.values.size > 0) ? 1 : 0
      if (overrides.value !== isOverridden) overrides.set(isOverridden)
    },
    initialized: milliseconds => initialization.record(milliseconds),
  }
}

function countLoads(stats: Stats, runtime: Runtime): void {
  stats.counter('runtime.deprecated_feature_use')
  stats.gauge('runtime.deprecated_feature_seen_since_process_start')
  const success = stats.counter('runtime.load_success')
  const error = stats.counter('runtime.load_error')
  const overridden = stats.counter('runtime.override_dir_exists')
  const plain = stats.counter('runtime.override_dir_not_exists')
  const layers = stats.gauge('runtime.num_layers')
  runtime.onLoad = ({ failed, diskLayers }) => {
    if (failed) error.add()
    else success.add()
    if (diskLayers > 1) overridden.add()
    else plain.add()
    layers.set(runtime.layers.length)
  }
  // Envoy reads everything twice when it starts.
  for (let i = 0; i < 2; i++) runtime.onLoad(runtime.lastLoad)
}
