import type { PickHost } from './round-robin.ts'

/**
 * By weights that change with every request: a host is due a turn 1/weight after its last, by what it weighs when it is put back.
 * (Envoy's EDF scheduler)
 */
export function createChangingEdf<H>(
  hosts: readonly H[],
  weightOf: (host: H) => number,
  random: () => number,
): PickHost<H> {
  if (hosts.length === 0) return () => undefined
  let now = 0
  let queue = hosts.map(host => ({ host, due: 1 / weightOf(host) }))
  const pick = (): H => {
    let best = 0
    for (let i = 1; i < queue.length; i++) if (queue[i]!.due < queue[best]!.due) best = i
    const { host, due } = queue[best]!
    now = due
    // Among equals the one that waited longest is next.
    queue = [...queue.slice(0, best), ...queue.slice(best + 1), { host, due: now + 1 / weightOf(host) }]
    return host
  }
  const skip = Math.floor(random() * hosts.length)
  for (let i = 0; i < skip; i++) pick()
  return pick
}
