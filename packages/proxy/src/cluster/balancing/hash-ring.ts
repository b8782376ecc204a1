import type { Gauge } from '../../stats/stats.ts'
import { type HashTable, hashKey, type Share } from './hash-table.ts'
import { murmurHash64 } from './murmur-hash.ts'
import { xxHash64 } from './xx-hash.ts'

export interface RingOptions {
  minimumSize: number
  maximumSize: number
  hashFunction: 'XX_HASH' | 'MURMUR_HASH_2'
  useHostname: boolean
}

export interface RingStats {
  size: Gauge
  min_hashes_per_host: Gauge
  max_hashes_per_host: Gauge
}

/**
 * Ketama's ring. A host stands on it in as many places as its share asks for, at the hashes of `key_0`, `key_1`, …; a request goes to
 * the first place at or after its own hash. (Envoy: RingHashLoadBalancer::Ring)
 */
export function createHashRing(shares: readonly Share[], options: RingOptions, stats: RingStats): HashTable {
  if (shares.length === 0) return { pick: () => undefined }
  const least = Math.min(...shares.map(({ share }) => share))
  // The lightest host gets a whole number of places.
  const scale = Math.min(Math.ceil(least * options.minimumSize) / least, options.maximumSize)
  const hash = options.hashFunction === 'MURMUR_HASH_2' ? murmurHash64 : (text: string) => xxHash64(text)
  const places: { hash: bigint; host: Share['host'] }[] = []
  const counts: number[] = []
  let target = 0
  for (const { host, share } of shares) {
    target += scale * share
    const key = hashKey(host, options.useHostname)
    let count = 0
    for (; places.length < target; count++) places.push({ hash: hash(`${key}_${count}`), host })
    counts.push(count)
  }
  places.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
  stats.size.set(places.length)
  stats.min_hashes_per_host.set(Math.min(...counts))
  stats.max_hashes_per_host.set(Math.max(...counts))
  return {
    pick(wanted, attempt) {
      let low = 0
      let high = places.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (places[middle]!.hash < wanted) low = middle + 1
        else high = middle
      }
      return places[(low + attempt) % places.length]!.host
    },
  }
}
