import { useEffect, useState } from 'react'
import { apiUrl, linkTo } from '../shared/navigation.ts'
import type { TraceRoute } from '../url.ts'
import type { LostCalls as Found } from './find-lost-calls.ts'
import type { TraceClient } from './trace-client.ts'
import { traceRoute } from './trace-url.ts'

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
  return (
    <ul className="lost" aria-label="Calls that may belong here">
      {joined.map(join => (
        <li key={join.traceId}>
          <span>
            <strong>Joined by inference:</strong> trace <code>{join.traceId}</code>; its first call is dashed.
          </span>
          <button
            type="button"
            onClick={() => {
              const { joined: _, ...rest } = route
              const left = joined.filter(other => other !== join)
              onChange(left.length === 0 ? rest : { ...rest, joined: left })
            }}
          >
            Take it out
          </button>
        </li>
      ))}
      {open.map(call => (
        <li key={call.otherTraceId}>
          <span>
            {call.direction === 'onward' ? (
              <>
                <strong>{call.service}</strong> may have called <strong>{call.callee ?? 'somebody'}</strong> without
                passing the trace’s headers on:{' '}
              </>
            ) : (
              <>
                <strong>{call.service}</strong> began this trace while it had another request, whose headers it did not
                pass on:{' '}
              </>
            )}
            <span className="confidence">{Math.round(call.confidence * 100)} % sure</span>{' '}
            <span className="muted">({call.because.join(', ')})</span>
          </span>
          {call.direction === 'onward' && (
            <button
              type="button"
              onClick={() =>
                onChange({ ...route, joined: [...joined, { traceId: call.otherTraceId, parentId: call.arrivalId }] })
              }
            >
              Join it
            </button>
          )}
          <a
            className="button"
            {...linkTo(
              call.direction === 'onward'
                ? traceRoute(call.otherTraceId)
                : {
                    ...traceRoute(call.otherTraceId),
                    joined: [{ traceId: route.traceId, parentId: call.arrivalId }],
                  },
            )}
          >
            {call.direction === 'onward' ? 'Open it' : 'See both'}
          </a>
        </li>
      ))}
      {isPart && (
        <li className="lost-part">
          <span className="muted">
            Calls that were lost are looked for at {found.looked} of the {found.ends} services that called nobody.
          </span>
        </li>
      )}
    </ul>
  )
}
