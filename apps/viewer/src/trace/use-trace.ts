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

/** Loads a trace in a worker of its own, from the API or from a file. `reload` asks again: spans may arrive late. */
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
    client.load(source ?? { url: rawTraceUrl(traceId), joins }).then(
      trace => isCurrent && setState({ state: 'done', trace, client }),
      (problem: Problem) => isCurrent && setState({ state: 'failed', problem }),
    )
    return () => {
      isCurrent = false
      client.close()
    }
  }, [traceId, source, joinKey, round])
  return [state, useCallback(() => setRound(n => n + 1), [])]
}
