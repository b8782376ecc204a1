import type { VirtualHost } from '@hopscope/envoy-config'
import type { RequestHeaders } from '../http/headers.ts'
import { compileHeaderMatcher } from '../match/header-matcher.ts'
import type { Stats } from '../stats/stats.ts'
import { RouteNumbers } from './route-numbers.ts'

/** Requests of a virtual host that are counted together. */
export interface CountedCluster {
  /** "": that of the others, which logs do not name. */
  name: string
  numbers: RouteNumbers
}

/** The first virtual cluster whose matchers all fit, else `other`; undefined where a virtual host has none. */
export function compileVirtualClusters(
  { name: host, virtualClusters }: VirtualHost,
  stats: Stats,
): ((headers: RequestHeaders) => CountedCluster) | undefined {
  if (virtualClusters.length === 0) return undefined
  const numbersOf = (name: string): RouteNumbers => new RouteNumbers(stats, `vhost.${host}.vcluster.${name}.`)
  const clusters = virtualClusters.map(({ name, headers }) => ({
    cluster: { name, numbers: numbersOf(name) },
    matchers: headers.map(compileHeaderMatcher),
  }))
  const other = { name: '', numbers: numbersOf('other') }
  return headers => clusters.find(({ matchers }) => matchers.every(matches => matches(headers)))?.cluster ?? other
}
