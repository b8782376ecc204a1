import { useCallback, useEffect, useState } from 'react'
import { apiUrl } from '../shared/navigation.ts'
import type { TraceColumns } from './columns.ts'
import { formatJoins, type Join } from './join-traces.ts'
import { startLoading, takeStarted } from './start-trace.ts'
import type { TraceClient } from './trace-client.ts'
import type { Problem, TraceSource } from './worker-protocol.ts'

export type TraceState =
  | { state: 'loading' }
  | { state: 'done'; trace: TraceColumns; client: TraceClient }
  | { state: 'failed'; problem: Problem }

/** ms after its end in which spans of a trace may still come: reports are retried, clocks are off. */
const FRESH = 120_000

function isFresh({ start, duration }: TraceColumns): boolean {
  return (start + duration) / 1_000 > Date.now() - FRESH
}

/**
 * Loads a trace in a worker of its own, from the API or from a file. `reload` asks again. A trace of this moment is
 * followed: it grows on the page.
 */
export function useTrace(
  traceId: string,
  source: TraceSource | undefined,
  joined: readonly Join[] | undefined,
): [TraceState, reload: () => void] {
  const [state, setState] = useState<TraceState>({ state: 'loading' })
  const [round, setRound] = useState(0)
  const joinKey = formatJoins(joined ?? [])
  // a new round is the same question again
  useEffect(() => {
    const { client, loaded } = source ? startLoading(source) : takeStarted(traceId, joinKey)
    let isCurrent = true
    loaded.then(
      trace => {
        if (!isCurrent) return
        setState({ state: 'done', trace, client })
        // What was joined is looked at, not watched.
        if (source || joinKey !== '' || !isFresh(trace)) return
        client.follow(apiUrl(`api/hopscope/v1/stream?traceId=${encodeURIComponent(trace.traceId)}`), grown => {
          if (isCurrent) setState({ state: 'done', trace: grown, client })
        })
      },
      (problem: Problem) => isCurrent && setState({ state: 'failed', problem }),
    )
    return () => {
      isCurrent = false
      client.close()
    }
  }, [traceId, source, joinKey, round])
  return [state, useCallback(() => setRound(n => n + 1), [])]
}
