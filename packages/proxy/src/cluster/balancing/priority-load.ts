import type { HostSet } from './host-set.ts'

/** Requests in per cent, by priority: to its healthy hosts, to its degraded ones. */
export interface PriorityLoad {
  healthy: number[]
  degraded: number[]
}

export interface Spread {
  load: PriorityLoad
  /** By priority: so few of its hosts can be used that all are. */
  panic: boolean[]
}

/**
 * How requests are spread over priorities. A priority is as available as its share of healthy hosts times the overprovisioning
 * factor; what it cannot take goes to the next one.
 *
 *     P0 1 of 2 healthy, P1 all:  140·1/2 = 70  →  70, 30
 *     P0 none, P1 all:                          →   0, 100
 *
 * Below `threshold` per cent of usable hosts, and when all priorities together cannot take everything, a priority panics: its hosts
 * are used whatever their health. (Envoy: LoadBalancerBase::recalculatePerPriorityState, …Panic)
 */
export function spreadOverPriorities(sets: readonly HostSet[], threshold: number): Spread {
  const health = sets.map(set => availability(set, set.healthy))
  const degradation = sets.map(set => availability(set, set.degraded))
  const available = Math.min(100, sum(health) + sum(degradation))
  const load: PriorityLoad = { healthy: sets.map(() => 0), degraded: sets.map(() => 0) }
  const panic = sets.map(() => false)
  if (available === 0 && threshold === 0) {
    // No host is well, and a threshold of 0 means that nobody panics.
    load.healthy[0] = 100
    return { load, panic }
  }
  if (available > 0) distribute(load, health, degradation, available)
  if (available < 100) for (const [i, set] of sets.entries()) panic[i] = isInPanic(set, threshold)
  return panic.every(Boolean) ? { load: loadByNumber(sets), panic } : { load, panic }
}

/** Too few of its hosts can be used. */
export function isInPanic(set: HostSet, threshold: number): boolean {
  const count = set.hosts.length - set.excluded.length
  const usable = count === 0 ? 0 : (100 * set.healthy.length) / count + (100 * set.degraded.length) / count
  return usable < threshold
}

/** How much of all requests a priority can take, in per cent. */
export function availability(set: HostSet, able: HostSet['hosts']): number {
  const measure = (hosts: HostSet['hosts']): number =>
    set.weightedHealth ? hosts.reduce((all, host) => all + host.weight, 0) : hosts.length
  const total = measure(set.hosts) - measure(set.excluded)
  if (set.hosts.length === set.excluded.length) return 0
  return Math.min(100, Math.floor((set.overprovisioningFactor * measure(able)) / total))
}

/** What priorities can take, as they can take it, of all requests; `available`: all that they can, 100 at most. */
export function distribute(load: PriorityLoad, health: number[], degradation: number[], available: number): void {
  let left = 100
  const give = (to: number[], by: number[]): void => {
    for (const [i, share] of by.entries()) {
      to[i] = Math.min(left, Math.floor((share * 100) / available))
      left -= to[i]!
    }
  }
  give(load.healthy, health)
  give(load.degraded, degradation)
  // What rounding has left over.
  const first = health.findIndex(share => share > 0)
  if (first === -1) load.degraded[degradation.findIndex(share => share > 0)]! += left
  else load.healthy[first]! += left
}

/** All priorities panic: each gets by the number of its hosts. */
function loadByNumber(sets: readonly HostSet[]): PriorityLoad {
  const healthy = sets.map(() => 0)
  const total = sets.reduce((all, set) => all + set.hosts.length, 0)
  if (total === 0) healthy[0] = 100
  else {
    for (const [i, set] of sets.entries()) healthy[i] = Math.floor((100 * set.hosts.length) / total)
    healthy[sets.findIndex(set => set.hosts.length > 0)]! += 100 - sum(healthy)
  }
  return { healthy, degraded: sets.map(() => 0) }
}

/** `draw` in 0…99. */
export function choosePriority(load: PriorityLoad, draw: number): { priority: number; degraded: boolean } {
  let upTo = 0
  for (const [priority, share] of load.healthy.entries()) {
    upTo += share
    if (draw < upTo) return { priority, degraded: false }
  }
  for (const [priority, share] of load.degraded.entries()) {
    upTo += share
    if (draw < upTo) return { priority, degraded: true }
  }
  return { priority: 0, degraded: false }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0)
}
