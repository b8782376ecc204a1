import type { Microseconds } from '@hopscope/model'

/** Part of the trace's time, µs from its start. */
export interface Range {
  from: Microseconds
  to: Microseconds
}

/** No narrower: below a tenth of a microsecond there is nothing to see. */
const MIN_SPAN: Microseconds = 0.1

/** Where a time falls in a strip of a given width. */
export function toPixels(time: Microseconds, range: Range, width: number): number {
  return ((time - range.from) / (range.to - range.from)) * width
}

export function toTime(x: number, range: Range, width: number): Microseconds {
  return range.from + (x / width) * (range.to - range.from)
}

/**
 * Round times, at least `minGap` pixels apart:
 *
 *     ticks({ from: 0, to: 100 }, 500, 80) // [0, 20, 40, 60, 80, 100]
 */
export function ticks(range: Range, width: number, minGap: number): Microseconds[] {
  const span = range.to - range.from
  if (!(span > 0) || width <= 0) return []
  const step = roundUp((span * minGap) / width)
  const first = Math.ceil(range.from / step)
  const last = Math.floor(range.to / step)
  const result: Microseconds[] = []
  for (let i = first; i <= last && result.length < 1_000; i++) result.push(i * step)
  return result
}

/** The next of 1, 2, 5 · 10ⁿ; above a second also 15, 30 s and whole minutes, as a clock reads. */
function roundUp(step: Microseconds): Microseconds {
  if (step > 10_000_000) {
    for (const seconds of [15, 30, 60, 120, 300, 600, 1_800, 3_600]) {
      if (step <= seconds * 1_000_000) return seconds * 1_000_000
    }
    return Math.ceil(step / 3_600_000_000) * 3_600_000_000
  }
  const magnitude = 10 ** Math.floor(Math.log10(step))
  for (const factor of [1, 2, 5]) if (step <= factor * magnitude) return factor * magnitude
  return 10 * magnitude
}

/** Zooms about a time, which keeps its place on screen. Never leaves `[0, total]`. */
export function zoomAt(range: Range, at: Microseconds, factor: number, total: Microseconds): Range {
  const span = Math.min(total, Math.max(MIN_SPAN, (range.to - range.from) * factor))
  const share = (at - range.from) / (range.to - range.from)
  return clampRange(at - share * span, span, total)
}

export function pan(range: Range, by: Microseconds, total: Microseconds): Range {
  return clampRange(range.from + by, range.to - range.from, total)
}

/** Two times in any order → a range inside the trace; all of it where nothing is left. */
export function between(a: Microseconds, b: Microseconds, total: Microseconds): Range {
  const from = Math.max(0, Math.min(a, b))
  const to = Math.min(total, Math.max(a, b))
  return to - from < MIN_SPAN ? { from: 0, to: total } : { from, to }
}

function clampRange(from: Microseconds, span: Microseconds, total: Microseconds): Range {
  const start = Math.max(0, Math.min(from, total - span))
  return { from: start, to: start + span }
}
