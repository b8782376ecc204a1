import { parseTypedQuery } from '@hopscope/model'
import { useEffect, useMemo, useState } from 'react'
import { isTraceId } from '../compare/compare-url.ts'
import { CollectorFailed } from '../shared/CollectorFailed.tsx'
import { Command, Notice } from '../shared/Notice.tsx'
import { navigate } from '../shared/navigation.ts'
import { TimeRangeFields } from '../shared/TimeRangeFields.tsx'
import { TraceList } from '../shared/TraceList.tsx'
import { traceRoute } from '../trace/trace-url.ts'
import { formatUrl } from '../url.ts'
import { QueryBox } from './QueryBox.tsx'
import { SavedSearches } from './SavedSearches.tsx'
import type { SearchRoute, Sort } from './search-url.ts'
import { sortItems } from './sort-items.ts'
import { useKnownNames } from './use-known-names.ts'
import { type Found, useSearch } from './use-search.ts'

const SORTS: readonly (readonly [Sort, string])[] = [
  ['newest', 'Newest'],
  ['longest', 'Longest'],
  ['spans', 'Most spans'],
]

/** Asks at once for what the URL says; the box only changes the URL. */
export function SearchPage({ route }: { route: SearchRoute }) {
  const [draft, setDraft] = useState(route.q)
  useEffect(() => setDraft(route.q), [route.q])
  const names = useKnownNames(draft)
  const [found, { more, refresh }] = useSearch(route)
  const items = useMemo(() => sortItems(found.items, route.sort), [found.items, route.sort])

  const submit = (text: string) => {
    const q = text.trim()
    if (isTraceId(q)) return navigate(traceRoute(q.toLowerCase()))
    if (parseTypedQuery(q).problems.length > 0) return
    // The same question again is a refresh: time has moved on.
    if (q === route.q) refresh()
    else navigate({ ...route, q })
  }
  return (
    <>
      <h1 className="sr-only">Search</h1>
      <search className="search-bar">
        <form
          onSubmit={event => {
            event.preventDefault()
            submit(draft)
          }}
        >
          <QueryBox
            label="Search traces"
            text={draft}
            names={names}
            placeholder="service=shop hop=shop->price attempt>1 error duration>100ms, or a trace id"
            onType={setDraft}
            onSubmit={submit}
          />
          <TimeRangeFields time={route.time} onChange={time => navigate({ ...route, time })} />
          <button type="submit" className="primary">
            Search
          </button>
        </form>
        <SavedSearches url={formatUrl(route)} q={route.q} />
      </search>
      <ResultHead route={route} found={found} onRefresh={refresh} />
      {found.state === 'failed' && <CollectorFailed error={found.error!} onRetry={refresh} />}
      {items.length > 0 && <TraceList key={formatUrl(route)} items={items} label="Traces" onEnd={more} />}
      {found.state === 'loading' && items.length === 0 && <Skeleton />}
      {found.state === 'done' && items.length === 0 && <NothingFound route={route} onRefresh={refresh} />}
    </>
  )
}

function ResultHead({ route, found, onRefresh }: { route: SearchRoute; found: Found; onRefresh: () => void }) {
  const failed = found.items.filter(item => item.error).length
  if (found.items.length === 0) return null
  return (
    <div className="result-head">
      <p role="status">
        <strong>{found.items.length.toLocaleString('en')}</strong>
        {found.hasMore ? '+' : ''} {found.items.length === 1 ? 'trace' : 'traces'}
        {failed > 0 && <span className="bad">, ✕ {failed} with errors</span>}
      </p>
      <fieldset className="segmented">
        <legend className="sr-only">Order</legend>
        {SORTS.map(([sort, text]) => (
          <button
            key={sort}
            type="button"
            aria-pressed={route.sort === sort}
            onClick={() => navigate({ ...route, sort }, 'replace')}
          >
            {text}
          </button>
        ))}
      </fieldset>
      <button type="button" className="quiet" onClick={onRefresh} disabled={found.state === 'loading'}>
        ↻ Refresh
      </button>
    </div>
  )
}

function NothingFound({ route, onRefresh }: { route: SearchRoute; onRefresh: () => void }) {
  return (
    <Notice kind="empty" title={route.q === '' ? 'No traces in this time' : 'No trace matches'}>
      {route.q !== '' && (
        <p>
          Names must match whole, and all conditions must hold in one trace. Widen the time, or{' '}
          <button type="button" className="link" onClick={() => navigate({ ...route, q: '' })}>
            search without conditions
          </button>
          .
        </p>
      )}
      <p>Start a mesh that sends requests by itself:</p>
      <Command>./hopscope up</Command>
      <p>or send one request through a running one:</p>
      <Command>./hopscope curl /</Command>
      <button type="button" onClick={onRefresh}>
        Look again
      </button>
    </Notice>
  )
}

function Skeleton() {
  return (
    <div className="skeleton" role="status">
      <span className="sr-only">Searching…</span>
      {['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(line => (
        <div key={line} />
      ))}
    </div>
  )
}
