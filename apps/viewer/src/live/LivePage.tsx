import '../styles/live.css'
import { useEffect, useMemo, useState } from 'react'
import { formatDuration } from '../shared/duration.ts'
import { formatMoment } from '../shared/moment.ts'
import { navigate } from '../shared/navigation.ts'
import { TraceList } from '../shared/TraceList.tsx'
import { TROUBLE_SIGNS } from '../shared/TroubleBadges.tsx'
import { TourCard } from '../tour/TourCard.tsx'
import { type LiveRoute, TROUBLES, type Trouble } from './live-url.ts'
import { type Brush, countTroubles, pickItems } from './pick-items.ts'
import { Scatter } from './Scatter.tsx'
import { Tutorial } from './Tutorial.tsx'
import { useHeld } from './use-held.ts'
import { type Live, useLive } from './use-live.ts'

const WINDOW = 120_000

/** Traces as they arrive: a scatter to see what is unlike the rest, and a list of them. */
export function LivePage({ route }: { route: LiveRoute }) {
  const [live, { pause, resume, clear }] = useLive()
  const [brush, setBrush] = useState<Brush>()
  const { items } = live
  const counts = useMemo(() => countTroubles(items), [items])
  const shown = useMemo(() => pickItems(items, route.only, brush), [items, route.only, brush])
  const [listed, hold] = useHeld(shown)
  const picked = useMemo(
    () => (shown === items ? undefined : new Set(shown.map(({ traceId }) => traceId))),
    [shown, items],
  )
  const pausedAt = usePausedAt(live.isPaused)
  const toggle = (trouble: Trouble) => {
    const only = route.only.includes(trouble)
      ? route.only.filter(other => other !== trouble)
      : TROUBLES.filter(other => other === trouble || route.only.includes(other))
    navigate({ ...route, only }, 'replace')
  }
  if (items.length === 0 && live.waiting === 0 && !live.isPaused && !live.isCleared) {
    return <Tutorial connection={live.connection} />
  }
  return (
    <>
      <div className="live-head">
        <h1>Live</h1>
        <Pulse live={live} />
        <fieldset className="troubles">
          <legend className="sr-only">Only traces with</legend>
          {TROUBLES.map(trouble => {
            const { sign, plural } = TROUBLE_SIGNS[trouble]
            return (
              <button
                key={trouble}
                type="button"
                className={`pill ${trouble}`}
                aria-pressed={route.only.includes(trouble)}
                onClick={() => toggle(trouble)}
              >
                <span aria-hidden="true">{sign}</span> {plural} <strong>{counts[trouble]}</strong>
              </button>
            )
          })}
        </fieldset>
        {brush && <BrushPill brush={brush} onClear={() => setBrush(undefined)} />}
        <span className="spring" />
        {live.dropped > 0 && <span className="muted">{live.dropped.toLocaleString('en')} older dropped</span>}
        <button type="button" aria-pressed={live.isPaused} onClick={live.isPaused ? resume : pause}>
          {live.isPaused ? `▶ Resume${live.waiting > 0 ? `, ${live.waiting} new` : ''}` : '❚❚ Pause'}
        </button>
        <button type="button" className="quiet" onClick={clear}>
          Clear
        </button>
      </div>
      <div className="live-body">
        <div className="live-main">
          <Scatter
            items={items}
            picked={picked}
            window={WINDOW}
            until={live.isPaused ? pausedAt : undefined}
            brush={brush}
            onBrush={setBrush}
          />
          {listed.length > 0 ? (
            <div className="held-list" {...hold.watch}>
              {hold.newer > 0 && (
                <button type="button" className="pill newer" onClick={hold.release}>
                  ↑ {hold.newer} new
                </button>
              )}
              <TraceList items={listed} label="New traces" />
            </div>
          ) : (
            <p className="nothing-shown" role="status">
              {items.length === 0
                ? 'Cleared. New traces appear here.'
                : `None of the ${items.length} traces is like that.`}
            </p>
          )}
        </div>
        <TourCard items={items} />
      </div>
    </>
  )
}

function Pulse({ live }: { live: Live }) {
  const text =
    live.connection === 'open'
      ? live.isPaused
        ? 'paused'
        : `${live.rate.toFixed(1)} traces/s`
      : live.connection === 'lost'
        ? 'connection lost, trying again'
        : 'connecting'
  return (
    <span className={`pulse ${live.isPaused ? 'paused' : live.connection}`}>
      <span className="pulse-dot" aria-hidden="true" />
      {text}
    </span>
  )
}

function BrushPill({ brush, onClear }: { brush: Brush; onClear: () => void }) {
  const text = `${formatMoment(brush.from).slice(0, 8)}–${formatMoment(brush.to).slice(0, 8)}, ${formatDuration(brush.shortest)}–${formatDuration(brush.longest)}`
  return (
    <button type="button" className="pill" onClick={onClear}>
      {text} <span aria-hidden="true">✕</span>
      <span className="sr-only">. Show all again</span>
    </button>
  )
}

function usePausedAt(isPaused: boolean): number | undefined {
  const [pausedAt, setPausedAt] = useState<number>()
  useEffect(() => setPausedAt(isPaused ? Date.now() : undefined), [isPaused])
  return pausedAt
}
