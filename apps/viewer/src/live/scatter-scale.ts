import type { Microseconds, Milliseconds } from '@hopscope/model'
import type { TraceItem } from '../api/trace-item.ts'

/** From what is measured to pixels of the scatter: time to the right, duration upwards and logarithmic. */
export interface ScatterScale {
  from: Milliseconds
  to: Milliseconds
  shortest: Microseconds
  longest: Microseconds
  width: number
  height: number
}

/** Round numbers (1, 2 or 5 of a power of ten) around all durations, ten times apart at least; nothing below 100 µs. */
export function durationBounds(items: readonly TraceItem[]): [shortest: Microseconds, longest: Microseconds] {
  let low = Number.POSITIVE_INFINITY
  let high = 0
  for (const { duration = 0 } of items) {
    low = Math.min(low, duration)
    high = Math.max(high, duration)
  }
  if (high === 0) return [1_000, 1_000_000]
  let shortest = roundDown(Math.max(100, low))
  const longest = roundUp(Math.max(high, shortest))
  while (longest / shortest < 10) shortest = roundDown(shortest * 0.99)
  return [shortest, longest]
}

/** Where lines are drawn: all powers of ten inside the bounds, with their doubles and fives when there are few. */
export function durationTicks([shortest, longest]: readonly [Microseconds, Microseconds]): Microseconds[] {
  const steps = longest / shortest > 100 ? [1] : [1, 2, 5]
  const ticks: Microseconds[] = []
  for (let power = 10 ** Math.floor(Math.log10(shortest)); power <= longest; power *= 10) {
    for (const step of steps) {
      const tick = Math.round(power * step)
      if (tick >= shortest && tick <= longest) ticks.push(tick)
    }
  }
  return ticks
}

function roundDown(us: number): Microseconds {
  const power = 10 ** Math.floor(Math.log10(us) + 1e-9)
  return Math.round(power * ([5, 2].find(step => us >= step * power) ?? 1))
}

function roundUp(us: number): Microseconds {
  const power = 10 ** Math.floor(Math.log10(us) + 1e-9)
  return Math.round(power * ([1, 2, 5].find(step => us <= step * power) ?? 10))
}

export function toX(time: Milliseconds, { from, to, width }: ScatterScale): number {
  return ((time - from) / (to - from)) * width
}

export function toY(duration: Microseconds, { shortest, longest, height }: ScatterScale): number {
  const share = Math.log(Math.max(duration, shortest) / shortest) / Math.log(longest / shortest)
  return height - share * height
}

export function toTime(x: number, { from, to, width }: ScatterScale): Milliseconds {
  return from + (x / width) * (to - from)
}

export function toDuration(y: number, { shortest, longest, height }: ScatterScale): Microseconds {
  return shortest * (longest / shortest) ** ((height - y) / height)
}

/** The item whose point is nearest, within `reach` pixels. */
export function nearestItem(
  items: readonly TraceItem[],
  x: number,
  y: number,
  scale: ScatterScale,
  reach: number,
): TraceItem | undefined {
  let nearest: TraceItem | undefined
  let best = reach ** 2
  for (const item of items) {
    const dx = toX((item.timestamp ?? 0) / 1_000, scale) - x
    const dy = toY(item.duration ?? 0, scale) - y
    const distance = dx * dx + dy * dy
    if (distance > best) continue
    best = distance
    nearest = item
  }
  return nearest
}
