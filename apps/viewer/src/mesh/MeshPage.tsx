import { useMemo, useState } from 'react'
import { fetchDependencies } from '../api/queries.ts'
import { CollectorFailed } from '../shared/CollectorFailed.tsx'
import { Command, Notice } from '../shared/Notice.tsx'
import { navigate } from '../shared/navigation.ts'
import { TimeRangeFields } from '../shared/TimeRangeFields.tsx'
import { useFetch } from '../shared/use-fetch.ts'
import { formatUrl } from '../url.ts'
import { Graph } from './Graph.tsx'
import { LinkTable } from './LinkTable.tsx'
import { layoutGraph } from './layout.ts'
import type { MeshRoute } from './mesh-url.ts'
import { ServicePanel } from './ServicePanel.tsx'

/** Beyond this the graph is a thicket; the table says the same. */
const MAX_DRAWN = 200

export function MeshPage({ route }: { route: MeshRoute }) {
  const key = formatUrl({ page: 'mesh', time: route.time, view: 'graph' })
  const [links, refresh] = useFetch(key, signal => fetchDependencies(route.time, signal))
  const layout = useMemo(() => layoutGraph(links.data ?? []), [links.data])
  const [filter, setFilter] = useState('')
  const isTable = route.view === 'table' || layout.nodes.length > MAX_DRAWN
  const select = (service: string | undefined) => {
    const { selected: _, ...rest } = route
    navigate(service === undefined ? rest : { ...rest, selected: service }, 'replace')
  }
  const errors = layout.links.reduce((sum, link) => sum + (link.errorCount ?? 0), 0)
  const calls = layout.links.reduce((sum, link) => sum + link.callCount, 0)
  return (
    <>
      <div className="mesh-head">
        <h1>Mesh</h1>
        <TimeRangeFields time={route.time} onChange={time => navigate({ ...route, time })} />
        <fieldset className="segmented">
          <legend className="sr-only">View</legend>
          <button
            type="button"
            aria-pressed={!isTable}
            onClick={() => navigate({ ...route, view: 'graph' }, 'replace')}
          >
            Graph
          </button>
          <button type="button" aria-pressed={isTable} onClick={() => navigate({ ...route, view: 'table' }, 'replace')}>
            Table
          </button>
        </fieldset>
        <label className="field inline">
          <span className="sr-only">Highlight services</span>
          <input type="search" placeholder="Highlight" value={filter} onChange={e => setFilter(e.target.value)} />
        </label>
        <button type="button" className="quiet" onClick={refresh} disabled={links.state === 'loading'}>
          ↻ Refresh
        </button>
        {links.data && links.data.length > 0 && (
          <p role="status">
            <strong>{layout.nodes.length}</strong> services, <strong>{calls.toLocaleString('en')}</strong> calls
            {errors > 0 && <span className="bad">, ✕ {errors.toLocaleString('en')} failed</span>}
          </p>
        )}
      </div>
      {links.state === 'failed' && <CollectorFailed error={links.error} onRetry={refresh} />}
      {links.state === 'loading' && !links.data && (
        <p className="opening" role="status">
          Counting calls …
        </p>
      )}
      {links.state === 'done' && links.data.length === 0 && (
        <Notice kind="empty" title="No calls between services in this time">
          <p>A link needs a call with both ends named. Widen the time, or send something through a mesh:</p>
          <Command>./hopscope up</Command>
          <Command>./hopscope curl /</Command>
          <button type="button" onClick={refresh}>
            Look again
          </button>
        </Notice>
      )}
      {links.data && links.data.length > 0 && (
        <div className={route.selected === undefined ? 'mesh-body' : 'mesh-body with-panel'}>
          {isTable ? (
            <LinkTable links={layout.links} filter={filter} onSelect={select} />
          ) : (
            <Graph layout={layout} selected={route.selected} filter={filter} onSelect={select} />
          )}
          {route.selected !== undefined && (
            <ServicePanel
              service={route.selected}
              links={layout.links}
              time={route.time}
              onSelect={select}
              onClose={() => select(undefined)}
            />
          )}
        </div>
      )}
    </>
  )
}
