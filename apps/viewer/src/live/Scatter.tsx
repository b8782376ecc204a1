import type { Microseconds, Milliseconds } from '@hopscope/model'
import { type PointerEvent, useEffect, useRef, useState } from 'react'
import type { TraceItem } from '../api/trace-item.ts'
import { formatDuration } from '../shared/duration.ts'
import { formatMoment } from '../shared/moment.ts'
import { navigate } from '../shared/navigation.ts'
import { onThemeChange } from '../shared/theme.ts'
import { traceRoute } from '../trace/trace-url.ts'
import { paintScatter, readScatterPalette, SCATTER_MARGIN } from './paint-scatter.ts'
import type { Brush } from './pick-items.ts'
import { durationBounds, nearestItem, type ScatterScale, toDuration, toTime, toX, toY } from './scatter-scale.ts'

/** How near the pointer must be to a point, in pixels. */
const REACH = 10
/** A shorter drag is a click. */
const MIN_DRAG = 4

/** Traces by start and duration. A drag picks a part; a click opens a trace. The list below says the same in words. */
export function Scatter(props: {
  items: readonly TraceItem[]
  picked: ReadonlySet<string> | undefined
  window: Milliseconds
  /** Right edge; absent: now, and it moves. */
  until: Milliseconds | undefined
  brush: Brush | undefined
  onBrush: (brush: Brush | undefined) => void
}) {
  const { items, picked, brush, until } = props
  const canvas = useRef<HTMLCanvasElement>(null)
  const scale = useRef<ScatterScale>({ from: 0, to: 1, shortest: 1, longest: 10, width: 1, height: 1 })
  const [hovered, setHovered] = useState<{ item: TraceItem; x: number; y: number }>()
  const drag = useRef<{ x: number; y: number } | undefined>(undefined)
  const [marquee, setMarquee] = useState<{ x: number; y: number; width: number; height: number }>()

  useEffect(() => {
    const element = canvas.current!
    let palette = readScatterPalette(element)
    let frame = 0
    const [shortest, longest] = durationBounds(items)
    const draw = () => {
      frame = 0
      const { clientWidth, clientHeight } = element
      const ratio = devicePixelRatio || 1
      if (element.width !== Math.round(clientWidth * ratio) || element.height !== Math.round(clientHeight * ratio)) {
        element.width = Math.round(clientWidth * ratio)
        element.height = Math.round(clientHeight * ratio)
      }
      const context = element.getContext('2d')!
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      const to = until ?? Date.now()
      scale.current = {
        from: to - props.window,
        to,
        shortest: shortest as Microseconds,
        longest,
        width: Math.max(1, clientWidth - SCATTER_MARGIN.left - SCATTER_MARGIN.right),
        height: Math.max(1, clientHeight - SCATTER_MARGIN.top - SCATTER_MARGIN.bottom),
      }
      paintScatter(context, items, picked, brush, scale.current, palette)
    }
    const schedule = () => {
      frame ||= requestAnimationFrame(draw)
    }
    draw()
    const resize = new ResizeObserver(schedule)
    resize.observe(element)
    // Time goes on also when nothing arrives.
    const tick = until === undefined ? setInterval(schedule, 250) : undefined
    const stop = onThemeChange(() => {
      palette = readScatterPalette(element)
      schedule()
    })
    return () => {
      cancelAnimationFrame(frame)
      clearInterval(tick)
      resize.disconnect()
      stop()
    }
  }, [items, picked, brush, until, props.window])

  const at = (event: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    return {
      x: event.clientX - box.left - SCATTER_MARGIN.left,
      y: event.clientY - box.top - SCATTER_MARGIN.top,
    }
  }
  const onPointerMove = (event: PointerEvent) => {
    const { x, y } = at(event)
    const start = drag.current
    if (start && (marquee || Math.hypot(x - start.x, y - start.y) >= MIN_DRAG)) {
      canvas.current!.setPointerCapture(event.pointerId)
      setHovered(undefined)
      setMarquee({
        x: Math.min(x, start.x),
        y: Math.min(y, start.y),
        width: Math.abs(x - start.x),
        height: Math.abs(y - start.y),
      })
      return
    }
    const item = nearestItem(items, x, y, scale.current, REACH)
    setHovered(
      item && { item, x: toX((item.timestamp ?? 0) / 1_000, scale.current), y: toY(item.duration ?? 0, scale.current) },
    )
  }
  const onPointerUp = (event: PointerEvent) => {
    if (marquee) {
      const { x, y, width, height } = marquee
      props.onBrush({
        from: toTime(x, scale.current),
        to: toTime(x + width, scale.current),
        shortest: toDuration(y + height, scale.current),
        longest: toDuration(y, scale.current),
      })
    } else if (drag.current) {
      const { x, y } = at(event)
      const item = nearestItem(items, x, y, scale.current, REACH)
      if (item) navigate(traceRoute(item.traceId))
      else props.onBrush(undefined)
    }
    drag.current = undefined
    setMarquee(undefined)
  }
  return (
    <div className="scatter">
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus */}
      <canvas
        ref={canvas}
        aria-hidden="true"
        className={hovered ? 'on-point' : undefined}
        onPointerDown={event => {
          if (event.button === 0) drag.current = at(event)
        }}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerLeave={() => setHovered(undefined)}
        onPointerCancel={() => {
          drag.current = undefined
          setMarquee(undefined)
        }}
      />
      {marquee && (
        <div
          className="marquee"
          style={{
            left: marquee.x + SCATTER_MARGIN.left,
            top: marquee.y + SCATTER_MARGIN.top,
            width: marquee.width,
            height: marquee.height,
          }}
        />
      )}
      {hovered && (
        <div
          className="scatter-tip"
          aria-hidden="true"
          style={{
            left: Math.min(hovered.x, scale.current.width - 150) + SCATTER_MARGIN.left,
            top: hovered.y + SCATTER_MARGIN.top,
          }}
        >
          <strong>{hovered.item.rootService}</strong> {formatDuration(hovered.item.duration ?? 0)}
          <br />
          {formatMoment((hovered.item.timestamp ?? 0) / 1_000)}
        </div>
      )}
    </div>
  )
}
