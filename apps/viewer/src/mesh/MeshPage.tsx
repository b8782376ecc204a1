import '../styles/mesh.css'
import { useMemo, useState } from 'react'
import { fetchLinks, type Links } from '../api/links.ts'
import { CollectorFailed } from '../shared/CollectorFailed.tsx'
import { Command, Notice } from '../shared/Notice.tsx'
import { navigate } from '../shared/navigation.ts'
import { TimeRangeFields } from '../shared/TimeRangeFields.tsx'
import { useFetch } from '../shared/use-fetch.ts'
import { useNarrow } from '../shared/use-narrow.ts'
import { CallPanel } from './CallPanel.tsx'
import { Graph } from './Graph.tsx'
import { LinkTable } from './LinkTable.tsx'
import { layoutGraph } from './layout.ts'
import { METRICS, type MeshLink } from './mesh-link.ts'
import { type MeshRoute, parseCall } from './mesh-url.ts'
import { cutToNeighbourhood, MAX_HOPS, type Neighbourhood } from './neighbourhood.ts'
import { ServicePanel } from './ServicePanel.tsx'

const NONE: readonly MeshLink[] = []

export function MeshPage({ route }: { route: MeshRoute }) {
  const [fetched, refresh] = useFetch(JSON.stringify(route.time), signal => fetchLinks(route.time, signal))
  const links = fetched.data?.links ?? NONE
  const cut = useMemo(() => cutToNeighbourhood(links, route.around), [links, route.around])
  const direction = useNarrow() ? 'down' : 'right'
  const layout = useMemo(() => layoutGraph(cut.links, direction), [cut, direction])
  const [filter, setFilter] = useState('')
  const isTable = route.view === 'table'
  const select = (selected: string | undefined) => {
    const { selected: _, ...rest } = route
    navigate(selected === undefined ? rest : { ...rest, selected }, 'replace')
  }
  const call = route.selected === undefined ? undefined : parseCall(route.selected)
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
        {!isTable && <MetricField route={route} links={links} />}
        <label className="field inline">
          <span className="sr-only">Highlight services</span>
          <input type="search" placeholder="Highlight" value={filter} onChange={e => setFilter(e.target.value)} />
        </label>
        <button type="button" className="quiet" onClick={refresh} disabled={fetched.state === 'loading'}>
          ↻ Refresh
        </button>
        {links.length > 0 && <Sums links={links} services={cut.total} sample={fetched.data} />}
      </div>
      {!isTable && cut.around && <AroundBar route={route} cut={cut} />}
      {fetched.state === 'failed' && <CollectorFailed error={fetched.error} onRetry={refresh} />}
      {fetched.state === 'loading' && !fetched.data && (
        <p className="opening" role="status">
          Counting calls …
        </p>
      )}
      {fetched.state === 'done' && links.length === 0 && (
        <Notice kind="empty" title="No calls between services in this time">
          <p>A link needs a call with both ends named. Widen the time, or send something through a mesh:</p>
          <Command>npm start</Command>
          <Command>./hopscope curl /</Command>
          <button type="button" onClick={refresh}>
            Look again
          </button>
        </Notice>
      )}
      {links.length > 0 && (
        <div className={route.selected === undefined ? 'mesh-body' : 'mesh-body with-panel'}>
          {isTable ? (
            <LinkTable links={links} filter={filter} onSelect={select} />
          ) : (
            <Graph
              layout={layout}
              direction={direction}
              metric={route.metric}
              selected={route.selected}
              filter={filter}
              onSelect={selected => select(selected === route.selected ? undefined : selected)}
            />
          )}
          {route.selected !== undefined &&
            (call ? (
              <CallPanel
                call={call}
                link={links.find(({ parent, child }) => parent === call.parent && child === call.child)}
                time={route.time}
                onSelect={select}
                onClose={() => select(undefined)}
              />
            ) : (
              <ServicePanel
                service={route.selected}
                links={links}
                route={route}
                onSelect={select}
                onClose={() => select(undefined)}
              />
            ))}
        </div>
      )}
    </>
  )
}

/** What stands on the lines; only what the collector knows can be chosen. */
function MetricField({ route, links }: { route: MeshRoute; links: readonly MeshLink[] }) {
  const isKnown = links.some(({ p95 }) => p95 !== undefined)
  if (!isKnown) return null
  return (
    <fieldset className="segmented">
      <legend className="sr-only">On the lines</legend>
      {METRICS.map(([metric, text]) => (
        <button
          key={metric}
          type="button"
          aria-pressed={route.metric === metric}
          onClick={() => navigate({ ...route, metric }, 'replace')}
        >
          {text}
        </button>
      ))}
    </fieldset>
  )
}

function Sums({
  links,
  services,
  sample,
}: {
  links: readonly MeshLink[]
  services: number
  sample: Links | undefined
}) {
  const calls = links.reduce((sum, link) => sum + (link.parent === link.child ? 0 : link.callCount), 0)
  const errors = links.reduce((sum, link) => sum + (link.errorCount ?? 0), 0)
  return (
    <p role="status">
      <strong>{services}</strong> services, <strong>{calls.toLocaleString('en')}</strong> calls
      {errors > 0 && <span className="bad">, ✕ {errors.toLocaleString('en')} failed</span>}
      {sample && <span className="muted">; times of {sampleText(sample)}</span>}
    </p>
  )
}

function sampleText({ sampled, traces }: Links): string {
  const count = sampled.toLocaleString('en')
  if (sampled >= traces) return `all ${count} traces`
  return `${count} of ${traces.toLocaleString('en')} traces, evenly spread`
}

/** Says what was cut away, and how to see more or less. */
function AroundBar({ route, cut }: { route: MeshRoute; cut: Neighbourhood<MeshLink> }) {
  const around = cut.around!
  const { around: _, ...whole } = route
  const go = (hops: number) => navigate({ ...route, around: { ...around, hops } }, 'replace')
  return (
    <p className="around" role="status">
      <span>
        <strong>{cut.shown}</strong> of {cut.total} services: up to {around.hops} {around.hops === 1 ? 'call' : 'calls'}{' '}
        from <strong>{around.service}</strong>
        {!route.around && ', the busiest one; all of them could not be read'}
      </span>
      <button type="button" disabled={around.hops <= 1} onClick={() => go(around.hops - 1)}>
        <span aria-hidden="true">−</span>
        <span className="sr-only">One call less</span>
      </button>
      <button type="button" disabled={around.hops >= MAX_HOPS} onClick={() => go(around.hops + 1)}>
        <span aria-hidden="true">+</span>
        <span className="sr-only">One call more</span>
      </button>
      {route.around && (
        <button type="button" className="quiet" onClick={() => navigate(whole, 'replace')}>
          Show all
        </button>
      )}
    </p>
  )
}
