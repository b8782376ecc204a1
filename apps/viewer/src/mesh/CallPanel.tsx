import type { TypedQuery } from '@hopscope/model'
import { searchRoute } from '../search/search-url.ts'
import { Chip } from '../shared/Chip.tsx'
import { formatDuration } from '../shared/duration.ts'
import { linkTo } from '../shared/navigation.ts'
import type { TimeRange } from '../shared/time-range.ts'
import { formatTries, type MeshLink, share } from './mesh-link.ts'

/** How one service calls another, and the ways to the traces of it. */
export function CallPanel(props: {
  call: { parent: string; child: string }
  link: MeshLink | undefined
  time: TimeRange
  onSelect: (service: string) => void
  onClose: () => void
}) {
  const { call, link } = props
  const hop = { caller: call.parent, callee: call.child }
  const search = (query: TypedQuery) => linkTo(searchRoute(query, props.time))
  return (
    <aside
      className="panel"
      aria-label={`Calls of ${call.parent} to ${call.child}`}
      onKeyDown={event => event.key === 'Escape' && props.onClose()}
    >
      <header>
        <h2>
          <button type="button" className="link" onClick={() => props.onSelect(call.parent)}>
            <Chip service={call.parent} />
          </button>
          <span aria-hidden="true">→</span>
          <span className="sr-only">calls</span>
          <button type="button" className="link" onClick={() => props.onSelect(call.child)}>
            <Chip service={call.child} />
          </button>
        </h2>
        <button type="button" className="quiet close" aria-label="Close details" onClick={props.onClose}>
          ✕
        </button>
      </header>
      {!link && <p className="muted">No such call in this time.</p>}
      {link && (
        <dl className="call-facts">
          <Fact name="calls" value={link.callCount.toLocaleString('en')} />
          <Fact
            name="failed"
            value={link.errorCount ? `✕ ${link.errorCount} (${share(link.errorCount, link.callCount)})` : '0'}
            isBad={Boolean(link.errorCount)}
          />
          {link.p50 !== undefined && <Fact name="p50" value={formatDuration(link.p50)} />}
          {link.p95 !== undefined && <Fact name="p95" value={formatDuration(link.p95)} />}
          {link.p99 !== undefined && <Fact name="p99" value={formatDuration(link.p99)} />}
          {link.triesPerCall !== undefined && <Fact name="tries a call" value={formatTries(link.triesPerCall)} />}
        </dl>
      )}
      <h3>Traces</h3>
      <ul className="ways">
        <li>
          <a {...search({ hop })}>with this call</a>
        </li>
        <li>
          <a {...search({ hop: { ...hop, minAttempts: 2 } })}>where it was tried again</a>
        </li>
        <li>
          <a {...search({ hop: { ...hop, timeout: true } })}>where it ran out of time</a>
        </li>
        <li>
          <a {...search({ hop, annotationQuery: new Map([['error', '']]) })}>with this call and an error</a>
        </li>
        {link?.p95 !== undefined && (
          <li>
            <a {...search({ hop, minDuration: link.p95 })}>with something longer than its p95</a>
          </li>
        )}
      </ul>
    </aside>
  )
}

function Fact({ name, value, isBad }: { name: string; value: string; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={isBad ? 'bad' : undefined}>{value}</dd>
    </div>
  )
}
