import { formatDuration } from '../shared/duration.ts'
import { formatTries, type MeshLink, share } from './mesh-link.ts'

/** The graph as numbers, busiest first; at the end, spans of a service below spans of its own. */
export function LinkTable(props: { links: readonly MeshLink[]; filter: string; onSelect: (selected: string) => void }) {
  const filter = props.filter.trim().toLowerCase()
  const shown = props.links
    .filter(link => `${link.parent} ${link.child}`.toLowerCase().includes(filter))
    .toSorted((a, b) => Number(isSelf(a)) - Number(isSelf(b)) || b.callCount - a.callCount)
  const hasTimes = shown.some(({ p95 }) => p95 !== undefined)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section className="table-wrap" aria-label="Table of calls" tabIndex={0}>
      <table className="links">
        <thead>
          <tr>
            <th scope="col">Caller</th>
            <th scope="col">Calls</th>
            <Numbers names={['Count', 'Failed', ...(hasTimes ? ['p50', 'p95', 'p99', 'Tries a call'] : [])]} />
          </tr>
        </thead>
        <tbody>
          {shown.map(link => (
            <tr key={`${link.parent}\n${link.child}`}>
              <td>
                <button type="button" className="link" onClick={() => props.onSelect(link.parent)}>
                  {link.parent}
                </button>
              </td>
              <td>
                <button type="button" className="link" onClick={() => props.onSelect(link.child)}>
                  {link.child}
                </button>
                {isSelf(link) && <span className="muted"> ↺ itself</span>}
              </td>
              <td className="number">
                <button type="button" className="link" onClick={() => props.onSelect(`${link.parent}->${link.child}`)}>
                  {link.callCount.toLocaleString('en')}
                  <span className="sr-only">
                    {' '}
                    calls of {link.parent} to {link.child}
                  </span>
                </button>
              </td>
              <td className={link.errorCount ? 'number bad' : 'number'}>
                {link.errorCount ? `✕ ${link.errorCount} (${share(link.errorCount, link.callCount)})` : '0'}
              </td>
              {hasTimes && <Times link={link} />}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function isSelf({ parent, child }: MeshLink): boolean {
  return parent === child
}

function Numbers({ names }: { names: readonly string[] }) {
  return names.map(name => (
    <th key={name} scope="col" className="number">
      {name}
    </th>
  ))
}

function Times({ link }: { link: MeshLink }) {
  return (
    <>
      {(['p50', 'p95', 'p99'] as const).map(name => (
        <td key={name} className="number">
          {link[name] === undefined ? '–' : formatDuration(link[name])}
        </td>
      ))}
      <td className="number">{link.triesPerCall === undefined ? '–' : formatTries(link.triesPerCall)}</td>
    </>
  )
}
