import type { LookupsDump, StatsDump } from '@hopscope/proxy'
import type { ClusterStatus } from './admin/clusters-page.ts'
import type { ListenerStatus } from './admin/listeners-page.ts'
import type { Change } from './data-plane.ts'

/** What the main process asks of a worker; each is answered once. */
export type Question =
  | { ask: 'start'; ports: readonly (readonly [listener: string, port: number])[] }
  | { ask: 'stats' }
  | { ask: 'clusters' }
  | { ask: 'listeners' }
  | { ask: 'lookups' }
  | { ask: 'change'; change: Change }
  | { ask: 'close' }

export interface Answers {
  start: undefined
  stats: StatsDump
  clusters: ClusterStatus[]
  listeners: ListenerStatus[]
  lookups: LookupsDump
  change: undefined
  close: undefined
}

/** Of `start`: why it could not listen. Of anything else an error would be a mistake of ours. */
export type Answer = { id: number } & ({ ok: true; value: unknown } | { ok: false; reason: string })

/** In the environment of a worker: its number, from 0 up. */
export const WORKER_VARIABLE = 'HOPSCOPE_SIDECAR_WORKER'
