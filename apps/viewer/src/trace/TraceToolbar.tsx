import type { RefObject } from 'react'
import type { TraceRoute } from '../url.ts'
import type { TraceColumns } from './columns.ts'
import type { TraceClient } from './trace-client.ts'
import { rawTraceUrl } from './use-trace.ts'

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
}) {
  const { route, trace, onChange } = props
  return (
    <div className="toolbar" role="toolbar" aria-label="Trace">
      <fieldset className="segmented">
        <legend className="sr-only">View</legend>
        <button type="button" aria-pressed={route.view === 'hops'} onClick={() => onChange({ ...route, view: 'hops' })}>
          Hops
        </button>
        <button
          type="button"
          aria-pressed={route.view === 'spans'}
          onClick={() => onChange({ ...route, view: 'spans' })}
        >
          Spans
        </button>
      </fieldset>
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
      {route.view === 'hops' && trace.hops && <Legend />}
      <span className="spring" />
      {props.onReload && (
        <button type="button" className="quiet" onClick={props.onReload} title="Spans may arrive late">
          ↻ Reload
        </button>
      )}
      <button type="button" className="quiet" onClick={() => void download(props.client, trace.traceId)}>
        ↓ Export
      </button>
      {props.onReload && (
        <a className="button quiet" href={rawTraceUrl(trace.traceId)} target="_blank" rel="noreferrer">
          JSON
        </a>
      )}
      <button type="button" className="quiet" onClick={props.onHelp} aria-label="Keyboard help" title="Keys (?)">
        ?
      </button>
    </div>
  )
}

/** What each part of a hop's bar is. */
function Legend() {
  return (
    <ul className="legend" aria-label="Parts of a hop">
      <li>
        <span className="key egress" aria-hidden="true" /> egress proxy
      </li>
      <li>
        <span className="key wire" aria-hidden="true" /> wire
      </li>
      <li>
        <span className="key ingress" aria-hidden="true" /> ingress proxy
      </li>
      <li>
        <span className="key app" aria-hidden="true" /> app
      </li>
      <li>
        <span className="key unknown" aria-hidden="true" /> untraced
      </li>
    </ul>
  )
}

async function download(client: TraceClient, traceId: string): Promise<void> {
  const url = URL.createObjectURL(new Blob([await client.export()], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = `${traceId.replace(/[^0-9a-z-]/gi, '_')}.json`
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
