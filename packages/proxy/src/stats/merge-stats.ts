import { Stats } from './stats.ts'

type BucketList = readonly (readonly [lower: number, count: number])[]

/** The stats of one process, to be sent to another. */
export interface StatsDump {
  counters: readonly (readonly [name: string, value: number, used: boolean])[]
  gauges: readonly (readonly [name: string, value: number, used: boolean])[]
  histograms: readonly (readonly [name: string, interval: BucketList, cumulative: BucketList])[]
}

/** All stats as plain data, for another process. */
export function dumpStats(stats: Stats): StatsDump {
  return {
    counters: [...stats.counters.values()].map(({ name, value, used }) => [name, value, used]),
    gauges: [...stats.gauges.values()].map(({ name, value, used }) => [name, value, used]),
    histograms: [...stats.histograms.values()].map(({ name, interval, cumulative }) => [
      name,
      interval.entries(),
      cumulative.entries(),
    ]),
  }
}

/**
 * What every worker says for itself, though there is one of it: members of a cluster, limits that are reached, configuration that was
 * taken. All else is counted by each, and adds up.
 */
const ONE_OF_ALL = new RegExp(
  [
    '^(server|runtime|cluster_manager|listener_manager)\\.',
    '\\.membership_',
    '\\.circuit_breakers\\.',
    '\\.(update_\\w+|version|warming_state|max_host_weight|lb_subsets_single_host_per_subset_duplicate|total_match_count)$',
    '\\.outlier_detection\\.ejections_active$',
    '\\.health_check\\.(healthy|degraded)$',
  ].join('|'),
)

/** Counted by each worker for itself and for Envoy's main thread, which keeps the same: of that there is one. */
const ALSO_OF_MAIN = /\.lb_subsets_(active|created|removed)$/

/** The stats of several workers as those of one process. */
export function mergeStats(dumps: readonly StatsDump[]): Stats {
  const merged = new Stats()
  for (const dump of dumps) {
    for (const [name, value, used] of dump.counters) put(merged.counter(name), name, value, used)
    for (const [name, value, used] of dump.gauges) {
      // What is left of no limit is below 0.
      if (!merged.gauges.has(name) && ONE_OF_ALL.test(name)) merged.gauge(name).value = value
      put(merged.gauge(name), name, value, used)
    }
    for (const [name, interval, cumulative] of dump.histograms) {
      const histogram = merged.histogram(name)
      for (const [lower, count] of interval) histogram.interval.add(lower, count)
      for (const [lower, count] of cumulative) histogram.cumulative.add(lower, count)
    }
  }
  return merged
}

function put(into: { value: number; used: boolean }, name: string, value: number, used: boolean): void {
  if (ONE_OF_ALL.test(name)) into.value = Math.max(into.value, value)
  else into.value += ALSO_OF_MAIN.test(name) && into.value > 0 ? value / 2 : value
  into.used ||= used
}
