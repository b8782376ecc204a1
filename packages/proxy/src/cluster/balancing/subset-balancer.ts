import type { HostPolicy, Labels, LbPolicy, SubsetPolicy, SubsetSelector } from '@hopscope/envoy-config'
import type { Gauge } from '../../stats/stats.ts'
import type { Host } from '../host.ts'
import { filterHostSet, type HostSet, type Locality } from './host-set.ts'
import type { BalancerServices, LoadBalancer, PickContext } from './load-balancer.ts'
import { hasLabels, keyOf, type MetadataMatch, valuesOf } from './metadata-match.ts'

const FALLBACK_LIST = 'fallback_list'
/** In Envoy the main thread has the same subsets as the worker, and counts them. */
const THREADS = 2

/** Hosts that share their values of a selector's keys. */
interface Subset {
  hosts: Set<Host>
  /** Of a selector with `single_host_per_subset`: its host, whatever its health. */
  single: Host | undefined
  balancer: LoadBalancer | undefined
}

/**
 * Hosts in groups by their labels, each group with a load balancer of its own; one of all hosts and one of the default group for the
 * fallbacks. (Envoy: SubsetLoadBalancer)
 */
export class SubsetBalancer implements LoadBalancer {
  readonly #policy: SubsetPolicy
  readonly #services: BalancerServices
  readonly #selectors: readonly SubsetSelector[]
  /** By the keys that a request asks for; without those that leave it to the cluster. */
  readonly #fallbacks = new Map<string, SubsetSelector>()
  readonly #createChild: () => LoadBalancer
  /** Of all hosts, and of the default group: where a fallback may lead there. */
  readonly #any: LoadBalancer | undefined
  readonly #default: LoadBalancer | undefined
  #subsets = new Map<string, Subset>()
  readonly #duplicates: Gauge

  constructor(
    policy: SubsetPolicy,
    services: BalancerServices,
    createChild: (policy: LbPolicy, services: BalancerServices) => LoadBalancer,
  ) {
    this.#policy = policy
    this.#services = services
    const child = policy.localityWeightAware ? policy.child : withoutLocalityWeights(policy.child)
    this.#createChild = () => createChild(child, services)
    const leadsTo = (fallback: SubsetPolicy['fallback']): boolean =>
      policy.fallback === fallback || policy.selectors.some(selector => selector.fallback === fallback)
    this.#any = policy.panicModeAny || leadsTo('ANY_ENDPOINT') ? this.#createChild() : undefined
    this.#default = leadsTo('DEFAULT_SUBSET') ? this.#createChild() : undefined
    this.#selectors = policy.allowRedundantKeys
      ? policy.selectors.toSorted((a, b) => b.keys.length - a.keys.length)
      : policy.selectors
    this.#setFallbacks()
    this.#duplicates = services.stats.gauge(`${services.statPrefix}lb_subsets_single_host_per_subset_duplicate`)
  }

