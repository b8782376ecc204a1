import { hasTrouble, type TraceItem } from '../api/trace-item.ts'
import { TROUBLES, type Trouble } from '../live/live-url.ts'

/** A sign for each trouble, never by colour alone. */
export const TROUBLE_SIGNS: Record<Trouble, { sign: string; name: string; plural: string }> = {
  error: { sign: '✕', name: 'error', plural: 'errors' },
  retry: { sign: '↻', name: 'retry', plural: 'retries' },
  timeout: { sign: '◷', name: 'timeout', plural: 'timeouts' },
  untraced: { sign: '◌', name: 'untraced hop', plural: 'untraced hops' },
}

export function TroubleBadges({ item }: { item: TraceItem }) {
  const counts: Record<Trouble, number> = {
    error: 0,
    retry: item.retries,
    timeout: item.timeouts,
    untraced: item.untraced,
  }
  return (
    <span className="row-troubles">
      {TROUBLES.filter(trouble => hasTrouble(item, trouble)).map(trouble => {
        const { sign, name, plural } = TROUBLE_SIGNS[trouble]
        const count = counts[trouble]
        const words = trouble === 'error' ? 'has errors' : `${count} ${count === 1 ? name : plural}`
        return (
          <span key={trouble} className={`trouble ${trouble}`} title={words}>
            <span aria-hidden="true">
              {sign}
              {count > 1 ? count : ''}
            </span>
            <span className="sr-only">{words}, </span>
          </span>
        )
      })}
    </span>
  )
}
