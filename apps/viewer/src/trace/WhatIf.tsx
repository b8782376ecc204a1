import { useState } from 'react'
import { formatDuration } from '../shared/duration.ts'
import type { HopAnatomy } from './hop-anatomy.ts'

/** What the whole gains if this call were faster: all of it, until something else is waited for. */
export function WhatIf({ whatIf }: { whatIf: NonNullable<HopAnatomy['whatIf']> }) {
  const { duration, most, whole, heldBy } = whatIf
  const [share, setShare] = useState(50)
  const faster = (duration * share) / 100
  const gain = Math.min(faster, most)
  return (
    <section aria-label="What if it were faster" className="what-if">
      <h3>What if it were faster?</h3>
      <label>
        <span className="sr-only">Per cent of its time saved</span>
        <input
          type="range"
          min={5}
          max={100}
          step={5}
          value={share}
          aria-valuetext={`${formatDuration(faster)} faster`}
          onChange={event => setShare(Number(event.target.value))}
        />
        <span aria-hidden="true">−{formatDuration(faster)}</span>
      </label>
      <p aria-live="polite">
        {gain > 0 ? (
          <>
            The whole takes <strong>{formatDuration(gain)}</strong> less: {formatDuration(whole - gain)}.
            {gain < faster && ` Then ${heldBy ?? 'something else'} is waited for, which goes on at the same time.`}
          </>
        ) : (
          <>
            The whole takes <strong>as long as now</strong>:{' '}
            {heldBy === undefined ? 'nobody waits for it.' : `${heldBy} goes on at the same time, and longer.`}
          </>
        )}
      </p>
    </section>
  )
}
