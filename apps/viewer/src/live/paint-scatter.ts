import { hasTrouble, type TraceItem } from '../api/trace-item.ts'
import { formatDuration } from '../shared/duration.ts'
import { TROUBLES } from './live-url.ts'
import type { Brush } from './pick-items.ts'
import { durationTicks, type ScatterScale, toX, toY } from './scatter-scale.ts'

export const SCATTER_MARGIN = { left: 52, right: 12, top: 10, bottom: 20 }

export interface ScatterPalette {
  text: string
  line: string
  fine: string
  error: string
  retry: string
  brush: string
}

export function readScatterPalette(element: Element): ScatterPalette {
  const style = getComputedStyle(element)
  const colour = (name: string) => style.getPropertyValue(name).trim()
  return {
    text: colour('--muted'),
    line: colour('--line'),
    fine: colour('--segment-app'),
    error: colour('--error'),
    retry: colour('--segment-egress'),
    brush: colour('--accent-soft'),
  }
}

/** A stone for a trace that went well, a cross where its root failed, a triangle where a trouble was made up for. */
export function paintScatter(
  context: CanvasRenderingContext2D,
  items: readonly TraceItem[],
  picked: ReadonlySet<string> | undefined,
  brush: Brush | undefined,
  scale: ScatterScale,
  palette: ScatterPalette,
): void {
  const { width, height } = scale
  context.clearRect(0, 0, width + SCATTER_MARGIN.left + SCATTER_MARGIN.right, height + 100)
  context.save()
  context.translate(SCATTER_MARGIN.left, SCATTER_MARGIN.top)
  paintAxes(context, scale, palette)
  context.beginPath()
  context.rect(-5, -6, width + 10, height + 12)
  context.clip()
  if (brush) {
    context.fillStyle = palette.brush
    const x = toX(brush.from, scale)
    const y = toY(brush.longest, scale)
    context.fillRect(x, y, toX(brush.to, scale) - x, toY(brush.shortest, scale) - y)
  }
  for (const item of items) {
    const x = toX((item.timestamp ?? 0) / 1_000, scale)
    if (x < -6 || x > width + 6) continue
    const y = toY(item.duration ?? 0, scale)
    context.globalAlpha = picked && !picked.has(item.traceId) ? 0.15 : 0.85
    paintPoint(context, item, x, y, palette)
  }
  context.restore()
}

function paintPoint(
  context: CanvasRenderingContext2D,
  item: TraceItem,
  x: number,
  y: number,
  palette: ScatterPalette,
): void {
  context.beginPath()
  if (item.rootFailed) {
    context.strokeStyle = palette.error
    context.lineWidth = 2
    context.moveTo(x - 3.5, y - 3.5)
    context.lineTo(x + 3.5, y + 3.5)
    context.moveTo(x + 3.5, y - 3.5)
    context.lineTo(x - 3.5, y + 3.5)
    context.stroke()
  } else if (TROUBLES.some(trouble => trouble !== 'untraced' && hasTrouble(item, trouble))) {
    context.fillStyle = palette.retry
    context.moveTo(x, y - 4.5)
    context.lineTo(x + 4.5, y + 3.5)
    context.lineTo(x - 4.5, y + 3.5)
    context.fill()
  } else {
    context.fillStyle = palette.fine
    context.arc(x, y, 3.2, 0, 2 * Math.PI)
    context.fill()
  }
}

function paintAxes(context: CanvasRenderingContext2D, scale: ScatterScale, palette: ScatterPalette): void {
  const { width, height, shortest, longest, from, to } = scale
  context.font = '11px ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace'
  context.strokeStyle = palette.line
  context.fillStyle = palette.text
  context.lineWidth = 1
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  for (const us of durationTicks([shortest, longest])) {
    const y = Math.round(toY(us, scale)) + 0.5
    context.beginPath()
    context.moveTo(0, y)
    context.lineTo(width, y)
    context.stroke()
    context.fillText(formatDuration(us), -8, y)
  }
  context.textBaseline = 'top'
  const seconds = (to - from) / 1_000
  const steps = width < 500 ? 3 : 6
  for (let i = 0; i <= steps; i++) {
    const ago = Math.round((seconds * (steps - i)) / steps)
    context.textAlign = i === 0 ? 'left' : i === steps ? 'right' : 'center'
    context.fillText(ago === 0 ? 'now' : `−${formatDuration(ago * 1_000_000)}`, (width * i) / steps, height + 6)
  }
}
