import type { DependencyLink } from '@hopscope/model'
import { share } from './Graph.tsx'

export function LinkTable(props: {
  links: readonly DependencyLink[]
  filter: string
  onSelect: (service: string) => void
}) {
  const filter = props.filter.trim().toLowerCase()
  const shown = props.links
    .filter(link => `${link.parent} ${link.child}`.toLowerCase().includes(filter))
    .toSorted((a, b) => b.callCount - a.callCount)
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    <section className="table-wrap" aria-label="Table of calls" tabIndex={0}>
      <table className="links">
        <thead>
          <tr>
            <th scope="col">Caller</th>
            <th scope="col">Calls</th>
            <th scope="col" className="number">
              Count
            </th>
            <th scope="col" className="number">
              Failed
            </th>
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
              </td>
              <td className="number">{link.callCount.toLocaleString('en')}</td>
              <td className={link.errorCount ? 'number bad' : 'number'}>
                {link.errorCount ? `✕ ${link.errorCount} (${share(link.errorCount, link.callCount)})` : '0'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
