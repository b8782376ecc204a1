/**
 * Crash tests name a point (`HOPSCOPE_FAULT_POINT=seal-committed`, or `seal-committed:3` for its third passing), at which the
 * process kills itself as kill -9 would.
 */
const [point, count = '1'] = (process.env.HOPSCOPE_FAULT_POINT ?? '').split(':')
let left = Number(count)

export type FaultPoint =
  | 'log-created'
  | 'log-written'
  | 'log-synced'
  | 'seal-begun'
  | 'seal-written'
  | 'seal-committed'
  | 'log-unlinked'
  | 'compaction-written'
  | 'compaction-committed'
  | 'old-deleted'

export function pass(name: FaultPoint): void {
  if (name === point && --left === 0) process.kill(process.pid, 'SIGKILL')
}
