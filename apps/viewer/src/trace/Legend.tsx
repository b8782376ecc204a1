import { FLAG, type RowColumns, SEGMENT } from './columns.ts'

const HOP_KEYS: readonly (readonly [className: string, text: string, kind: number])[] = [
  ['egress', 'egress proxy', SEGMENT.egressProxy],
  ['wire', 'wire: connect, TLS and queues included', SEGMENT.wire],
  ['ingress', 'ingress proxy', SEGMENT.ingressProxy],
  ['app', 'app, loopback included', SEGMENT.app],
  ['below', 'app, waiting for its calls', SEGMENT.below],
  ['unknown', 'untraced: inside unknown', SEGMENT.unknown],
  ['failed', 'failed attempt', SEGMENT.failedAttempt],
  ['backoff', 'back-off', SEGMENT.backOff],
  ['late', 'nobody waits any more', SEGMENT.late],
]

/** What the bars on this page are made of; what the trace does not have is left out. */
export function Legend({ columns, isCriticalShown }: { columns: RowColumns; isCriticalShown: boolean }) {
  const kinds = new Set(columns.segmentKind)
  const has = (flag: number) => columns.flags.some(flags => flags & flag)
  const keys = HOP_KEYS.filter(([name, , kind]) => kinds.has(kind) || (name === 'late' && has(FLAG.late)))
  return (
    <ul className="legend" aria-label="What the bars show">
      {keys.map(([name, text]) => (
        <li key={name}>
          <span className={`key ${name}`} aria-hidden="true" /> {text}
        </li>
      ))}
      {isCriticalShown && (
        <li>
          <span className="key critical" aria-hidden="true" /> critical path
        </li>
      )}
      {columns.deadline.some(Number.isFinite) && (
        <li>
          <span className="key deadline" aria-hidden="true" /> deadline
        </li>
      )}
    </ul>
  )
}
