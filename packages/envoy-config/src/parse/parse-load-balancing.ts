import type { HostPolicy, LbPolicy, LocalityLb, RuntimeDouble, SlowStart } from '../load-balancing.ts'
import type { Message, Place } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseSubsets } from './parse-subsets.ts'
import { parsePercent } from './percent.ts'

/** What RING_HASH and MAGLEV have in common. */
interface ConsistentHashing {
  useHostnameForHashing: boolean
  hashBalanceFactor: number
}

const PACKAGE = 'envoy.extensions.load_balancing_policies.'

/** Of an envoy.config.cluster.v3.Cluster: `load_balancing_policy`, else `lb_policy` with its configuration. */
export function parseLbPolicy(cluster: Message, context: ParseContext): LbPolicy {
  const extension = cluster.message('load_balancing_policy')
  if (extension !== undefined) {
    checkAlone(cluster, context)
    return parseExtension(cluster.place('load_balancing_policy'), extension, context)
  }
  const policy = parseHostPolicy(cluster, context)
  const subsets = cluster.message('lb_subset_config')
  if (subsets === undefined) return policy
  if (subsets.boolean('locality_weight_aware') && policy.locality.type !== 'weighted') {
    const what = 'needs common_lb_config.locality_weighted_lb_config'
    context.problems.add('invalid', subsets.place('locality_weight_aware'), what)
  }
  // Without a selector there are no subsets, and no fallbacks, as in Envoy.
  return subsets.messages('subset_selectors').length === 0 ? policy : parseSubsets(subsets, policy, context)
}

const OF_LB_POLICY = ['zone_aware_lb_config', 'locality_weighted_lb_config', 'consistent_hashing_lb_config']

/** What `load_balancing_policy` takes the place of is not said beside it. */
function checkAlone(cluster: Message, context: ParseContext): void {
  const common = cluster.message('common_lb_config')
  const places = OF_LB_POLICY.filter(field => common?.has(field)).map(field => common!.place(field))
  if (cluster.has('lb_subset_config')) places.push(cluster.place('lb_subset_config'))
  for (const place of places)
    context.problems.add('invalid', place, 'cannot be combined with load_balancing_policy: say it in the policy')
}

function parseHostPolicy(cluster: Message, context: ParseContext): HostPolicy {
  const common = cluster.message('common_lb_config')
  const locality = parseLocalityLb(common)
  const hashing = common?.message('consistent_hashing_lb_config')
  const consistent: ConsistentHashing = {
    useHostnameForHashing: hashing?.boolean('use_hostname_for_hashing') ?? false,
    hashBalanceFactor: hashing?.number('hash_balance_factor') ?? 0,
  }
  if (consistent.useHostnameForHashing && cluster.enum<string>('type', 'STATIC') !== 'STRICT_DNS') {
    const what = 'use_hostname_for_hashing needs a cluster of type STRICT_DNS'
    context.problems.add('invalid', common!.place('consistent_hashing_lb_config'), what)
  }
  switch (cluster.enum<string>('lb_policy', 'ROUND_ROBIN')) {
    case 'LEAST_REQUEST':
      return parseLeastRequest(cluster.message('least_request_lb_config'), locality, context)
    case 'RANDOM':
      return { type: 'RANDOM', locality }
    case 'RING_HASH':
      return parseRingHash(cluster.message('ring_hash_lb_config'), locality, consistent, context)
    case 'MAGLEV':
      return parseMaglev(cluster.message('maglev_lb_config'), locality, consistent, context)
    case 'LOAD_BALANCING_POLICY_CONFIG': {
      const what = 'LOAD_BALANCING_POLICY_CONFIG needs load_balancing_policy'
      context.problems.add('invalid', cluster.valuePlace('lb_policy'), what)
      return { type: 'ROUND_ROBIN', locality }
    }
    default:
      return parseRoundRobin(cluster.message('round_robin_lb_config'), locality, context)
  }
}

