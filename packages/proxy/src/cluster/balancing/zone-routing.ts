import { type HostSet, localityKey } from './host-set.ts'

export interface ZoneAware {
  minClusterSize: number
  forceDirect: boolean
}

/**
 * Where requests of priority 0 go by locality: `direct`, all to the proxy's own, when it has at least its share of the hosts; else
 * as many as it can take, the rest to localities that can take more than their own proxies send.
 *
 *     proxies   own 40 %, b 40 %, c 20 %
 *     hosts     own 25 %, b 50 %, c 25 %   →  25/40 = 62.5 % stay, the rest to b and c as 10 : 5
 */
export type ZoneRoute =
  | { type: 'none'; because?: 'local cluster not ok' | 'too small' }
  | { type: 'direct' }
  | {
      type: 'residual'
      /** Of 10 000 requests to the own locality. */
      local: number
      /** Sums of what the localities can take beside that, in order. */
      capacity: readonly number[]
    }

/** (Envoy: ZoneAwareLoadBalancerBase::regenerateLocalityRoutingStructures) */
export function routeByZone(
  upstream: HostSet,
  proxies: HostSet,
  { minClusterSize, forceDirect }: ZoneAware,
): ZoneRoute {
  if (upstream.localities.length < 2) return { type: 'none' }
  if (proxies.localities.length < 2 && !forceDirect) return { type: 'none' }
  if (!proxies.hasLocal) return { type: 'none', because: 'local cluster not ok' }
  if (upstream.healthy.length < minClusterSize) return { type: 'none', because: 'too small' }
  const shares = sharesByLocality(upstream, proxies)
  const own = shares[0]!
  if (upstream.hasLocal && ((own.hosts > 0 && own.hosts >= own.proxies) || forceDirect)) return { type: 'direct' }
  const local = upstream.hasLocal && own.proxies > 0 ? Math.floor((own.hosts * 10_000) / own.proxies) : 0
  const capacity: number[] = []
  for (const [i, share] of shares.entries()) {
    const before = capacity.at(-1) ?? 0
    const more = i === 0 && upstream.hasLocal ? 0 : Math.max(0, share.hosts - share.proxies)
    capacity.push(before + more)
  }
  return { type: 'residual', local, capacity }
}

/** Of 10 000, by the localities of the upstream. */
function sharesByLocality(upstream: HostSet, proxies: HostSet): { hosts: number; proxies: number }[] {
  const proxiesIn = new Map(proxies.localities.map(one => [localityKey(one.name), one.healthy.length]))
  const share = (count: number, of: number): number => (of === 0 ? 0 : Math.floor((10_000 * count) / of))
  return upstream.localities.map(({ name, healthy }) =>
    healthy.length === 0
      ? { hosts: 0, proxies: 0 }
      : {
          hosts: share(healthy.length, upstream.healthy.length),
          proxies: share(proxiesIn.get(localityKey(name)) ?? 0, proxies.healthy.length),
        },
  )
}
