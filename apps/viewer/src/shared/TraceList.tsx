import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react'
import type { TraceItem } from '../api/trace-item.ts'
import { CompareButton } from '../compare/CompareButton.tsx'
import { traceRoute } from '../trace/trace-url.ts'
import { formatDuration } from './duration.ts'
import { formatAge, formatMoment } from './moment.ts'
import { linkTo } from './navigation.ts'
import { serviceColour } from './service-colour.ts'
import { short } from './short-count.ts'
import { TroubleBadges } from './TroubleBadges.tsx'
import { useNarrow } from './use-narrow.ts'
import { useVisibleRows } from './use-visible-rows.ts'

const MAX_SERVICES = 9

/** A list of traces of any length, of which only the rows on screen are in the document. Arrows and j/k walk it. */
export function TraceList(props: {
  items: readonly TraceItem[]
  label: string
  /** Called when the end comes near. */
  onEnd?: () => void
}) {
  const { items, onEnd } = props
  const isNarrow = useNarrow()
  const rowHeight = isNarrow ? 76 : 40
  const box = useRef<HTMLDivElement>(null)
  const rows = useVisibleRows(box, items.length, rowHeight)
  const [focused, setFocused] = useState(-1)
  const longest = items.reduce((max, item) => Math.max(max, item.duration ?? 0), 1)

  useKeptPlace(box, items, rowHeight)
  useEffect(() => {
    if (rows.to >= items.length) onEnd?.()
  }, [rows.to, items.length, onEnd])
  useEffect(() => {
    if (focused < 0) return
    const link = box.current?.querySelector<HTMLElement>(`[aria-posinset="${focused + 1}"] a`)
    if (link && link !== document.activeElement) link.focus({ preventScroll: true })
  }, [focused, rows])

  const walk = (event: KeyboardEvent) => {
    const at = Number((event.target as HTMLElement).closest('[aria-posinset]')?.getAttribute('aria-posinset')) - 1
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 1)
    const to = { ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, PageDown: at + page, PageUp: at - page }[
      event.key
    ]
    const wanted = event.key === 'Home' ? 0 : event.key === 'End' ? items.length - 1 : to
    if (at < 0 || wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const next = Math.max(0, Math.min(items.length - 1, wanted))
    const element = box.current!
    if (next * rowHeight < element.scrollTop) element.scrollTop = next * rowHeight
    else if ((next + 1) * rowHeight > element.scrollTop + element.clientHeight) {
      element.scrollTop = (next + 1) * rowHeight - element.clientHeight
    }
    setFocused(next)
  }

  const shown = []
  for (let i = rows.from; i < rows.to; i++) {
    const item = items[i]!
    shown.push(
      <li
        key={item.traceId}
        aria-posinset={i + 1}
        aria-setsize={items.length}
        className={item.rootFailed ? 'trace-row failed' : 'trace-row'}
        style={{ transform: `translateY(${i * rowHeight}px)`, height: rowHeight }}
      >
        <TraceRow item={item} share={(item.duration ?? 0) / longest} />
        <CompareButton item={item} />
      </li>,
    )
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the links inside take the focus; arrows move it
    <div ref={box} className="trace-list" onKeyDown={walk} onFocus={() => setFocused(-1)}>
      <ol aria-label={props.label} style={{ height: items.length * rowHeight }}>
        {shown}
      </ol>
    </div>
  )
}

function TraceRow({ item, share }: { item: TraceItem; share: number }) {
  const start = (item.timestamp ?? 0) / 1_000
  const hidden = item.services.length - MAX_SERVICES
  return (
    <a {...linkTo(traceRoute(item.traceId))}>
      {start > 0 ? (
        <time
          className="row-time"
          dateTime={new Date(start).toISOString()}
          title={`${new Date(start).toISOString()}, ${formatAge(start)}`}
        >
          {formatMoment(start)}
        </time>
      ) : (
        <span className="row-time muted">no time</span>
      )}
      <span className="row-title">
        <strong>{item.rootService ?? 'unknown'}</strong>{' '}
        <span className="muted">{item.rootRequest ?? item.rootName ?? 'unknown'}</span>
      </span>
      <TroubleBadges item={item} />
      <span
        className="row-services"
        title={item.services.map(({ name, spanCount }) => `${name} ${spanCount}`).join(', ')}
      >
        {item.services.slice(0, MAX_SERVICES).map(({ name }) => (
          <span key={name} className="row-service" aria-hidden="true">
            <span className="stone" style={{ background: serviceColour(name) }} />
            {name}
          </span>
        ))}
        {hidden > 0 && <span aria-hidden="true">+{hidden}</span>}
        <span className="sr-only">
          {item.services.length} {item.services.length === 1 ? 'service' : 'services'}
        </span>
      </span>
      <span className="row-size muted">
        {item.hops > 0 ? counted(item.hops, 'hop') : ''}
        <span className="row-spans">{counted(item.spanCount, 'span')}</span>
      </span>
      <span className="row-duration">
        <span className="row-bar" aria-hidden="true">
          <span style={{ width: `${Math.max(0.6, share * 100)}%` }} />
        </span>
        {formatDuration(item.duration ?? 0)}
      </span>
    </a>
  )
}

/** `1 hop`, `40 hops`, `15K hops`: more digits have no room in a row. */
function counted(count: number, what: string): string {
  return `${count < 10_000 ? count : short(count)} ${what}${count === 1 ? '' : 's'}`
}

/** Rows that come above what a reader has scrolled to must not push it away. */
function useKeptPlace(box: RefObject<HTMLElement | null>, items: readonly TraceItem[], rowHeight: number): void {
  const before = useRef(items)
  useLayoutEffect(() => {
    const element = box.current
    const top = Math.floor((element?.scrollTop ?? 0) / rowHeight)
    const anchor = before.current[top]
    if (element && top > 0 && anchor && before.current !== items) {
      const now = items.findIndex(({ traceId }) => traceId === anchor.traceId)
      if (now >= 0 && now !== top) element.scrollTop += (now - top) * rowHeight
    }
    before.current = items
  }, [box, items, rowHeight])
}
