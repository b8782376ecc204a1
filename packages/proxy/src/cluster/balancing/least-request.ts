import type { PickHost } from './round-robin.ts'

/** The least busy of `choices` hosts that are drawn; the first drawn among equals. */
export function createLeastOfSome<H>(
  hosts: readonly H[],
  choices: number,
  activeOf: (host: H) => number,
  random: () => number,
): PickHost<H> {
  if (hosts.length === 0) return () => undefined
  return () => {
    let best: H | undefined
    for (let i = 0; i < choices; i++) {
      const drawn = hosts[Math.floor(random() * hosts.length)]!
      if (best === undefined || activeOf(drawn) < activeOf(best)) best = drawn
    }
    return best
  }
}

/** The least busy of all; any of those that are equally so. */
export function createLeastOfAll<H>(
  hosts: readonly H[],
  activeOf: (host: H) => number,
  random: () => number,
): PickHost<H> {
  return () => {
    let best: H | undefined
    let equals = 0
    for (const host of hosts) {
      const difference = best === undefined ? -1 : activeOf(host) - activeOf(best)
      if (difference > 0) continue
      equals = difference === 0 ? equals + 1 : 1
      if (equals === 1 || random() * equals < 1) best = host
    }
    return best
  }
}
