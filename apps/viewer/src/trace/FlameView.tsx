import '../styles/trace-views.css'
import { type KeyboardEvent, useEffect, useMemo, useRef } from 'react'
import { formatDuration } from '../shared/duration.ts'
import { serviceHue } from '../shared/service-colour.ts'
import { onThemeChange } from '../shared/theme.ts'
import { FLAG, type RowColumns } from './columns.ts'
import { flameLines, rowAt } from './flame-layout.ts'
import { readPalette } from './painter.ts'
import { describeTime } from './row-slot.ts'
import { between, pan, type Range, ticks, toPixels, toTime, zoomAt } from './time-axis.ts'
import type { ViewProps } from './view-props.ts'

const LINE = 19
const HEAD = 26
/** Narrower bars are painted without a name. */
const MIN_NAMED = 34

/** All spans at once: time to the right, calls below their callers, width is duration. One canvas, whatever the size. */
export function FlameView(props: ViewProps) {
  const { columns, strings, total, range, selected } = props
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const { line, lines } = useMemo(() => flameLines(columns), [columns])
  const latest = useRef(props)
  latest.current = props
  const frame = useRef(0)
  const drag = useRef<{ x: number; y: number; scroll: number; range: Range; hasMoved: boolean }>(undefined)

  const draw = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0
      if (box.current && canvas.current) paint(canvas.current, box.current, latest.current, line)
    })
  }
  useEffect(draw)
  useEffect(() => {
    const element = box.current!
    const resize = new ResizeObserver(draw)
    resize.observe(element)
    const stop = onThemeChange(draw)
    const zoom = (event: WheelEvent) => {
      const { range: now, total: all, onRange } = latest.current
      const { left, width } = element.getBoundingClientRect()
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault()
        onRange(zoomAt(now, toTime(event.clientX - left, now, width), 1.0015 ** event.deltaY, all))
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault()
        onRange(pan(now, ((event.deltaX || event.deltaY) / width) * (now.to - now.from), all))
      }
    }
    element.addEventListener('wheel', zoom, { passive: false })
    return () => {
      resize.disconnect()
      stop()
      element.removeEventListener('wheel', zoom)
    }
  }, [line])
  useEffect(() => {
    if (selected < 0) return
    const element = box.current!
    const top = line[selected]! * LINE
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + LINE + HEAD > element.scrollTop + element.clientHeight)
      element.scrollTop = top + LINE + HEAD - element.clientHeight
  }, [selected, line])

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const next = step(columns, selected, event.key)
    const middle = (range.from + range.to) / 2
    if (next !== undefined) {
      if (next >= 0) props.onSelect(next)
    } else if (event.key === '+' || event.key === '=') props.onRange(zoomAt(range, middle, 0.5, total))
    else if (event.key === '-') props.onRange(zoomAt(range, middle, 2, total))
    else if (event.key === '0') props.onRange({ from: 0, to: total })
    else if (event.key === 'z' && selected >= 0) {
      const start = columns.start[selected]!
      props.onRange(between(start, start + columns.duration[selected]!, total))
    } else if (!props.takeKey(event.key)) return
    event.preventDefault()
  }

  return (
    <div
      ref={box}
      className="flame"
      role="application"
      aria-label="Flame graph. Arrows: caller, first call, calls before and after. The same rows are in Spans."
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it is walked by keys
      tabIndex={0}
      onScroll={draw}
      onKeyDown={onKey}
      onPointerDown={event => {
        const { clientX: x, clientY: y } = event
        drag.current = { x, y, scroll: box.current!.scrollTop, range, hasMoved: false }
      }}
      onPointerMove={event => {
        const held = drag.current
        if (!held || event.buttons === 0) return
        const by = held.x - event.clientX
        if (!held.hasMoved && Math.abs(by) + Math.abs(event.clientY - held.y) < 4) return
        held.hasMoved = true
        box.current!.scrollTop = held.scroll + held.y - event.clientY
        props.onRange(pan(held.range, (by / box.current!.clientWidth) * (held.range.to - held.range.from), total))
      }}
      onClick={event => {
        if (drag.current?.hasMoved) return
        const rect = box.current!.getBoundingClientRect()
        const y = event.clientY - rect.top - HEAD + box.current!.scrollTop
        const time = toTime(event.clientX - rect.left, range, box.current!.clientWidth)
        const slack = ((range.to - range.from) / box.current!.clientWidth) * 1.5
        const row = rowAt(columns, line, Math.floor(y / LINE), time, slack)
        if (row >= 0) props.onSelect(row)
      }}
      onDoubleClick={() => {
        if (selected < 0) return
        const start = columns.start[selected]!
        props.onRange(between(start, start + columns.duration[selected]!, total))
      }}
    >
      <div className="flame-body" style={{ height: Math.min(lines * LINE + HEAD + 8, 12_000_000) }}>
        {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus; the box around it does */}
        <canvas ref={canvas} aria-hidden="true" />
      </div>
      <p className="sr-only" aria-live="polite">
        {selected >= 0 &&
          `${strings[columns.service[selected]!]} ${strings[columns.name[selected]!]}, ${describeTime(columns, selected)}`}
      </p>
    </div>
  )
}

