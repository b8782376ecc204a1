import type { Config } from './config.ts'

/** Ends a read that takes longer than QUERY_TIMEOUT. */
export function queryDeadline({ queryTimeout }: Config): AbortSignal | undefined {
  return queryTimeout === 0 ? undefined : AbortSignal.timeout(queryTimeout)
}
