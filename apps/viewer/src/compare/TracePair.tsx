import { useMemo, useRef } from 'react'
import { Chip } from '../shared/Chip.tsx'
import { formatDuration } from '../shared/duration.ts'
import { formatMoment } from '../shared/moment.ts'
import { linkTo, navigate } from '../shared/navigation.ts'
import { useVisibleRows } from '../shared/use-visible-rows.ts'
import { traceRoute } from '../trace/trace-url.ts'
import { type AlignedHop, alignTraces, culpritOf, isChanged } from './align-traces.ts'
import type { CompareRoute } from './compare-url.ts'
import { type OutlinedHop, pairOf, type TraceOutline } from './hop-outline.ts'
import { signed } from './signed.ts'

const ROW_HEIGHT = 52
const MAX_INDENT = 14

/** Two traces over each other on one axis, call by call. */
export function TracePair({ a, b, route }: { a: TraceOutline; b: TraceOutline; route: CompareRoute }) {
  const all = useMemo(() => alignTraces(a, b), [a, b])
  const rows = useMemo(() => (route.changed ? all.filter(isChanged) : all), [all, route.changed])
  const total = b.duration - a.duration
  const culprit = useMemo(() => culpritOf(all, total), [all, total])
  const longest = Math.max(1, a.duration, b.duration)
  const box = useRef<HTMLDivElement>(null)
  const visible = useVisibleRows(box, rows.length, ROW_HEIGHT)
  const onlyA = all.filter(row => !row.b).length
  const onlyB = all.filter(row => !row.a).length
  return (
    <>
      <div className="pair-head">
        <TraceFact mark="a" trace={a} />
        <TraceFact mark="b" trace={b} />
        <p className="headline" role="status">
          <strong className={total > 0 ? 'slower' : 'faster'}>
            {total === 0
              ? 'B takes as long as A'
              : `B is ${formatDuration(Math.abs(total))} ${total > 0 ? 'slower' : 'faster'}`}
          </strong>
          {culprit && (
            <>
              ; {signed(culprit.ownDelta)} of it is own time of <em>{pairOf((culprit.b ?? culprit.a)!)}</em>
            </>
          )}
          .{onlyA > 0 && ` ${onlyA} ${onlyA === 1 ? 'call' : 'calls'} only in A.`}
          {onlyB > 0 && ` ${onlyB} ${onlyB === 1 ? 'call' : 'calls'} only in B.`}
        </p>
        <label className="check">
          <input
            type="checkbox"
            checked={route.changed}
            onChange={event => navigate({ ...route, changed: event.target.checked }, 'replace')}
          />
          Only differences
        </label>
      </div>
      {rows.length === 0 && <p className="nothing-shown">No call differs.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
      <section ref={box} className="pair-list" tabIndex={0} aria-label="Calls of both traces">
        <ol style={{ height: rows.length * ROW_HEIGHT }}>
          {rows.slice(visible.from, visible.to).map((row, i) => (
            <li
              key={`${row.a?.spanId ?? ''} ${row.b?.spanId ?? ''}`}
              aria-posinset={visible.from + i + 1}
              aria-setsize={rows.length}
              className={`pair-row${row === culprit ? ' culprit' : ''}`}
              style={{ transform: `translateY(${(visible.from + i) * ROW_HEIGHT}px)`, height: ROW_HEIGHT }}
            >
              <PairRow row={row} a={a} b={b} longest={longest} />
            </li>
          ))}
        </ol>
      </section>
    </>
  )
}

function TraceFact({ mark, trace }: { mark: 'a' | 'b'; trace: TraceOutline }) {
  return (
    <p className="trace-fact">
      <span className={`side-mark ${mark}`}>{mark.toUpperCase()}</span>
      <strong>{formatDuration(trace.duration)}</strong>
      <a {...linkTo(traceRoute(trace.traceId))}>
        <span className="sr-only">Open trace </span>
        <code>{trace.traceId.slice(-8)}</code>
      </a>
      <span className="muted">{formatMoment(trace.start / 1_000)}</span>
    </p>
  )
}

function PairRow({ row, a, b, longest }: { row: AlignedHop; a: TraceOutline; b: TraceOutline; longest: number }) {
  const hop = (row.b ?? row.a)!
  return (
    <>
      <span className="pair-name" style={{ paddingLeft: Math.min(MAX_INDENT, row.depth) * 14 }}>
        {hop.caller !== '' && (
          <>
            <Chip service={hop.caller} />
            <span aria-hidden="true">→</span>
          </>
        )}
        <Chip service={hop.callee} />
        <span className="muted request">
          {row.a && row.b && row.a.request !== row.b.request ? `${row.a.request} | ${row.b.request}` : hop.request}
        </span>
      </span>
      <span className="pair-marks">{marksOf(row).join(' ')}</span>
      <span className="pair-bars">
        <Bar hop={row.a} trace={a} mark="a" longest={longest} />
        <Bar hop={row.b} trace={b} mark="b" longest={longest} />
      </span>
      <span className={`pair-delta ${row.delta > 0 ? 'slower' : row.delta < 0 ? 'faster' : ''}`}>
        {row.a && row.b ? signed(row.delta) : row.a ? 'only A' : 'only B'}
      </span>
    </>
  )
}

function Bar(props: { hop: OutlinedHop | undefined; trace: TraceOutline; mark: 'a' | 'b'; longest: number }) {
  const { hop, mark, longest } = props
  if (!hop) return <span className="pair-bar none" />
  const left = (hop.start / longest) * 100
  const width = (hop.duration / longest) * 100
  // Behind the bar, before it, or, where it fills the row, in it.
  const isInside = left + width > 80 && left < 25
  const place = isInside
    ? { right: `${100 - left - width}%` }
    : left + width > 80
      ? { right: `${100 - left}%` }
      : { left: `${left + width}%` }
  return (
    <a
      className={`pair-bar ${mark}${hop.isFailed ? ' failed' : ''}${hop.isUntraced ? ' untraced' : ''}`}
      {...linkTo(traceRoute(props.trace.traceId, hop.spanId))}
    >
      <span style={{ left: `${left}%`, width: `max(2px, ${width}%)` }} />
      <span className={isInside ? 'bar-time inside' : 'bar-time'} style={place}>
        <span className="sr-only">{mark.toUpperCase()} </span>
        {formatDuration(hop.duration)}
      </span>
    </a>
  )
}

function marksOf({ a, b }: AlignedHop): string[] {
  const marks: string[] = []
  const attempts = [a, b].map(hop => hop?.attempts ?? 0)
  if (Math.max(...attempts) > 1) marks.push(`↻ ${a && b ? attempts.join('→') : Math.max(...attempts)} attempts`)
  if (a?.isFailed || b?.isFailed)
    marks.push(a && b && a.isFailed && b.isFailed ? '✕ both' : `✕ ${a?.isFailed ? 'A' : 'B'}`)
  if (a?.isTimedOut || b?.isTimedOut) marks.push('◷ timeout')
  if (a?.isUntraced || b?.isUntraced) marks.push('◌ untraced')
  return marks
}
