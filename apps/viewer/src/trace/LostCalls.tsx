import { useEffect, useState } from 'react'
import { late } from '../shared/late.tsx'
import { apiUrl } from '../shared/navigation.ts'
import type { TraceRoute } from '../url.ts'
import type { LostCalls as Found } from './find-lost-calls.ts'
import type { TraceClient } from './trace-client.ts'

/** Few traces have any. */
const LostCallList = late(async () => (await import('./LostCallList.tsx')).LostCallList)

/** ms: the rows come first. */
const AFTER_ROWS = 250

/**
 * Calls that seem to belong to this trace, though they are in another: somebody did not pass the headers on. They are
 * joined only when asked for, and stay marked.
 */
export function LostCalls(props: { client: TraceClient; route: TraceRoute; onChange: (route: TraceRoute) => void }) {
  const { client, route, onChange } = props
  const [found, setFound] = useState<Found>()
  useEffect(() => {
    let isCurrent = true
    const timer = setTimeout(() => {
      // Nothing depends on it, so that a search that fails says nothing.
      client.findLost(apiUrl('api/v2/')).then(
        answer => isCurrent && setFound(answer),
        () => undefined,
      )
    }, AFTER_ROWS)
    return () => {
      clearTimeout(timer)
      isCurrent = false
    }
  }, [client])
  const joined = route.joined ?? []
  const open = (found?.calls ?? []).filter(
    ({ otherTraceId }) => !joined.some(({ traceId }) => traceId === otherTraceId),
  )
  const isPart = found !== undefined && found.looked < found.ends
  if (open.length === 0 && joined.length === 0 && !isPart) return null
  return <LostCallList route={route} open={open} part={isPart ? found : undefined} onChange={onChange} />
}
