import type { Microseconds } from '@hopscope/model'
import { formatDuration } from '../shared/duration.ts'
import { keyOf, useUsual } from './use-usual.ts'
import type { Reason } from './why-slow.ts'

/** Why the trace took so long, in sentences; each leads to the row that shows it. */
export function Reasons(props: {
  reasons: readonly Reason[]
  /** µs since the epoch: how long its calls took before is asked up to here. Undefined where there is nobody to ask. */
  usualUntil: Microseconds | undefined
  onShow: (span: number) => void
}) {
  const { reasons, onShow } = props
  const usual = useUsual(
    reasons.flatMap(({ call }) => (call ? [call] : [])),
    props.usualUntil,
  )
  if (reasons.length === 0) return null
  // What is usual is said once of a call.
  const told = new Set<string>()
  const usualOf = ({ call }: Reason) => {
    const known = call && !told.has(keyOf(call)) ? usual.get(keyOf(call)) : undefined
    if (!call || !known) return ''
    told.add(keyOf(call))
    return `${call.caller} → ${call.callee} here: ${formatDuration(call.duration)}, usually ${formatDuration(known.median)}.`
  }
  return (
    <details className="reasons" open={!matchMedia('(max-width: 600px)').matches}>
      <summary>Why did it take so long?</summary>
      <ol>
        {reasons.map(reason => (
          <li key={reason.lead + reason.text}>
            <button type="button" onClick={() => onShow(reason.span)}>
              <strong>{reason.lead}</strong> {reason.text} {usualOf(reason)}
            </button>
          </li>
        ))}
      </ol>
    </details>
  )
}
