import { type PointerEvent, useEffect, useRef } from 'react'
import { onThemeChange } from '../shared/theme.ts'
import type { RowColumns } from './columns.ts'
import { minimapRaster } from './minimap.ts'
import { between, pan, type Range, toPixels, toTime } from './time-axis.ts'

const HEIGHT = 44

/** The whole trace, small; the part on screen is framed. Drag inside the frame moves it, outside draws a new one. */
export function Minimap(props: { columns: RowColumns; total: number; range: Range; onRange: (range: Range) => void }) {
  const { columns, total, range } = props
  const box = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const drag = useRef<{ at: number; range: Range; isMove: boolean }>(undefined)

  useEffect(() => {
    const paint = () => {
      if (canvas.current && box.current) paintRaster(canvas.current, box.current.clientWidth, columns, total)
    }
    const resize = new ResizeObserver(paint)
    resize.observe(box.current!)
    const stop = onThemeChange(paint)
    return () => {
      resize.disconnect()
      stop()
    }
  }, [columns, total])

  const timeOf = (event: PointerEvent) => {
    const rect = box.current!.getBoundingClientRect()
    return toTime(event.clientX - rect.left, { from: 0, to: total }, rect.width)
  }
  const isWhole = range.from <= 0 && range.to >= total
  const left = toPixels(range.from, { from: 0, to: total }, 100)
  const right = toPixels(range.to, { from: 0, to: total }, 100)
  return (
    <div
      ref={box}
      className="minimap"
      aria-hidden="true"
      onPointerDown={event => {
        const at = timeOf(event)
        drag.current = { at, range, isMove: !isWhole && at >= range.from && at <= range.to }
        event.currentTarget.setPointerCapture(event.pointerId)
      }}
      onPointerMove={event => {
        const held = drag.current
        if (!held) return
        const at = timeOf(event)
        if (Math.abs(toPixels(at - held.at, { from: 0, to: total }, box.current!.clientWidth)) < 3) return
        props.onRange(held.isMove ? pan(held.range, at - held.at, total) : between(held.at, at, total))
      }}
      onPointerUp={() => {
        drag.current = undefined
      }}
      onDoubleClick={() => props.onRange({ from: 0, to: total })}
    >
      <canvas ref={canvas} />
      {!isWhole && (
        <>
          <div className="minimap-shade" style={{ left: 0, width: `${left}%` }} />
          <div className="minimap-shade" style={{ left: `${right}%`, right: 0 }} />
          <div className="minimap-frame" style={{ left: `${left}%`, width: `${Math.max(0.2, right - left)}%` }} />
        </>
      )}
    </div>
  )
}

function paintRaster(canvas: HTMLCanvasElement, width: number, columns: RowColumns, total: number): void {
  if (width === 0) return
  const scale = Math.min(2, devicePixelRatio || 1)
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(HEIGHT * scale)
  const context = canvas.getContext('2d')!
  const bands = Math.max(1, Math.min(columns.count, Math.floor(canvas.height / 2)))
  const raster = minimapRaster(columns, total, canvas.width, bands)
  const style = getComputedStyle(canvas)
  const bar = style.getPropertyValue('--minimap').trim()
  const error = style.getPropertyValue('--error').trim()
  // Few rows are drawn as lines apart, many as a filled picture.
  const step = Math.min(canvas.height / bands, 8 * scale)
  const thickness = Math.max(1, step * 0.62)
  for (let y = 0; y < bands; y++) {
    for (let x = 0; x < raster.width; ) {
      const i = y * raster.width + x
      const covered = raster.coverage[i]! > 0
      const failing = raster.errors[i] === 1
      let end = x + 1
      while (
        end < raster.width &&
        raster.coverage[y * raster.width + end]! > 0 === covered &&
        (raster.errors[y * raster.width + end] === 1) === failing
      ) {
        end++
      }
      if (covered) {
        context.fillStyle = failing ? error : bar
        context.fillRect(x, y * step, end - x, thickness)
      }
      x = end
    }
  }
}
