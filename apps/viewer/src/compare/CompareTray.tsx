import { formatDuration } from '../shared/duration.ts'
import { putIntoBasket, useBasket } from './basket.ts'

/** Says that one trace is chosen and that another is wanted. */
export function CompareTray() {
  const first = useBasket()
  if (!first) return null
  return (
    <p className="tray" role="status">
      <strong>A</strong> {first.rootService} {formatDuration(first.duration ?? 0)}{' '}
      <code>{first.traceId.slice(-8)}</code>
      <span>Choose the trace to compare it with: ⇄ beside it.</span>
      <button type="button" className="quiet" onClick={() => putIntoBasket(undefined)}>
        Never mind
      </button>
    </p>
  )
}
