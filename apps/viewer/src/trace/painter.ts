import { formatDuration } from '../shared/duration.ts'
import { serviceHue } from '../shared/service-colour.ts'
import { FLAG, type RowColumns, SEGMENT, type SegmentKind } from './columns.ts'
import { type Range, toPixels } from './time-axis.ts'

export const ROW_HEIGHT = 24

/** What a phantom's lane says of itself, where it is wide enough. */
const UNKNOWN = 'untraced: inside unknown'

/** The theme's tokens as the canvas needs them. */
export interface Palette {
  text: string
  muted: string
  line: string
  error: string
  surface: string
  critical: string
  warn: string
  ground: string
  /** Text on a service's colour. */
  onSpan: string
  lightness: string
  chroma: string
  segments: Record<SegmentKind, string>
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: token('text'),
    muted: token('muted'),
    line: token('line'),
    error: token('error'),
    surface: token('surface'),
    critical: token('critical'),
    warn: token('warn'),
    ground: token('ground'),
    onSpan: token('on-span'),
    lightness: token('service-lightness'),
    chroma: token('service-chroma'),
    segments: {
      [SEGMENT.span]: token('muted'),
      [SEGMENT.app]: token('segment-app'),
      [SEGMENT.egressProxy]: token('segment-egress'),
      [SEGMENT.wire]: token('segment-wire'),
      [SEGMENT.ingressProxy]: token('segment-ingress'),
      [SEGMENT.unknown]: token('muted'),
      [SEGMENT.failedAttempt]: token('error'),
      [SEGMENT.backOff]: token('muted'),
      [SEGMENT.below]: token('segment-app'),
      [SEGMENT.late]: token('warn'),
    },
  }
}

export interface Frame {
  context: CanvasRenderingContext2D
  width: number
  height: number
  columns: RowColumns
  strings: readonly string[]
  palette: Palette
  range: Range
  ticks: readonly number[]
  /** Rows on the critical path are underlined. */
  isCriticalShown: boolean
}

/** Grid lines behind all rows. */
export function paintBackground({ context, width, height, range, ticks, palette }: Frame): void {
  context.clearRect(0, 0, width, height)
  context.fillStyle = palette.line
  for (const tick of ticks) context.fillRect(Math.round(toPixels(tick, range, width)), 0, 1, height)
}

/** One row's bar, its duration beside it. `y` is the row's upper edge. */
export function paintRow(frame: Frame, row: number, y: number): void {
  const { context, width, columns, palette, range } = frame
  const flags = columns.flags[row]!
  const from = toPixels(columns.start[row]!, range, width)
  const to = toPixels(columns.start[row]! + columns.duration[row]!, range, width)
  if (to < 0 || from > width) {
    context.fillStyle = palette.muted
    context.fillText(to < 0 ? '‹' : '›', to < 0 ? 2 : width - 8, y + ROW_HEIGHT / 2 + 1)
    return
  }
  const colour = `oklch(${palette.lightness} ${palette.chroma} ${serviceHue(frame.strings[columns.service[row]!]!)})`
  /** Work that goes on behind the bar moves its label on. */
  let last = to
  for (let i = columns.segmentAt[row]!; i < columns.segmentAt[row + 1]!; i++) {
    const left = Math.max(-4, toPixels(columns.segmentFrom[i]!, range, width))
    const right = Math.min(width + 4, toPixels(columns.segmentTo[i]!, range, width))
    last = Math.max(last, right)
    if (right >= -1 && left <= width) {
      paintSegment(frame, columns.segmentKind[i] as SegmentKind, left, Math.max(right, left + 1.5), y, colour, flags)
    }
  }
  if (flags & FLAG.noDuration) {
    // Nobody said when it ends: open to the right.
    context.fillStyle = palette.muted
    for (let x = Math.max(0, from) + 84; x < width; x += 9) context.fillRect(x, y + ROW_HEIGHT / 2 - 0.5, 5, 1.5)
  }
  if (flags & FLAG.error) {
    context.strokeStyle = palette.error
    context.lineWidth = 1.5
    const left = Math.max(from, -4)
    roundedPath(context, left - 1.5, y + 3.5, Math.max(Math.min(to, width + 4) - left, 1.5) + 3, 17, 4)
    context.stroke()
  }
  if (flags & FLAG.inferred) {
    context.strokeStyle = palette.text
    context.lineWidth = 1.5
    context.setLineDash([5, 4])
    context.strokeRect(Math.max(from, -4) - 1.5, y + 3.5, Math.max(Math.min(to, width + 4) - from, 1.5) + 3, 17)
    context.setLineDash([])
  }
  if (flags & FLAG.late) paintLateness(frame, row, from, to, y)
  if (Number.isFinite(columns.deadline[row]!)) paintDeadline(frame, columns.deadline[row]!, y)
  if (frame.isCriticalShown) paintCritical(frame, row, y)
  paintLabel(frame, row, Math.max(0, from), Math.min(width, Math.max(last, from + 1.5)), y)
}

