import type { Endpoint } from '@hopscope/model'
import { useEffect, useState } from 'react'
import { searchRoute } from '../search/search-url.ts'
import { Chip } from '../shared/Chip.tsx'
import { formatDuration } from '../shared/duration.ts'
import { linkTo } from '../shared/navigation.ts'
import { Anatomy } from './Anatomy.tsx'
import { FLAG, type RowColumns } from './columns.ts'
import type { SpanDetail } from './loaded-trace.ts'
import { spansOf } from './rows.ts'
import type { RowDetail, TraceClient } from './trace-client.ts'
import { keyOf, useUsual } from './use-usual.ts'

/** Everything about the selected row; its tags are fetched from the worker when it is selected. */
export function SidePanel(props: {
  columns: RowColumns
  strings: readonly string[]
  row: number
  client: TraceClient
  /** As of {@link useUsual}. */
  usualUntil: number | undefined
  onClose: () => void
}) {
  const { columns, strings, row, client } = props
  const [detail, setDetail] = useState<RowDetail>()
  useEffect(() => {
    let isCurrent = true
    client.detail(spansOf(columns, row)).then(
      found => isCurrent && setDetail(found),
      () => isCurrent && setDetail(undefined),
    )
    return () => {
      isCurrent = false
    }
  }, [client, columns, row])

  const flags = columns.flags[row]!
  const service = strings[columns.service[row]!]!
  const peer = columns.peer[row]! < 0 ? undefined : strings[columns.peer[row]!]!
  const pair = peer === undefined || (flags & FLAG.hop) === 0 ? undefined : { caller: service, callee: peer }
  const usual = useUsual(pair ? [pair] : [], props.usualUntil).get(pair ? keyOf(pair) : '')
  return (
    <aside
      id="panel"
      className="panel"
      aria-label="Details of the selected row"
      tabIndex={-1}
      onKeyDown={event => event.key === 'Escape' && props.onClose()}
    >
      <header>
        <h2>
          <Chip service={service} />
          {peer !== undefined && (
            <>
              <span className="arrow" aria-hidden="true">
                →
              </span>
              <span className="sr-only">calls</span>
              <Chip service={peer} />
            </>
          )}
        </h2>
        <button type="button" className="quiet close" aria-label="Close details" onClick={props.onClose}>
          ✕
        </button>
        <p className="panel-name" title={strings[columns.name[row]!]}>
          {strings[columns.name[row]!]}
        </p>
        <p className="panel-facts">
          <strong>{flags & FLAG.noDuration ? 'unfinished' : formatDuration(columns.duration[row]!)}</strong>
          <span className="muted">at +{formatDuration(columns.start[row]!)}</span>
          {usual && (
            <span
              className="muted"
              title={`Median of ${usual.calls} calls in the hour before; 95 % took less than ${formatDuration(usual.p95)}`}
            >
              usually {formatDuration(usual.median)}
            </span>
          )}
          {(flags & FLAG.error) !== 0 && <span className="badge bad">✕ failed</span>}
          {(flags & FLAG.untraced) !== 0 && <span className="badge">callee untraced</span>}
          {(flags & FLAG.moved) !== 0 && <span className="badge">⇄ moved {formatDuration(columns.shift[row]!)}</span>}
        </p>
      </header>
      {(flags & FLAG.hop) !== 0 && detail?.anatomy && <Anatomy anatomy={detail.anatomy} />}
      {detail?.details.map(each => (
        <SpanCard key={`${each.span.id} ${each.span.shared ?? ''} ${each.span.timestamp ?? ''}`} detail={each} />
      ))}
    </aside>
  )
}

function SpanCard({ detail }: { detail: SpanDetail }) {
  const { span, shift, traceStart } = detail
  const tags = Object.entries(span.tags ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  const isoOf = (us: number) => new Date(us / 1_000).toISOString()
  return (
    <section
      className="span-card"
      aria-label={`${span.kind ?? 'LOCAL'} span ${span.id} of ${span.localEndpoint?.serviceName ?? 'unknown'}`}
    >
      <h3>
        <span className="kind">{span.kind ?? 'LOCAL'}</span> {span.localEndpoint?.serviceName ?? 'unknown'}
        <span className="muted"> {span.name}</span>
      </h3>
      {tags.length > 0 && (
        <table className="facts tags">
          <caption>Tags</caption>
          <tbody>
            {tags.map(([key, value]) => (
              <tr key={key} className={key === 'error' ? 'bad' : undefined}>
                <th scope="row">{key}</th>
                <td>
                  {key === 'error' && <span aria-hidden="true">✕ </span>}
                  {value}
                  <a
                    className="find-like"
                    title="Find traces with this tag"
                    {...linkTo(
                      searchRoute({
                        ...(span.localEndpoint?.serviceName ? { serviceName: span.localEndpoint.serviceName } : {}),
                        annotationQuery: new Map([[key, value]]),
                      }),
                    )}
                  >
                    <span aria-hidden="true">⌕</span>
                    <span className="sr-only">Find traces with this tag</span>
                  </a>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {span.annotations && span.annotations.length > 0 && (
        <table className="facts">
          <caption>Annotations</caption>
          <tbody>
            {span.annotations.map(annotation => (
              <tr key={`${annotation.timestamp} ${annotation.value}`}>
                <th scope="row" title={isoOf(annotation.timestamp)}>
                  +{formatDuration(annotation.timestamp + shift - traceStart)}
                </th>
                <td>{annotation.value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <table className="facts">
        <caption>Time and place</caption>
        <tbody>
          <tr>
            <th scope="row">start</th>
            <td>{span.timestamp === undefined ? 'not reported' : isoOf(span.timestamp + shift)}</td>
          </tr>
          {shift !== 0 && span.timestamp !== undefined && (
            <tr>
              <th scope="row">as reported</th>
              <td>
                {isoOf(span.timestamp)} <span className="muted">moved by {formatDuration(shift)}</span>
              </td>
            </tr>
          )}
          <tr>
            <th scope="row">duration</th>
            <td>
              {span.duration === undefined
                ? 'not reported'
                : `${formatDuration(span.duration)} (${span.duration.toLocaleString('en')} μs)`}
            </td>
          </tr>
          <EndpointRow label="reported by" endpoint={span.localEndpoint} />
          <EndpointRow label="peer" endpoint={span.remoteEndpoint} />
          <tr>
            <th scope="row">span id</th>
            <td className="id">{span.id}</td>
          </tr>
          <tr>
            <th scope="row">parent id</th>
            <td className="id">{span.parentId ?? 'none: a root'}</td>
          </tr>
          {(span.shared || span.debug) && (
            <tr>
              <th scope="row">flags</th>
              <td>{[span.shared && 'shared', span.debug && 'debug'].filter(Boolean).join(', ')}</td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  )
}

function EndpointRow({ label, endpoint }: { label: string; endpoint: Endpoint | undefined }) {
  if (!endpoint) return null
  const address = endpoint.ipv6 ? `[${endpoint.ipv6}]` : (endpoint.ipv4 ?? '')
  const place = `${address}${endpoint.port === undefined ? '' : `:${endpoint.port}`}`
  return (
    <tr>
      <th scope="row">{label}</th>
      <td>{[endpoint.serviceName, place].filter(Boolean).join(' · ')}</td>
    </tr>
  )
}
