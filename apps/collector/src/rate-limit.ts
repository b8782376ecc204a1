/** → whether one more is let through: so many in each second of `now` (ms), from its start on; 0: all. */
export function rateLimit(perSecond: number, now: () => number): () => boolean {
  if (perSecond === 0) return () => true
  let second = Number.NaN
  let count = 0
  return () => {
    const current = Math.floor(now() / 1000)
    // Also when the clock was set back.
    if (current !== second) {
      second = current
      count = 0
    }
    return ++count <= perSecond
  }
}
