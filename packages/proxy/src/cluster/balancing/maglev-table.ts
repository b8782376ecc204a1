import type { Gauge } from '../../stats/stats.ts'
import type { Host } from '../host.ts'
import { type HashTable, hashKey, type Share } from './hash-table.ts'
import { xxHash64 } from './xx-hash.ts'

export interface MaglevOptions {
  /** A prime. */
  tableSize: number
  useHostname: boolean
}

export interface MaglevStats {
  min_entries_per_host: Gauge
  max_entries_per_host: Gauge
}

/**
 * Google's Maglev: the hosts take turns, as often as their shares say, in choosing a free place of the table, each in its own order of
 * all places. (Maglev, Eisenbud et al. 2016, §3.4; Envoy: MaglevTable)
 */
export function createMaglevTable(
  shares: readonly Share[],
  { tableSize, useHostname }: MaglevOptions,
  stats: MaglevStats,
): HashTable {
  if (shares.length === 0) return { pick: () => undefined }
  const size = BigInt(tableSize)
  const most = Math.max(...shares.map(({ share }) => share))
  const entries = shares
    .map(({ host, share }) => ({ host, share, key: hashKey(host, useHostname) }))
    // The table must not depend on the order in which the hosts are known.
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ host, share, key }) => ({
      host,
      share,
      place: Number(xxHash64(key) % size),
      skip: Number(xxHash64(key, 1n) % (size - 1n)) + 1,
      due: 0,
      count: 0,
    }))
  const table = new Array<Host | undefined>(tableSize).fill(undefined)
  let taken = 0
  for (let round = 1; taken < tableSize; round++) {
    for (const entry of entries) {
      if (taken === tableSize) break
      if (round * entry.share < entry.due) continue
      entry.due += most
      while (table[entry.place] !== undefined) entry.place = (entry.place + entry.skip) % tableSize
      table[entry.place] = entry.host
      entry.place = (entry.place + entry.skip) % tableSize
      entry.count++
      taken++
    }
  }
  // One host alone has no table in Envoy, and one entry.
  const counts = entries.length === 1 ? [1] : entries.map(({ count }) => count)
  stats.min_entries_per_host.set(Math.min(...counts))
  stats.max_entries_per_host.set(Math.max(...counts))
  return {
    pick(hash, attempt) {
      const wanted = attempt === 0 ? hash : hash ^ BigInt.asUintN(64, -BigInt(attempt))
      return table[Number(wanted % size)]
    },
  }
}