  update(sets: readonly HostSet[], local: HostSet | undefined): void {
    this.#any?.update(this.#only(sets, undefined), local)
    if (this.#default !== undefined) {
      const hosts = new Set(sets.flatMap(set => set.hosts.filter(host => this.#isDefault(host))))
      this.#default.update(this.#only(sets, hosts), local)
    }
    const groups = this.#group(sets)
    const { lb_subsets_active, lb_subsets_created, lb_subsets_removed } = this.#services.clusterStats
    for (const key of this.#subsets.keys()) if (!groups.has(key)) lb_subsets_removed.add(THREADS)
    for (const [key, group] of groups) {
      const before = this.#subsets.get(key)
      if (before === undefined) lb_subsets_created.add(THREADS)
      if (group.single !== undefined) continue
      group.balancer = before?.balancer ?? this.#createChild()
      group.balancer.update(this.#only(sets, group.hosts), local)
    }
    this.#subsets = groups
    lb_subsets_active.set(THREADS * groups.size)
  }

  pick(context?: PickContext): Host | undefined {
    const { match } = context ?? {}
    if (match === undefined || !this.#policy.triesFallbackList || !Object.hasOwn(match.labels, FALLBACK_LIST))
      return this.#pickFor(match, context)
    const list = match.labels[FALLBACK_LIST]
    const asked = match.only(Object.keys(match.labels).filter(name => name !== FALLBACK_LIST))
    if (!Array.isArray(list) || list.length === 0) return this.#pickFor(asked, context)
    for (const labels of list) {
      const host = this.#pickFor(isStruct(labels) ? asked.with(labels) : asked, context)
      if (host !== undefined) return host
    }
    return undefined
  }

  #pickFor(match: MetadataMatch | undefined, context: PickContext | undefined): Host | undefined {
    const asked = match && this.#policy.allowRedundantKeys ? this.#withoutRedundantKeys(match) : match
    const subset = asked && this.#subsets.get(asked.key)
    if (subset !== undefined) {
      this.#services.clusterStats.lb_subsets_selected.add()
      return subset.single ?? subset.balancer!.pick(context)
    }
    const selector = asked && this.#fallbacks.get(keysText(Object.keys(asked.labels)))
    switch (selector?.fallback) {
      case 'NO_FALLBACK':
        return undefined
      case 'ANY_ENDPOINT':
        return this.#any?.pick(context)
      case 'DEFAULT_SUBSET':
        return this.#default?.pick(context)
      case 'KEYS_SUBSET':
        return this.#pickFor(asked!.only(selector.fallbackKeys), context)
      default:
        return this.#fallBack(context)
    }
  }

  /** Where the whole cluster's fallback leads. */
  #fallBack(context: PickContext | undefined): Host | undefined {
    const { fallback, panicModeAny } = this.#policy
    if (fallback === 'NO_FALLBACK') return undefined
    const { lb_subsets_fallback, lb_subsets_fallback_panic } = this.#services.clusterStats
    const host = (fallback === 'ANY_ENDPOINT' ? this.#any : this.#default)?.pick(context)
    if (host !== undefined) {
      lb_subsets_fallback.add()
      return host
    }
    const other = panicModeAny ? this.#any?.pick(context) : undefined
    if (other !== undefined) lb_subsets_fallback_panic.add()
    return other
  }

  #withoutRedundantKeys(match: MetadataMatch): MetadataMatch {
    const fitting = this.#selectors.find(({ keys }) => keys.every(key => Object.hasOwn(match.labels, key)))
    return fitting === undefined ? match : match.only(fitting.keys)
  }

  /** The first selector that comes to its keys says what they fall back to; as in Envoy one whose keys begin another's comes late. */
  #setFallbacks(): void {
    const known = new Set<string>()
    for (const selector of this.#selectors) {
      const { keys, fallback } = selector
      const text = keysText(keys)
      if (!known.has(text) && fallback !== 'NOT_DEFINED') this.#fallbacks.set(text, selector)
      for (let i = 1; i <= keys.length; i++) known.add(keysText(keys.slice(0, i)))
    }
  }

  #group(sets: readonly HostSet[]): Map<string, Subset> {
    const groups = new Map<string, Subset>()
    let duplicates = 0
    for (const set of sets) {
      // Of each priority one host may stand alone; the others of it are counted.
      const taken = new Set<Subset>()
      duplicates = 0
      for (const host of set.hosts)
        for (const selector of this.#selectors)
          for (const key of this.#keysOf(host, selector)) {
            let group = groups.get(key)
            if (group === undefined) {
              group = { hosts: new Set(), single: selector.singleHost ? host : undefined, balancer: undefined }
              groups.set(key, group)
            }
            group.hosts.add(host)
            if (group.single === undefined) continue
            if (taken.has(group)) duplicates++
            taken.add(group)
          }
    }
    this.#duplicates.set(duplicates)
    return groups
  }

  /** Of the groups that a selector puts a host into: none without a label for each key, several with lists. */
  #keysOf(host: Host, { keys }: SubsetSelector): string[] {
    let all: (readonly [string, unknown])[][] = [[]]
    for (const name of keys) {
      if (!Object.hasOwn(host.labels, name)) return []
      const values = valuesOf(host.labels[name], this.#policy.listAsAny)
      all = all.flatMap(labels => values.map(value => [...labels, [name, value] as const]))
    }
    return all.map(keyOf)
  }

  #isDefault(host: Host): boolean {
    return hasLabels(host, this.#policy.defaultSubset, this.#policy.listAsAny)
  }

  /** The same priorities and localities with some of their hosts; undefined: with all. */
  #only(sets: readonly HostSet[], hosts: ReadonlySet<Host> | undefined): HostSet[] {
    const { localityWeightAware, scaleLocalityWeight } = this.#policy
    const weightOf = ({ weight, hosts: all }: Locality, kept: number): number => {
      if (!localityWeightAware) return 0
      return scaleLocalityWeight ? Math.round((weight * kept) / Math.max(1, all.length)) : weight
    }
    return sets.map(set => filterHostSet(set, host => hosts === undefined || hosts.has(host), weightOf))
  }
}

function keysText(names: readonly string[]): string {
  return JSON.stringify(names.toSorted())
}

function isStruct(value: unknown): value is Labels {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A group does not weigh its localities, whatever its own policy says. */
function withoutLocalityWeights(policy: LbPolicy): LbPolicy {
  if (policy.type !== 'RING_HASH' && policy.type !== 'MAGLEV') return policy
  return { ...policy, locality: UNWEIGHTED }
}

const UNWEIGHTED: HostPolicy['locality'] = {
  type: 'zone_aware',
  routingEnabled: 0,
  minClusterSize: 0,
  failTrafficOnPanic: false,
  forceLocalityDirectRouting: false,
}
