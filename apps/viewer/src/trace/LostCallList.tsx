import { linkTo } from '../shared/navigation.ts'
import type { TraceRoute } from '../url.ts'
import type { LostCall } from './find-lost-calls.ts'
import { traceRoute } from './trace-url.ts'

/** What was joined, what could be, and how far the search for it went. */
export function LostCallList(props: {
  route: TraceRoute
  open: readonly LostCall[]
  /** Services that called nobody, and at how many of them was looked; undefined: at all. */
  part: { looked: number; ends: number } | undefined
  onChange: (route: TraceRoute) => void
}) {
  const { route, open, part, onChange } = props
  const joined = route.joined ?? []
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
      {part && (
        <li className="lost-part">
          <span className="muted">
            Calls that were lost are looked for at {part.looked} of the {part.ends} services that called nobody.
          </span>
        </li>
      )}
    </ul>
  )
}
