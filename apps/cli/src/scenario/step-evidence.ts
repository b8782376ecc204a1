import type { Mesh } from '../mesh/mesh.ts'
import type { Answer } from './call.ts'
import type { CollectorClient } from './collector-client.ts'
import type { ProxyAdmin } from './proxy-admin.ts'

/** What a step did, and where to look for what came of it. */
export interface StepEvidence {
  answers: readonly Answer[]
  /** Start of the step, ms since the epoch. */
  since: number
  statsBefore: ReadonlyMap<string, ReadonlyMap<string, number>>
  outputBefore: ReadonlyMap<string, number>
  /** Answers of the steps before it, by name. */
  earlier: ReadonlyMap<string, readonly Answer[]>
  mesh: Mesh
  collector: CollectorClient
  admins: ReadonlyMap<string, ProxyAdmin>
}

export interface Failure {
  message: string
  /** The trace to look at. */
  traceId?: string
}
