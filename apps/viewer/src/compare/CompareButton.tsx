import type { TraceItem } from '../api/trace-item.ts'
import { navigate } from '../shared/navigation.ts'
import { putIntoBasket, useBasket } from './basket.ts'
import { COMPARE } from './compare-url.ts'

/** Chosen once, a trace waits for a second one; chosen on the second, both are compared. */
export function CompareButton({ item }: { item: TraceItem }) {
  const first = useBasket()
  const isFirst = first?.traceId === item.traceId
  const choose = () => {
    if (isFirst) return putIntoBasket(undefined)
    if (!first) return putIntoBasket(item)
    putIntoBasket(undefined)
    navigate({ ...COMPARE, a: first.traceId, b: item.traceId })
  }
  const words = isFirst ? 'Do not compare this trace' : first ? 'Compare with the chosen trace' : 'Compare this trace'
  return (
    <button type="button" className="quiet compare-button" aria-pressed={isFirst} title={words} onClick={choose}>
      <span aria-hidden="true">{isFirst ? 'A' : first ? 'B?' : '⇄'}</span>
      <span className="sr-only">
        {words}, {item.rootService ?? 'unknown'} {item.traceId.slice(-8)}
      </span>
    </button>
  )
}
