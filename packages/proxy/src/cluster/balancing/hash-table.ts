import type { Host } from '../host.ts'

/** Hosts by hashes: the same hash is the same host, as long as there are the same hosts. */
export interface HashTable {
  /** `attempt` 0 first; more: another host, if one can be had. */
  pick(hash: bigint, attempt: number): Host | undefined
}

/** A host and its share of the whole; all shares together are 1. */
export interface Share {
  host: Host
  share: number
}

export function hashKey(host: Host, useHostname: boolean): string {
  return useHostname ? host.hostname : host.address
}
