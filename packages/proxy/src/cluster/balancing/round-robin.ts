/** What load balancing needs to know of a host. */
export interface Weighted {
  readonly weight: number
}

/** How many turns there were, from a random start; kept when the hosts change. */
export interface Turn {
  count: number
}

export type PickHost<H> = () => H | undefined

/**
 * ROUND_ROBIN: strict order from a random start; with different weights, the host whose next turn is due first, where a host of
 * weight w has a turn every 1/w (Envoy's EDF scheduler, deterministic but for the start).
 *
 *     weights a 2, b 1:   a b a  a b a …
 */
export function createRoundRobin<H extends Weighted>(
  hosts: readonly H[],
  random: () => number,
  turn: Turn = { count: Math.floor(random() * hosts.length) },
): PickHost<H> {
  if (hosts.length === 0) return () => undefined
  if (weighEqually(hosts)) return () => hosts[turn.count++ % hosts.length]
  return createEdf(hosts, random)
}

export function weighEqually(hosts: readonly Weighted[]): boolean {
  return hosts.every(host => host.weight === hosts[0]!.weight)
}

/** By weights that do not change. */
export function createEdf<H extends Weighted>(hosts: readonly H[], random: () => number): PickHost<H> {
  // Turns are counted and divided, not added up: hosts that are due at once must not part by rounding.
  const turns = hosts.map(() => 1)
  let order = hosts.map((_, i) => i)
  const due = (host: number): number => turns[host]! / hosts[host]!.weight
  const pick = (): H => {
    let best = 0
    for (let i = 1; i < order.length; i++) if (due(order[i]!) < due(order[best]!)) best = i
    const chosen = order[best]!
    turns[chosen]!++
    // Among equals the one that waited longest is next.
    order = [...order.slice(0, best), ...order.slice(best + 1), chosen]
    return hosts[chosen]!
  }
  const skip = Math.floor(random() * hosts.length)
  for (let i = 0; i < skip; i++) pick()
  return pick
}
