import { formatDuration } from '../shared/duration.ts'
import { SEGMENT, type SegmentKind } from './columns.ts'
import type { HopAnatomy } from './hop-anatomy.ts'
import { WhatIf } from './WhatIf.tsx'

const CLASSES: Record<SegmentKind, string> = {
  [SEGMENT.span]: 'span',
  [SEGMENT.app]: 'app',
  [SEGMENT.egressProxy]: 'egress',
  [SEGMENT.wire]: 'wire',
  [SEGMENT.ingressProxy]: 'ingress',
  [SEGMENT.unknown]: 'unknown',
  [SEGMENT.failedAttempt]: 'failed',
  [SEGMENT.backOff]: 'backoff',
  [SEGMENT.below]: 'below',
  [SEGMENT.late]: 'late',
}

/** Where the time of a call went, what its attempts cost, and how long somebody waits for it. */
export function Anatomy({ anatomy }: { anatomy: HopAnatomy }) {
  const { parts, attempts, untold, wasted, budget, askedFor, late, whatIf } = anatomy
  const total = Math.max(
    1,
    parts.reduce((sum, { duration }) => sum + duration, 0),
  )
  return (
    <>
      <section aria-label="Where the time went">
        <h3>Where the time went</h3>
        <dl className="anatomy">
          {parts.map(({ kind, name, duration }) => (
            <div key={name}>
              <dt>
                <span className={`key ${CLASSES[kind]}`} aria-hidden="true" />
                {name}
              </dt>
              <dd>
                {duration < 0 ? (
                  <>
                    {formatDuration(duration)} <span className="muted">measurement error</span>
                  </>
                ) : (
                  <>
                    {formatDuration(duration)} <span className="muted">{Math.round((duration / total) * 100)}%</span>
                  </>
                )}
              </dd>
            </div>
          ))}
        </dl>
      </section>
      {(attempts.length > 1 || untold > 0) && (
        <section aria-label="Attempts">
          <h3>Attempts</h3>
          <ol className="attempts">
            {attempts.map((attempt, i) => {
              const isFailed = attempt.isFailed || /^[45]/.test(attempt.status ?? '')
              return (
                <li key={i}>
                  {attempt.gapBefore > 0 && (
                    <span className="muted">waits {formatDuration(attempt.gapBefore)}, then </span>
                  )}
                  <span className={isFailed ? 'bad' : undefined}>
                    {isFailed ? '✕' : '✓'} {attempt.status ?? (isFailed ? 'no answer' : 'answered')}
                  </span>{' '}
                  after {formatDuration(attempt.duration)}
                </li>
              )
            })}
          </ol>
          {untold > 0 && (
            <p className="muted">
              The proxy counts {untold} more {untold === 1 ? 'attempt' : 'attempts'} without a span.
            </p>
          )}
          {wasted > 0 && (
            <p>
              <strong>{formatDuration(wasted)}</strong> thrown away: attempts that failed, and the wait behind them.
            </p>
          )}
        </section>
      )}
      {(Number.isFinite(budget) || askedFor !== undefined) && (
        <section aria-label="Deadline">
          <h3>Deadline</h3>
          {Number.isFinite(budget) && <p>Somebody waits for {formatDuration(Math.max(0, budget))} from its start.</p>}
          {late > 1_000 && <p className="late-fact">Nobody waits for its last {formatDuration(late)}.</p>}
          {askedFor !== undefined && (
            <p className="late-fact">It says it would wait {formatDuration(askedFor)}: longer than who asked for it.</p>
          )}
        </section>
      )}
      {whatIf && <WhatIf whatIf={whatIf} />}
    </>
  )
}
