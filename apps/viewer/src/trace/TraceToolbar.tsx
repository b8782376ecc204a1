import type { RefObject } from 'react'
import type { TraceRoute } from '../url.ts'
import type { TraceColumns } from './columns.ts'
import { ExportMenu } from './ExportMenu.tsx'
import type { TraceClient } from './trace-client.ts'
import { TRACE_VIEWS, type TraceView } from './trace-url.ts'

const VIEW_NAMES: Record<TraceView, string> = {
  hops: 'Hops',
  spans: 'Spans',
  flame: 'Flame',
  sequence: 'Sequence',
  table: 'Table',
}

export function TraceToolbar(props: {
  route: TraceRoute
  trace: TraceColumns
  client: TraceClient
  matchCount: number | undefined
  findBox: RefObject<HTMLInputElement | null>
  onChange: (route: TraceRoute) => void
  onFindDone: () => void
  onHelp: () => void
  onReload: (() => void) | undefined
  onClose: (() => void) | undefined
}) {
  const { route, trace, onChange } = props
  return (
    <div className="toolbar" role="toolbar" aria-label="Trace">
      <fieldset className="segmented">
        <legend className="sr-only">View</legend>
        {TRACE_VIEWS.map(view => (
          <button
            key={view}
            type="button"
            aria-pressed={route.view === view}
            onClick={() => onChange({ ...route, view })}
          >
            {VIEW_NAMES[view]}
          </button>
        ))}
      </fieldset>
      {route.view !== 'table' && (
        <button
          type="button"
          className="toggle-critical"
          aria-pressed={route.critical}
          title="What the trace waits for, from its end back to its start (c)"
          onClick={() => onChange({ ...route, critical: !route.critical })}
        >
          <span className="key critical" aria-hidden="true" /> Critical path
        </button>
      )}
      {trace.counts.moved > 0 && (
        <button
          type="button"
          aria-pressed={route.clock === 'raw'}
          title="Times as they were reported, clock skew and all"
          onClick={() => onChange({ ...route, clock: route.clock === 'raw' ? 'adjusted' : 'raw' })}
        >
          Raw times
        </button>
      )}
      <div className="find">
        <input
          ref={props.findBox}
          type="search"
          aria-label="Find in this trace"
          placeholder="Find in this trace: names, tags  /"
          spellCheck={false}
          value={route.find}
          onChange={event => onChange({ ...route, find: event.target.value })}
          onKeyDown={event => {
            if (event.key === 'Enter' || event.key === 'Escape') props.onFindDone()
          }}
        />
        <span role="status" className="find-count">
          {props.matchCount === undefined ? '' : `${props.matchCount} ${props.matchCount === 1 ? 'row' : 'rows'}`}
        </span>
      </div>
      {props.matchCount !== undefined && (route.view === 'hops' || route.view === 'spans') && (
        <button
          type="button"
          className="only-found"
          aria-pressed={route.onlyFound === true}
          title="Leave out all other rows but those above them"
          onClick={() => {
            const { onlyFound, ...rest } = route
            onChange(onlyFound ? rest : { ...rest, onlyFound: true })
          }}
        >
          Only these
        </button>
      )}
      <span className="spring" />
      {props.onReload && (
        <button type="button" className="quiet" onClick={props.onReload} title="Spans may arrive late">
          ↻ Reload
        </button>
      )}
      {props.onClose && (
        <button type="button" className="quiet" onClick={props.onClose}>
          ✕ Close file
        </button>
      )}
      <ExportMenu client={props.client} trace={trace} isStored={props.onReload !== undefined} />
      <button type="button" className="quiet" onClick={props.onHelp} aria-label="Keyboard help" title="Keys (?)">
        ?
      </button>
    </div>
  )
}
