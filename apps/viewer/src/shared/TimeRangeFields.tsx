import type { Milliseconds } from '@hopscope/model'
import { formatLookback, type TimeRange } from './time-range.ts'

const CHOICES: readonly (readonly [Milliseconds, string])[] = [
  [60_000, 'last minute'],
  [5 * 60_000, 'last 5 minutes'],
  [15 * 60_000, 'last 15 minutes'],
  [60 * 60_000, 'last hour'],
  [6 * 3_600_000, 'last 6 hours'],
  [24 * 3_600_000, 'last day'],
  [7 * 86_400_000, 'last 7 days'],
]

/** Last so-long, or from–to in the reader's own time zone. */
export function TimeRangeFields({ time, onChange }: { time: TimeRange; onChange: (time: TimeRange) => void }) {
  const value = time.kind === 'between' ? 'between' : String(time.lookback)
  const isListed = time.kind === 'between' || CHOICES.some(([lookback]) => lookback === time.lookback)
  const choose = (chosen: string) => {
    if (chosen !== 'between') return onChange({ kind: 'last', lookback: Number(chosen) })
    const endTs = time.endTs ?? Date.now()
    const length = time.kind === 'last' ? time.lookback : time.endTs - time.startTs
    onChange({ kind: 'between', startTs: endTs - length, endTs })
  }
  return (
    <>
      <label className="field">
        <span>Time</span>
        <select value={value} onChange={event => choose(event.target.value)}>
          {!isListed && time.kind === 'last' && <option value={value}>last {formatLookback(time.lookback)}</option>}
          {CHOICES.map(([lookback, text]) => (
            <option key={lookback} value={lookback}>
              {text}
            </option>
          ))}
          <option value="between">from … to …</option>
        </select>
      </label>
      {time.kind === 'between' && (
        <>
          <DateField label="From" value={time.startTs} onChange={startTs => onChange({ ...time, startTs })} />
          <DateField label="To" value={time.endTs} onChange={endTs => onChange({ ...time, endTs })} />
        </>
      )}
    </>
  )
}

function DateField(props: { label: string; value: Milliseconds; onChange: (value: Milliseconds) => void }) {
  return (
    <label className="field">
      <span>{props.label}</span>
      <input
        type="datetime-local"
        step="1"
        value={toLocal(props.value)}
        onChange={event => {
          const parsed = new Date(event.target.value).getTime()
          if (!Number.isNaN(parsed)) props.onChange(parsed)
        }}
      />
    </label>
  )
}

/** `2026-11-23T16:20:05`, as the input wants it, in local time. */
function toLocal(time: Milliseconds): string {
  const date = new Date(time)
  return new Date(time - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
