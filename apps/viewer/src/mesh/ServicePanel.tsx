import type { DependencyLink, TypedQuery } from '@hopscope/model'
import { searchRoute } from '../search/search-url.ts'
import { Chip } from '../shared/Chip.tsx'
import { linkTo } from '../shared/navigation.ts'
import type { TimeRange } from '../shared/time-range.ts'
import { share } from './Graph.tsx'

/** Who calls a service and whom it calls, each with the way to its traces. */
export function ServicePanel(props: {
  service: string
  links: readonly DependencyLink[]
  time: TimeRange
  onSelect: (service: string) => void
  onClose: () => void
}) {
  const { service, links, time } = props
  const search = (query: TypedQuery) => linkTo(searchRoute(query, time))
  const section = (title: string, own: readonly DependencyLink[], other: 'parent' | 'child') => (
    <section>
      <h3>{title}</h3>
      {own.length === 0 && <p className="muted">nobody</p>}
      <ul className="peers">
        {own.map(link => (
          <li key={link[other]}>
            <button type="button" className="link" onClick={() => props.onSelect(link[other])}>
              {link[other]}
            </button>
            <span>
              {link.callCount.toLocaleString('en')} calls
              {link.errorCount ? <span className="bad"> ✕ {share(link.errorCount, link.callCount)}</span> : null}
            </span>
            <a {...search({ hop: { caller: link.parent, callee: link.child } })}>
              traces
              <span className="sr-only">
                {' '}
                of {link.parent} calling {link.child}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
  return (
    <aside
      className="panel"
      aria-label={`Service ${service}`}
      onKeyDown={event => event.key === 'Escape' && props.onClose()}
    >
      <header>
        <h2>
          <Chip service={service} />
        </h2>
        <button type="button" className="quiet close" aria-label="Close details" onClick={props.onClose}>
          ✕
        </button>
        <p className="panel-facts">
          <a {...search({ serviceName: service })}>Traces of {service}</a>
          <a {...search({ serviceName: service, annotationQuery: new Map([['error', '']]) })}>with errors</a>
        </p>
      </header>
      {section(
        'Called by',
        links.filter(link => link.child === service),
        'parent',
      )}
      {section(
        'Calls',
        links.filter(link => link.parent === service),
        'child',
      )}
    </aside>
  )
}
