import type { Instant } from './stream-info.ts'

/** Both clocks of a process. */
export interface Clock {
  /** Monotonic, ms with fraction. */
  now(): Instant
  /** Wall clock at `now`, µs since the epoch. */
  epochMicros(now: Instant): number
}

/** How often the two clocks are compared: the wall clock may be set while we run. */
const COMPARE_EVERY = 1_000
/** `Date.now()` cuts off up to 1 ms: a smaller difference says nothing. */
const TOLERANCE = 2
/** A comparison that took longer than this was interrupted, and says nothing. */
const INTERRUPTED = 0.5

/** The system's clocks. The wall clock is derived from the monotonic one, so that it has its precision. */
export function createClock(): Clock {
  let offset = performance.timeOrigin
  let compared = Number.NEGATIVE_INFINITY
  return {
    now: () => performance.now(),
    epochMicros(now) {
      if (now - compared > COMPARE_EVERY) {
        const before = performance.now()
        const wall = Date.now()
        const after = performance.now()
        if (after - before < INTERRUPTED) {
          compared = now
          if (Math.abs(wall - after - offset) > TOLERANCE) offset = wall - after
        }
      }
      return Math.round((offset + now) * 1000)
    },
  }
}
