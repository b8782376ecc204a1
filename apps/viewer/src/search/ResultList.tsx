import type { TraceSummary } from '@hopscope/model'
import type { KeyboardEvent } from 'react'
import { Chip } from '../shared/Chip.tsx'
import { formatDuration } from '../shared/duration.ts'
import { formatAge, formatMoment } from '../shared/moment.ts'
import { linkTo } from '../shared/navigation.ts'
import type { Sort } from '../url.ts'

const SORTS: readonly (readonly [Sort, string])[] = [
  ['newest', 'Newest'],
  ['longest', 'Longest'],
  ['spans', 'Most spans'],
]
const MAX_CHIPS = 7

export function ResultList(props: {
  summaries: readonly TraceSummary[]
  sort: Sort
  limit: number
  isLoading: boolean
  onSort: (sort: Sort) => void
  onRefresh: () => void
}) {
  const { summaries } = props
  const longest = Math.max(1, ...summaries.map(summary => summary.duration ?? 0))
  const failed = summaries.filter(summary => summary.error).length
  return (
    <>
      <div className="result-head">
        <p role="status">
          <strong>{summaries.length}</strong> {summaries.length === 1 ? 'trace' : 'traces'}
          {failed > 0 && (
            <>
              , <span className="bad">✕ {failed} with errors</span>
            </>
          )}
          {summaries.length === props.limit && <span className="muted">, limit reached</span>}
        </p>
        <fieldset className="segmented">
          <legend className="sr-only">Order</legend>
          {SORTS.map(([sort, text]) => (
            <button key={sort} type="button" aria-pressed={props.sort === sort} onClick={() => props.onSort(sort)}>
              {text}
            </button>
          ))}
        </fieldset>
        <button type="button" className="quiet" onClick={props.onRefresh} disabled={props.isLoading}>
          ↻ Refresh
        </button>
      </div>
      <ol className="result-list" onKeyDown={moveFocus}>
        {summaries.map(summary => (
          <Result key={summary.traceId} summary={summary} share={(summary.duration ?? 0) / longest} />
        ))}
      </ol>
    </>
  )
}

function Result({ summary, share }: { summary: TraceSummary; share: number }) {
  const hidden = summary.services.length - MAX_CHIPS
  const start = (summary.timestamp ?? 0) / 1_000
  return (
    <li className={summary.error ? 'result failed' : 'result'}>
      <a {...linkTo({ page: 'trace', traceId: summary.traceId, view: 'hops', clock: 'adjusted', find: '' })}>
        <span className="result-title">
          {summary.error && (
            <span className="bad" title={summary.error === 'critical' ? 'a span failed' : 'an annotation says error'}>
              ✕<span className="sr-only"> has errors: </span>
            </span>
          )}
          <strong>{summary.rootService ?? 'unknown'}</strong>{' '}
          <span className="result-name">{summary.rootName ?? 'unknown'}</span>
        </span>
        <span className="result-duration">{formatDuration(summary.duration ?? 0)}</span>
        <span className="result-bar" aria-hidden="true">
          <span style={{ width: `${Math.max(0.4, share * 100)}%` }} />
        </span>
        <span className="result-chips">
          {summary.services.slice(0, MAX_CHIPS).map(({ name, spanCount }) => (
            <Chip key={name} service={name} count={spanCount} />
          ))}
          {hidden > 0 && <span className="muted">+{hidden}</span>}
        </span>
        <span className="result-facts">
          <span>
            {summary.spanCount} {summary.spanCount === 1 ? 'span' : 'spans'}
          </span>
          {start > 0 ? (
            <time dateTime={new Date(start).toISOString()} title={new Date(start).toISOString()}>
              {formatMoment(start)} <span className="muted">{formatAge(start)}</span>
            </time>
          ) : (
            <span className="muted">no time</span>
          )}
        </span>
      </a>
    </li>
  )
}

/** Arrows and j/k walk through the list, as they do in a trace. */
function moveFocus(event: KeyboardEvent<HTMLOListElement>) {
  const step =
    event.key === 'ArrowDown' || event.key === 'j' ? 1 : event.key === 'ArrowUp' || event.key === 'k' ? -1 : 0
  if (step === 0) return
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a')]
  const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step]
  if (!next) return
  event.preventDefault()
  next.focus()
}
