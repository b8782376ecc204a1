import type { Host } from '../host.ts'

export interface LocalityName {
  region: string
  zone: string
  subZone: string
}

/** The hosts of one priority, by health and by locality: what a load balancer chooses from. (Envoy's HostSet) */
export interface HostSet {
  hosts: readonly Host[]
  healthy: readonly Host[]
  degraded: readonly Host[]
  /** Not counted, healthy or not: nothing is known of them yet. */
  excluded: readonly Host[]
  /** The proxy's own first, if `hasLocal`. */
  localities: readonly Locality[]
  /** It has hosts in the proxy's own locality. */
  hasLocal: boolean
  /** In hundredths. */
  overprovisioningFactor: number
  weightedHealth: boolean
}

export interface Locality {
  name: LocalityName
  /** 0: no requests, when localities are weighed. */
  weight: number
  hosts: readonly Host[]
  healthy: readonly Host[]
  degraded: readonly Host[]
  excluded: readonly Host[]
}

export interface HostSetOptions {
  /** Where the proxy is. */
  own: LocalityName
  overprovisioningFactor: number
  weightedHealth: boolean
  localityWeight(priority: number, locality: LocalityName): number
}

/** One set a priority, from 0 to the highest there is; at least one. A priority without hosts is an empty set. */
export function createHostSets(hosts: readonly Host[], options: HostSetOptions): HostSet[] {
  const highest = hosts.reduce((most, { priority }) => Math.max(most, priority), 0)
  return Array.from({ length: highest + 1 }, (_, priority) =>
    createHostSet(
      hosts.filter(host => host.priority === priority),
      priority,
      options,
    ),
  )
}

function createHostSet(hosts: readonly Host[], priority: number, options: HostSetOptions): HostSet {
  const own = localityKey(options.own)
  const hasOwn = own !== NOWHERE
  const byLocality = new Map<string, Host[]>()
  for (const host of hosts) {
    const key = localityKey(host.locality)
    const members = byLocality.get(key)
    if (members === undefined) byLocality.set(key, [host])
    else members.push(host)
  }
  const keys = [...byLocality.keys()].sort()
  const hasLocal = hasOwn && byLocality.has(own)
  if (hasLocal) keys.unshift(...keys.splice(keys.indexOf(own), 1))
  return {
    hosts,
    ...byHealth(hosts),
    localities: keys.map(key => {
      const members = byLocality.get(key)!
      const name = members[0]!.locality
      return { name, weight: options.localityWeight(priority, name), hosts: members, ...byHealth(members) }
    }),
    hasLocal,
    overprovisioningFactor: options.overprovisioningFactor,
    weightedHealth: options.weightedHealth,
  }
}

/** The same priority with some of its hosts: its localities stay, though they may be empty. */
export function filterHostSet(
  set: HostSet,
  keep: (host: Host) => boolean,
  weightOf: (locality: Locality, kept: number) => number,
): HostSet {
  const some = (of: HostSet | Locality) => ({
    hosts: of.hosts.filter(keep),
    healthy: of.healthy.filter(keep),
    degraded: of.degraded.filter(keep),
    excluded: of.excluded.filter(keep),
  })
  return {
    ...set,
    ...some(set),
    localities: set.localities.map(locality => {
      const kept = some(locality)
      return { ...locality, ...kept, weight: weightOf(locality, kept.hosts.length) }
    }),
  }
}

const NOWHERE = localityKey({ region: '', zone: '', subZone: '' })

export function localityKey({ region, zone, subZone }: LocalityName): string {
  return `${region}\n${zone}\n${subZone}`
}

function byHealth(hosts: readonly Host[]): Pick<HostSet, 'healthy' | 'degraded' | 'excluded'> {
  return {
    healthy: hosts.filter(host => host.health === 'healthy'),
    degraded: hosts.filter(host => host.health === 'degraded'),
    excluded: hosts.filter(host => host.isExcluded),
  }
}
