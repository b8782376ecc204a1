import type { Clock } from '../clock.ts'
import type { ClusterManager } from '../cluster/cluster-manager.ts'
import type { Runtime } from '../runtime.ts'
import type { Timers } from '../timers.ts'

export interface RouterServices {
  clusters: ClusterManager
  runtime: Runtime
  clock: Clock
  timers: Timers
  /** Numbers in [0, 1). */
  random: () => number
}
