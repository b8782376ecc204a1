import type { Dns } from '../dns.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseSocketAddress } from './socket-address.ts'

const CARES = 'envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig'
const GETADDRINFO = 'envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig'

/** Of an envoy.config.cluster.v3.Cluster. */
export function parseDns(cluster: Message, context: ParseContext): Dns {
  const refreshRate = cluster.duration('dns_refresh_rate', 5000)
  if (refreshRate <= 1)
    context.problems.add('invalid', cluster.valuePlace('dns_refresh_rate'), 'expected more than 0.001s')
  const failure = cluster.message('dns_failure_refresh_rate')
  const base = failure?.duration('base_interval') ?? 0
  const max = failure?.duration('max_interval') ?? base * 10
  if (failure !== undefined && max < base)
    context.problems.add('invalid', failure.valuePlace('max_interval'), 'expected at least base_interval')
  return {
    family: cluster.enum<Dns['family']>('dns_lookup_family', 'AUTO'),
    refreshRate,
    ...(failure === undefined ? {} : { failureRefreshRate: { base, max } }),
    respectTtl: cluster.boolean('respect_dns_ttl'),
    jitter: cluster.duration('dns_jitter', 0),
    resolvers: parseResolvers(cluster, context),
    waitForWarmOnInit: cluster.boolean('wait_for_warm_on_init', true),
  }
}

/** `typed_dns_resolver_config`, else the older `dns_resolution_config`, else `dns_resolvers`, else what the bootstrap says. */
function parseResolvers(cluster: Message, context: ParseContext): Dns['resolvers'] {
  const older = cluster.message('dns_resolution_config')
  const isOwn = cluster.has('typed_dns_resolver_config') || older !== undefined || cluster.has('dns_resolvers')
  const extension = isOwn ? cluster.message('typed_dns_resolver_config') : context.dnsResolver
  const config = extension?.message('typed_config')
  const list =
    config?.type === CARES
      ? config.messages('resolvers')
      : (older?.messages('resolvers') ?? cluster.messages('dns_resolvers'))
  if (extension !== undefined && config?.type !== CARES && config?.type !== GETADDRINFO) {
    const what = `Envoy may know this resolver; Hopscope has ${CARES} and ${GETADDRINFO}`
    context.problems.add('unsupported', extension.place('typed_config'), what)
  }
  return list.map(address =>
    parseSocketAddress(address, { onlyIp: ': a DNS resolver needs an IP', udp: true }, context),
  )
}
