import { summariseTrace } from '@hopscope/model'
import { useMemo } from 'react'
import { fetchTraces } from '../api/queries.ts'
import { CollectorFailed } from '../shared/CollectorFailed.tsx'
import { Command, Notice } from '../shared/Notice.tsx'
import { navigate } from '../shared/navigation.ts'
import { useFetch } from '../shared/use-fetch.ts'
import { ANY, formatUrl, type Route, type SearchQuery } from '../url.ts'
import { ResultList } from './ResultList.tsx'
import { SearchForm } from './SearchForm.tsx'
import { sortSummaries } from './trace-summary.ts'

/** Asks at once for what the URL says; the form only changes the URL. */
export function SearchPage({ route }: { route: Route & { page: 'search' } }) {
  const { query, sort } = route
  const key = formatUrl({ page: 'search', query, sort: 'newest' })
  const [traces, refresh] = useFetch(`${key}`, signal => fetchTraces(query, signal))
  const summaries = useMemo(() => traces.data?.map(summariseTrace), [traces.data])
  const sorted = useMemo(() => summaries && sortSummaries(summaries, sort), [summaries, sort])

  const submit = (next: SearchQuery) => {
    const url: Route = { page: 'search', query: next, sort }
    // The same question again is a refresh: time has moved on.
    if (formatUrl(url) === formatUrl(route)) refresh()
    else navigate(url)
  }
  return (
    <>
      <h1 className="sr-only">Traces</h1>
      <SearchForm key={key} query={query} onSubmit={submit} />
      <div className="results" aria-busy={traces.state === 'loading'}>
        {traces.state === 'failed' && <CollectorFailed error={traces.error} onRetry={refresh} />}
        {traces.state === 'loading' && !sorted && <Skeleton />}
        {sorted && sorted.length > 0 && (
          <ResultList
            summaries={sorted}
            sort={sort}
            limit={query.limit}
            isLoading={traces.state === 'loading'}
            onSort={next => navigate({ ...route, sort: next }, 'replace')}
            onRefresh={refresh}
          />
        )}
        {traces.state === 'done' && sorted?.length === 0 && <NothingFound query={query} onRefresh={refresh} />}
      </div>
    </>
  )
}

function NothingFound({ query, onRefresh }: { query: SearchQuery; onRefresh: () => void }) {
  const isNarrow = JSON.stringify({ ...query, time: ANY.time, limit: 0 }) !== JSON.stringify({ ...ANY, limit: 0 })
  return (
    <Notice kind="empty" title={isNarrow ? 'No trace matches' : 'No traces in this time'}>
      {isNarrow && (
        <p>
          Names must match whole, and all conditions must hold in one trace. Widen the time, or{' '}
          <button
            type="button"
            className="link"
            onClick={() => navigate({ page: 'search', query: { ...ANY, time: query.time }, sort: 'newest' })}
          >
            search without conditions
          </button>
          .
        </p>
      )}
      <p>Start a mesh that sends requests by itself:</p>
      <Command>./hopscope up</Command>
      <p>or send one request through a running one:</p>
      <Command>./hopscope curl /</Command>
      <p>
        or report a span from anywhere. Zipkin reporters and OpenTelemetry SDKs need only this address,{' '}
        <code>{location.origin}</code>:
      </p>
      <Command>{curlLine(location.origin)}</Command>
      <button type="button" onClick={onRefresh}>
        Look again
      </button>
    </Notice>
  )
}

/** A line that works when pasted: one span, now. */
function curlLine(origin: string): string {
  return `curl ${origin}/api/v2/spans -H 'content-type: application/json' -d '[{"traceId":"'$(openssl rand -hex 8)'","id":"1","name":"hello","kind":"SERVER","timestamp":'$(date +%s)'000000,"duration":12000,"localEndpoint":{"serviceName":"curl"}}]'`
}

function Skeleton() {
  return (
    <div className="skeleton" role="status">
      <span className="sr-only">Searching…</span>
      {['a', 'b', 'c', 'd', 'e', 'f'].map(line => (
        <div key={line} />
      ))}
    </div>
  )
}
