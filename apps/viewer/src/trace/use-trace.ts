import { useCallback, useEffect, useState } from 'react'
import { apiUrl } from '../shared/navigation.ts'
import type { TraceColumns } from './columns.ts'
import { formatJoins, type Join, parseJoins } from './join-traces.ts'
import { TraceClient } from './trace-client.ts'
import type { Problem, TraceSource } from './worker-protocol.ts'

export type TraceState =
  | { state: 'loading' }
  | { state: 'done'; trace: TraceColumns; client: TraceClient }
  | { state: 'failed'; problem: Problem }

export function rawTraceUrl(traceId: string): string {
  return apiUrl(`api/v2/trace/${encodeURIComponent(traceId)}`)
}

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
    const client = new TraceClient()
    let isCurrent = true
    const joins = parseJoins(joinKey).map(join => ({ url: rawTraceUrl(join.traceId), parentId: join.parentId }))
    const stored = { url: rawTraceUrl(traceId), own: apiUrl(`api/hopscope/v1/trace/${encodeURIComponent(traceId)}`) }
    client.load(source ?? { ...stored, joins }).then(
      trace => {
        if (!isCurrent) return
        setState({ state: 'done', trace, client })
        // What was joined is looked at, not watched.
        if (source || joins.length > 0 || !isFresh(trace)) return
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