function paintSegment(
  { context, palette }: Frame,
  kind: SegmentKind,
  left: number,
  right: number,
  y: number,
  colour: string,
  flags: number,
): void {
  const width = right - left
  context.fillStyle = kind === SEGMENT.span ? colour : palette.segments[kind]
  switch (kind) {
    case SEGMENT.span:
      // The side that waits is drawn thinner than the side that works.
      if (flags & (FLAG.client | FLAG.producer)) fillRounded(context, left, y + 8, width, 8, 2)
      else fillRounded(context, left, y + 5, width, 14, 3)
      break
    case SEGMENT.wire:
      context.fillRect(left, y + 10, width, 4)
      break
    case SEGMENT.below:
      context.globalAlpha = 0.3
      context.fillRect(left, y + 5, width, 14)
      context.globalAlpha = 1
      break
    case SEGMENT.unknown:
      hatch(context, left, y + 5, width, 14, palette.muted)
      paintUnknown(context, left, width, y, palette)
      break
    case SEGMENT.failedAttempt:
      hatch(context, left, y + 6, width, 12, palette.error)
      break
    case SEGMENT.late:
      hatch(context, left, y + 5, width, 14, palette.warn)
      break
    case SEGMENT.backOff:
      for (let x = left; x < right - 1; x += 5) context.fillRect(x, y + 11, 2, 2)
      break
    default:
      context.fillRect(left, y + 5, width, 14)
  }
}

function paintUnknown(
  context: CanvasRenderingContext2D,
  left: number,
  width: number,
  y: number,
  { surface, muted }: Palette,
): void {
  const size = context.measureText(UNKNOWN).width
  if (width < size + 20) return
  const x = left + (width - size) / 2
  context.fillStyle = surface
  fillRounded(context, x - 5, y + 5.5, size + 10, 13, 3)
  context.fillStyle = muted
  context.fillText(UNKNOWN, x, y + ROW_HEIGHT / 2 + 1)
}

/** The part of the bar after which nobody waits any more. */
function paintLateness(
  { context, width, columns, palette, range }: Frame,
  row: number,
  from: number,
  to: number,
  y: number,
) {
  const left = Math.max(-4, from, toPixels(columns.deadline[row]!, range, width))
  const right = Math.min(width + 4, to)
  if (right > left) hatch(context, left, y + 3, right - left, 18, palette.warn)
}

/** A line where the time ends that somebody gave; rows below one another make one line of it. */
function paintDeadline({ context, width, palette, range }: Frame, deadline: number, y: number): void {
  const x = Math.round(toPixels(deadline, range, width))
  if (x < 0 || x > width) return
  context.fillStyle = palette.warn
  context.fillRect(x - 0.5, y, 1.5, ROW_HEIGHT)
}

function paintCritical({ context, width, columns, palette, range }: Frame, row: number, y: number): void {
  context.fillStyle = palette.critical
  for (let i = columns.criticalAt[row]!; i < columns.criticalAt[row + 1]!; i++) {
    const left = Math.max(0, toPixels(columns.criticalFrom[i]!, range, width))
    const right = Math.min(width, toPixels(columns.criticalTo[i]!, range, width))
    if (right >= left) context.fillRect(left, y + ROW_HEIGHT - 4, Math.max(right - left, 1), 2.5)
  }
}

function paintLabel(frame: Frame, row: number, left: number, right: number, y: number): void {
  const { context, width, columns, palette } = frame
  const flags = columns.flags[row]!
  const text = flags & FLAG.noDuration ? 'unfinished' : formatDuration(columns.duration[row]!)
  const mark = flags & FLAG.error ? '✕ ' : ''
  const size = context.measureText(mark + text).width
  const middle = y + ROW_HEIGHT / 2 + 1
  let x = right + 7
  if (x + size > width - 4) x = left - size - 7
  if (x < 2) {
    // No room on either side: on the bar, on a plate of its own.
    x = Math.max(left + 6, Math.min(width - size - 8, right - size - 8))
    context.fillStyle = palette.surface
    fillRounded(context, x - 4, y + 5, size + 8, 14, 3)
  }
  context.fillStyle = flags & FLAG.error ? palette.error : palette.text
  context.fillText(mark + text, x, middle)
}

function hatch(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, colour: string) {
  context.save()
  context.beginPath()
  context.rect(x, y, width, height)
  context.clip()
  context.strokeStyle = colour
  context.lineWidth = 1.5
  context.beginPath()
  for (let at = x - height; at < x + width; at += 6) {
    context.moveTo(at, y + height)
    context.lineTo(at + height, y)
  }
  context.stroke()
  context.setLineDash([3, 2])
  context.strokeRect(x + 0.75, y + 0.75, Math.max(0, width - 1.5), height - 1.5)
  context.restore()
}

function fillRounded(c: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number) {
  roundedPath(c, x, y, width, height, radius)
  c.fill()
}

function roundedPath(c: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number) {
  c.beginPath()
  c.roundRect(x, y, width, height, Math.min(radius, width / 2))
}
