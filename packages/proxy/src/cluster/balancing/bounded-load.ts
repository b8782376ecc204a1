import type { Gauge } from '../../stats/stats.ts'
import type { Host } from '../host.ts'
import type { HashTable, Share } from './hash-table.ts'
import { MersenneTwister } from './mersenne-twister.ts'

/**
 * No host has more than `factor` per cent of its share of the requests under way: who would get more leaves it to another, in an order
 * that is the same for the same hash. (Mirrokni et al. 2018, arXiv 1608.01350; Chen et al. 2019, arXiv 1908.08762; Envoy:
 * BoundedLoadHashingLoadBalancer)
 */
export function boundLoad(table: HashTable, shares: readonly Share[], factor: number, active: Gauge): HashTable {
  const shareOf = new Map(shares.map(({ host, share }) => [host, share]))
  /** Above 1: it has too many. */
  const load = (host: Host): number => {
    const slots = Math.floor(((active.value + 1) * factor + 99) / 100)
    return host.stats.rq_active.value / Math.max(1, Math.ceil(slots * shareOf.get(host)!))
  }
  return {
    pick(hash, attempt) {
      const host = table.pick(hash, attempt)
      if (host === undefined) return undefined
      let leastLoad = load(host)
      if (leastLoad <= 1) return host
      let least = host
      const random = new MersenneTwister(Number(BigInt.asUintN(32, hash)))
      const order = shares.map(share => share.host)
      for (let i = 0; i < order.length; i++) {
        const at = i + below(order.length - i, random)
        const other = order[at]!
        order[at] = order[i]!
        order[i] = other
        if (other === host) continue
        const otherLoad = load(other)
        if (otherLoad <= 1) return other
        if (otherLoad < leastLoad) {
          least = other
          leastLoad = otherLoad
        }
      }
      return least
    },
  }
}

/** 0 to `limit` - 1, each as often. */
function below(limit: number, random: MersenneTwister): number {
  const part = Math.floor(2 ** 32 / limit)
  for (;;) {
    const drawn = Math.floor(random.next() / part)
    if (drawn < limit) return drawn
  }
}
