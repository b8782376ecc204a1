import type { TypedQuery } from '@hopscope/model'
import { searchRoute } from '../search/search-url.ts'
import { Chip } from '../shared/Chip.tsx'
import { formatDuration } from '../shared/duration.ts'
import { linkTo } from '../shared/navigation.ts'
import { type MeshLink, share } from './mesh-link.ts'
import type { MeshRoute } from './mesh-url.ts'

/** Who calls a service and whom it calls, each with the way to its traces. */
export function ServicePanel(props: {
  service: string
  links: readonly MeshLink[]
  route: MeshRoute
  onSelect: (selected: string) => void
  onClose: () => void
}) {
  const { service, links, route } = props
  const search = (query: TypedQuery) => linkTo(searchRoute(query, route.time))
  const others = links.filter(({ parent, child }) => parent !== child)
  const self = links.find(({ parent, child }) => parent === service && child === service)
  const isAround = route.around?.service === service
  const section = (title: string, own: readonly MeshLink[], other: 'parent' | 'child') => (
    <section>
      <h3>{title}</h3>
      {own.length === 0 && <p className="muted">nobody</p>}
      <ul className="peers">
        {own.map(link => (
          <li key={link[other]}>
            <button type="button" className="link" onClick={() => props.onSelect(link[other])}>
              {link[other]}
            </button>
            <button
              type="button"
              className="link numbers"
              onClick={() => props.onSelect(`${link.parent}->${link.child}`)}
            >
              {link.callCount.toLocaleString('en')} calls
              {link.p95 !== undefined && `, p95 ${formatDuration(link.p95)}`}
              {link.errorCount ? <span className="bad"> ✕ {share(link.errorCount, link.callCount)}</span> : null}
            </button>
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
          {!isAround && (
            <a {...linkTo({ ...route, selected: service, around: { service, hops: 1 } })}>Only its neighbours</a>
          )}
        </p>
      </header>
      {section(
        'Called by',
        others.filter(link => link.child === service),
        'parent',
      )}
      {section(
        'Calls',
        others.filter(link => link.parent === service),
        'child',
      )}
      {self && (
        <p className="muted self">
          ↺ {self.callCount.toLocaleString('en')} calls to itself: where a proxy makes a span for a call and one for
          each try, both are spans of the same service.
        </p>
      )}
    </aside>
  )
}
