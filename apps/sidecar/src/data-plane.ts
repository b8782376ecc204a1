import type { Bootstrap, Milliseconds } from '@hopscope/envoy-config'
import {
  chooseTransports,
  createAccessLogs,
  createProxy,
  type LookupsDump,
  type Runtime,
  type Stats,
} from '@hopscope/proxy'
import type { ClusterStatus } from './admin/clusters-page.ts'
import type { ListenerStatus } from './admin/listeners-page.ts'
import type { Options } from './command-line.ts'
import type { Log } from './log.ts'
import { clusterStatuses, listenerStatuses } from './statuses.ts'
import { NAME, VERSION } from './version.ts'

/** What carries the traffic, in this process or in several, as the admin port and signals deal with it. */
export interface DataPlane {
  /** Binds the listeners; rejects with a `ListenError` when a port cannot be had. */
  start(): Promise<void>
  stats(): Promise<Stats>
  clusters(): Promise<ClusterStatus[]>
  listeners(): Promise<ListenerStatus[]>
  /** Of each process that counts. */
  lookups(): Promise<LookupsDump[]>
  change(change: Change): Promise<void>
  /** Closes everything at once; spans and log lines that wait are written first. */
  close(): Promise<void>
}

/** What an operator may ask of every worker. */
export type Change =
  | { type: 'fail health check'; failed: boolean }
  | { type: 'stop listening'; inboundOnly: boolean }
  | { type: 'drain'; inboundOnly: boolean; immediate: boolean; duration: Milliseconds }
  | { type: 'reopen logs' }
  | { type: 'flush logs' }
  | { type: 'reset counters' }
  | { type: 'flush histograms' }
  | { type: 'track lookups'; tracking: boolean }
  | { type: 'clear lookups' }
  | { type: 'modify runtime'; changes: readonly (readonly [key: string, value: string])[] }

export interface LocalOptions {
  bootstrap: Bootstrap
  options: Options
  log: Log
  /** Of several: which one, and the ports that the first was given. */
  worker?: { index: number; ports: ReadonlyMap<string, number> }
}

/** All of it in this process. `runtime` and `stats` may be shared with whoever else counts here. */
export async function createLocalDataPlane(
  { bootstrap, options, log, worker }: LocalOptions,
  runtime: Runtime,
  stats: Stats,
): Promise<DataPlane> {
  const accessLogs = createAccessLogs({
    flushInterval: options.fileFlushInterval,
    stats,
    onError: (path, error) => log.error('file', `cannot write to '${path}': ${error.message}`),
  })
  const transports = await chooseTransports(options.transport)
  log.info('main', `transport: ${transports.name}`)
  const proxy = createProxy({
    node: bootstrap.node,
    stats,
    runtime,
    accessLogs,
    transports,
    version: `${NAME}/${VERSION}`,
    ...(worker === undefined ? {} : { worker: worker.index, ports: worker.ports }),
  })
  return {
    start: () => proxy.apply(bootstrap.snapshot),
    stats: async () => stats,
    clusters: async () => clusterStatuses(proxy.clusters()),
    listeners: async () => listenerStatuses(proxy.listeners()),
    lookups: async () => [stats.lookups.dump()],
    async change(change) {
      switch (change.type) {
        case 'fail health check':
          return proxy.failHealthCheck(change.failed)
        case 'stop listening':
          return proxy.stopListening(change)
        case 'drain':
          return proxy.drainGradually(change)
        case 'reopen logs':
          return accessLogs.reopen()
        case 'flush logs':
          return accessLogs.flush()
        case 'reset counters':
          return stats.resetCounters()
        case 'flush histograms':
          return stats.flushHistograms()
        case 'track lookups':
          return stats.lookups.track(change.tracking)
        case 'clear lookups':
          return stats.lookups.clear()
        case 'modify runtime':
          // Whoever is no worker shares the runtime that was modified.
          if (worker !== undefined) runtime.modify(change.changes)
          return
      }
    },
    async close() {
      await proxy.close()
      accessLogs.close()
    },
  }
}