/** The first policy of the list that is known counts, as in Envoy. */
function parseExtension(place: Place, extension: Message, context: ParseContext): LbPolicy {
  const seen: string[] = []
  for (const policy of extension.messages('policies')) {
    const config = policy.message('typed_extension_config')?.message('typed_config')
    if (config === undefined) continue
    const locality = parseLocalityLb(config.message('locality_lb_config') ?? config)
    const hashing = config.message('consistent_hashing_lb_config')
    const consistent: ConsistentHashing = {
      useHostnameForHashing: (hashing ?? config).boolean('use_hostname_for_hashing'),
      hashBalanceFactor: (hashing ?? config).number('hash_balance_factor'),
    }
    switch (config.type) {
      case `${PACKAGE}round_robin.v3.RoundRobin`:
        return parseRoundRobin(config, locality, context)
      case `${PACKAGE}least_request.v3.LeastRequest`:
        return parseLeastRequest(config, locality, context)
      case `${PACKAGE}random.v3.Random`:
        return { type: 'RANDOM', locality }
      case `${PACKAGE}ring_hash.v3.RingHash`:
        return parseRingHash(config, locality, consistent, context)
      case `${PACKAGE}maglev.v3.Maglev`:
        return parseMaglev(config, locality, consistent, context)
      case `${PACKAGE}subset.v3.Subset`: {
        const child = config.message('subset_lb_policy')
        const at = config.place('subset_lb_policy')
        // What is missing is said already.
        if (child === undefined) return { type: 'ROUND_ROBIN', locality }
        return parseSubsets(config, parseExtension(at, child, context), context)
      }
    }
    seen.push(config.type)
  }
  const known = 'RoundRobin, LeastRequest, Random, RingHash, Maglev, Subset'
  context.problems.add(
    seen.some(type => type.startsWith(PACKAGE)) ? 'unsupported' : 'invalid',
    place,
    `there is no policy in it that Hopscope has (${known})${seen.length > 0 ? `: ${seen.join(', ')}` : ''}`,
  )
  return { type: 'ROUND_ROBIN', locality: parseLocalityLb(undefined) }
}

/** Of a message that may have `locality_weighted_lb_config` or `zone_aware_lb_config`. */
function parseLocalityLb(message: Message | undefined): LocalityLb {
  if (message?.has('locality_weighted_lb_config')) return { type: 'weighted' }
  const zone = message?.message('zone_aware_lb_config')
  return {
    type: 'zone_aware',
    routingEnabled: Math.round(parsePercent(zone?.message('routing_enabled'), 100)),
    minClusterSize: zone?.number('min_cluster_size', 6) ?? 6,
    failTrafficOnPanic: zone?.boolean('fail_traffic_on_panic') ?? false,
    forceLocalityDirectRouting: zone?.boolean('force_locality_direct_routing') ?? false,
  }
}

function parseRoundRobin(message: Message | undefined, locality: LocalityLb, context: ParseContext): HostPolicy {
  return { type: 'ROUND_ROBIN', locality, ...parseSlowStart(message, context) }
}

function parseLeastRequest(message: Message | undefined, locality: LocalityLb, context: ParseContext): HostPolicy {
  return {
    type: 'LEAST_REQUEST',
    locality,
    choiceCount: message?.number('choice_count', 2) ?? 2,
    activeRequestBias: parseRuntimeDouble(message?.message('active_request_bias'), 1),
    fullScan: message?.enum<string>('selection_method', 'N_CHOICES') === 'FULL_SCAN',
    ...parseSlowStart(message, context),
  }
}

function parseSlowStart(message: Message | undefined, context: ParseContext): { slowStart?: SlowStart } {
  const config = message?.message('slow_start_config')
  const window = config?.duration('slow_start_window') ?? 0
  if (config === undefined || window === 0) return {}
  const aggression = parseRuntimeDouble(config.message('aggression'), 1)
  if (aggression.defaultValue <= 0)
    context.problems.add('unsupported', config.place('aggression'), 'expected a default_value greater than 0')
  const minWeightPercent = parsePercent(config.message('min_weight_percent'), 10)
  return { slowStart: { window, aggression, minWeightPercent } }
}

const LARGEST_RING = 8_388_608

function parseRingHash(
  message: Message | undefined,
  locality: LocalityLb,
  consistent: ConsistentHashing,
  context: ParseContext,
): HostPolicy {
  const minimumRingSize = message?.number('minimum_ring_size', 1024) ?? 1024
  const maximumRingSize = message?.number('maximum_ring_size', LARGEST_RING) ?? LARGEST_RING
  if (minimumRingSize > maximumRingSize) {
    const what = `minimum_ring_size (${minimumRingSize}) > maximum_ring_size (${maximumRingSize})`
    context.problems.add('invalid', message!.place('minimum_ring_size'), `ring hash: ${what}`)
  }
  const hash = message?.enum<string>('hash_function', 'XX_HASH')
  const hashFunction = hash === 'MURMUR_HASH_2' ? 'MURMUR_HASH_2' : 'XX_HASH'
  return { type: 'RING_HASH', locality, hashFunction, minimumRingSize, maximumRingSize, ...consistent }
}

function parseMaglev(
  message: Message | undefined,
  locality: LocalityLb,
  consistent: ConsistentHashing,
  context: ParseContext,
): HostPolicy {
  const tableSize = message?.number('table_size', 65_537) ?? 65_537
  if (!isPrime(tableSize))
    context.problems.add(
      'invalid',
      message!.valuePlace('table_size'),
      'the table size of maglev must be a prime number',
    )
  return { type: 'MAGLEV', locality, tableSize, ...consistent }
}

function parseRuntimeDouble(message: Message | undefined, absent: number): RuntimeDouble {
  return {
    defaultValue: message?.number('default_value') ?? absent,
    runtimeKey: message?.string('runtime_key') ?? '',
  }
}

function isPrime(n: number): boolean {
  if (n < 2) return false
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false
  return true
}