/** Where a key leads from a row: undefined when it is none of these keys, -1 when nothing is there. */
function step(columns: RowColumns, row: number, key: string): number | undefined {
  const { parent, subtreeEnd, count } = columns
  switch (key) {
    case 'ArrowUp':
    case 'k':
      return row < 0 ? 0 : parent[row]!
    case 'ArrowDown':
    case 'j':
      return row < 0 ? 0 : row + 1 < subtreeEnd[row]! ? row + 1 : -1
    case 'ArrowRight': {
      const next = row < 0 ? 0 : subtreeEnd[row]!
      return next < count && (row < 0 || parent[next] === parent[row]) ? next : -1
    }
    case 'ArrowLeft': {
      let before = -1
      for (let i = row < 0 ? 0 : parent[row]! + 1; i < row; i = subtreeEnd[i]!) before = i
      return before
    }
    case 'Home':
      return 0
    case 'e':
    case 'E': {
      for (let n = 1, i = row; n <= count; n++) {
        i = (i + (key === 'e' ? 1 : -1) + count) % count
        if (columns.flags[i]! & FLAG.error) return i
      }
      return -1
    }
    default:
      return undefined
  }
}

function paint(canvas: HTMLCanvasElement, box: HTMLElement, props: ViewProps, line: Int32Array): void {
  const { columns, strings, range, selected, matches } = props
  const { clientWidth: width, clientHeight: height, scrollTop } = box
  const scale = devicePixelRatio || 1
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
    canvas.style.width = `${width}px`
    canvas.style.height = `${height}px`
  }
  const context = canvas.getContext('2d')!
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  const palette = readPalette(box)
  context.font = '11px ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace'
  context.textBaseline = 'middle'
  const times = ticks(range, width, 90)
  context.fillStyle = palette.line
  for (const time of times) context.fillRect(Math.round(toPixels(time, range, width)), 0, 1, height)

  const colours = strings.map(() => '')
  const first = Math.floor(scrollTop / LINE) - 1
  const last = Math.ceil((scrollTop + height) / LINE)
  /** By line: how far it is painted already, so that a thousand spans in one pixel cost one rectangle. */
  const painted = new Float64Array(Math.max(0, last - first + 1)).fill(-1)
  for (let row = 0; row < columns.count; row++) {
    const at = line[row]!
    if (at < first || at > last) continue
    const from = toPixels(columns.start[row]!, range, width)
    const to = toPixels(columns.start[row]! + columns.duration[row]!, range, width)
    if (to < 0 || from > width) continue
    const isMarked = row === selected || matches?.[row] === 1 || (columns.flags[row]! & FLAG.error) !== 0
    if (to - from < 1 && to <= painted[at - first]! && !isMarked) continue
    const left = Math.max(from, -2)
    const right = Math.max(Math.min(to, width + 2), left + 0.8)
    painted[at - first] = Math.max(painted[at - first]!, left + 1)
    const y = at * LINE - scrollTop + HEAD
    const service = columns.service[row]!
    colours[service] ||= `oklch(${palette.lightness} ${palette.chroma} ${serviceHue(strings[service]!)})`
    const isFaded = matches !== undefined && matches[row] !== 1
    context.globalAlpha = isFaded ? 0.25 : 1
    context.fillStyle = colours[service]!
    context.fillRect(left, y, right - left - (right - left > 3 ? 1 : 0), LINE - 2)
    if (props.isCriticalShown && columns.flags[row]! & FLAG.critical) {
      context.fillStyle = palette.critical
      for (let i = columns.criticalAt[row]!; i < columns.criticalAt[row + 1]!; i++) {
        const a = toPixels(columns.criticalFrom[i]!, range, width)
        context.fillRect(a, y + LINE - 5, Math.max(1, toPixels(columns.criticalTo[i]!, range, width) - a), 3)
      }
    }
    if (columns.flags[row]! & FLAG.error || row === selected) {
      context.strokeStyle = row === selected ? palette.text : palette.error
      context.lineWidth = row === selected ? 2 : 1.5
      context.strokeRect(left + 0.75, y + 0.75, Math.max(right - left - 1.5, 1), LINE - 3.5)
    }
    if (right - left > MIN_NAMED) {
      const name = `${strings[service]} ${strings[columns.name[row]!]} ${formatDuration(columns.duration[row]!)}`
      const x = Math.max(left, 0) + 4
      const room = Math.floor((Math.min(right, width) - x - 3) / 6.7)
      if (room > 2) {
        context.fillStyle = palette.onSpan
        context.fillText(name.length > room ? `${name.slice(0, room - 1)}…` : name, x, y + LINE / 2 - 0.5)
      }
    }
    context.globalAlpha = 1
  }
  context.fillStyle = palette.ground
  context.fillRect(0, 0, width, HEAD - 4)
  context.fillStyle = palette.muted
  for (const time of times) {
    const x = toPixels(time, range, width)
    if (x < width - 44) context.fillText(formatDuration(time), x + 4, (HEAD - 4) / 2)
  }
}
