import type { Interval } from './statistics.ts'

/** Values with their intervals on one axis: a stone and its whiskers, and a line at zero where zero is on it. */
export function IntervalPlot(props: {
  intervals: readonly Interval[]
  from: number
  to: number
  format: (value: number) => string
  /** Word for the colour: slower, faster, same. */
  tone?: string
}) {
  const { from, to } = props
  const at = (value: number) => `${Math.max(0, Math.min(100, ((value - from) / (to - from || 1)) * 100))}%`
  const words = props.intervals
    .map(({ value, low, high }) => `${props.format(value)}, from ${props.format(low)} to ${props.format(high)}`)
    .join('; ')
  return (
    <svg className={`interval ${props.tone ?? ''}`} role="img" aria-label={words}>
      <title>{words}</title>
      {from < 0 && to > 0 && <line className="zero" x1={at(0)} x2={at(0)} y1="0" y2="100%" />}
      {props.intervals.map(({ value, low, high }) => (
        <g key={`${value} ${low}`}>
          <line x1={at(low)} x2={at(high)} y1="50%" y2="50%" />
          <line x1={at(low)} x2={at(low)} y1="30%" y2="70%" />
          <line x1={at(high)} x2={at(high)} y1="30%" y2="70%" />
          <circle cx={at(value)} cy="50%" r="4.5" />
        </g>
      ))}
    </svg>
  )
}
