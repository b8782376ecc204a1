import type { HostPolicy } from '@hopscope/envoy-config'
import type { Host } from '../host.ts'
import { createChangingEdf } from './changing-weights.ts'
import type { HostSet, Locality } from './host-set.ts'
import { createLeastOfAll, createLeastOfSome } from './least-request.ts'
import type { BalancerServices, LoadBalancer, PickContext } from './load-balancer.ts'
import { panicThresholdOf } from './load-balancer.ts'
import { choosePriority, isInPanic, type Spread, spreadOverPriorities } from './priority-load.ts'
import { createEdf, createRoundRobin, type PickHost, type Turn, weighEqually } from './round-robin.ts'
import { SlowStarters } from './slow-start.ts'
import { routeByZone, type ZoneRoute } from './zone-routing.ts'

type Policy = Exclude<HostPolicy, { type: 'RING_HASH' | 'MAGLEV' }>

/** Whom a priority's requests are shared among: all, or those of one health, of the whole priority or of one locality. */
type Group = `${'all' | 'healthy' | 'degraded'} ${number | '*'}`

interface Priority {
  set: HostSet
  pickers: Map<Group, PickHost<Host>>
  /** With `locality_weighted_lb_config`: the index of a locality; undefined when none has hosts and weight. */
  pickLocality: { healthy: PickHost<{ index: number }>; degraded: PickHost<{ index: number }> }
}

/** ROUND_ROBIN, LEAST_REQUEST and RANDOM: a priority, a locality of it, and a host there by turns, by business, by chance. */
export class ZoneAwareBalancer implements LoadBalancer {
  readonly #policy: Policy
  readonly #services: BalancerServices
  readonly #turns = new Map<string, Turn>()
  /** All turns begin at the same number. */
  readonly #seed: number
  readonly #slow: SlowStarters | undefined
  #sets: readonly HostSet[] = []
  #priorities: readonly Priority[] = []
  #spread: Spread = { load: { healthy: [100], degraded: [0] }, panic: [false] }
  #zones: ZoneRoute = { type: 'none' }
  #local: HostSet | undefined
  /** The simple case, which most clusters are in: one priority, all its healthy hosts. */
  #only: PickHost<Host> | undefined
  /** Picked for the requests to come. */
  readonly #peeked: Host[] = []

  constructor(policy: Policy, services: BalancerServices) {
    this.#policy = policy
    this.#services = services
    this.#seed = Math.floor(services.random() * 2 ** 32)
    this.#slow =
      policy.type !== 'RANDOM' && policy.slowStart !== undefined
        ? new SlowStarters(policy.slowStart, services)
        : undefined
  }

  update(sets: readonly HostSet[], local: HostSet | undefined): void {
    this.#local = local
    this.#sets = sets
    this.#peeked.length = 0
    this.#spread = spreadOverPriorities(sets, panicThresholdOf(this.#services))
    this.#slow?.follow(sets.flatMap(set => set.hosts))
    this.#priorities = sets.map(set => ({
      set,
      pickers: new Map(),
      pickLocality: {
        healthy: this.#byWeight(set, locality => locality.healthy),
        degraded: this.#byWeight(set, locality => locality.degraded),
      },
    }))
    this.#zones = this.#routeByZone(sets[0]!)
    const simple =
      sets.length === 1 &&
      !this.#spread.panic[0] &&
      this.#spread.load.healthy[0] === 100 &&
      this.#policy.locality.type !== 'weighted' &&
      this.#zones.type === 'none'
    this.#only = simple ? this.#picker(0, 'healthy *') : undefined
  }

  pick(context?: PickContext): Host | undefined {
    if (context?.avoid === undefined) {
      const isSimple = this.#only !== undefined && this.#peeked.length === 0
      return isSimple ? this.#only!() : this.#pickOnce(context)
    }
    let host: Host | undefined
    for (let i = 0; i < (context.attempts ?? 1); i++) {
      host = this.#pickOnce(context)
      if (host === undefined || !context.avoid(host)) break
    }
    return host
  }

  peek(): Host | undefined {
    // Whose turn it is depends on what is under way then.
    if (this.#policy.type === 'LEAST_REQUEST') return undefined
    const healthy = this.#sets.reduce((sum, set) => sum + set.healthy.length, 0)
    if (this.#peeked.length >= healthy) return undefined
    const host = this.#draw(undefined)
    if (host !== undefined) this.#peeked.push(host)
    return host
  }

  #pickOnce(context: PickContext | undefined): Host | undefined {
    return this.#peeked.shift() ?? this.#draw(context)
  }

  #draw(context: PickContext | undefined): Host | undefined {
    if (context === undefined && this.#only !== undefined) return this.#only()
    const { random, clusterStats } = this.#services
    const load = context?.reload?.(this.#spread.load, this.#sets) ?? this.#spread.load
    const { priority, degraded } = choosePriority(load, Math.floor(random() * 100))
    if (this.#spread.panic[priority]) {
      clusterStats.lb_healthy_panic.add()
      return this.#failsOnPanic ? undefined : this.#picker(priority, 'all *')()
    }
    const health = degraded ? 'degraded' : 'healthy'
    if (this.#policy.locality.type === 'weighted') {
      const locality = this.#priorities[priority]?.pickLocality[health]()
      return this.#picker(priority, `${health} ${locality?.index ?? '*'}`)()
    }
    const zones = priority === 0 ? this.#zones : NONE
    if (zones.type === 'none' || !this.#zonesEnabled()) return this.#picker(priority, `${health} *`)()
    if (isInPanic(this.#local!, panicThresholdOf(this.#services))) {
      clusterStats.lb_local_cluster_not_ok.add()
      return this.#failsOnPanic ? undefined : this.#picker(priority, `${health} *`)()
    }
    return this.#picker(priority, `${health} ${this.#chooseZone(zones)}`)()
  }

  get #failsOnPanic(): boolean {
    const { locality } = this.#policy
    return locality.type === 'zone_aware' && locality.failTrafficOnPanic
  }

  #zonesEnabled(): boolean {
    const { locality } = this.#policy
    const { runtime, random } = this.#services
    const share = { numerator: locality.type === 'zone_aware' ? locality.routingEnabled : 0, denominator: 100 } as const
    return runtime.enabled('upstream.zone_routing.enabled', share, Math.floor(random() * 10_000))
  }

  #routeByZone(set: HostSet): ZoneRoute {
    const { locality } = this.#policy
    const { clusterStats, runtime } = this.#services
    if (this.#local === undefined || locality.type !== 'zone_aware') return NONE
    clusterStats.lb_recalculate_zone_structures.add()
    const forced = runtime.get('upstream.zone_routing.force_locality_direct_routing')
    const route = routeByZone(set, this.#local, {
      minClusterSize: runtime.number('upstream.zone_routing.min_cluster_size', locality.minClusterSize),
      forceDirect: typeof forced === 'boolean' ? forced : locality.forceLocalityDirectRouting,
    })
    if (route.type === 'none' && route.because === 'too small') clusterStats.lb_zone_cluster_too_small.add()
    if (route.type === 'none' && route.because === 'local cluster not ok') clusterStats.lb_local_cluster_not_ok.add()
    return route
  }

  /** The index of a locality of priority 0. */
  #chooseZone(route: Exclude<ZoneRoute, { type: 'none' }>): number {
    const { clusterStats, random } = this.#services
    if (route.type === 'direct') {
      clusterStats.lb_zone_routing_all_directly.add()
      return 0
    }
    if (Math.floor(random() * 10_000) < route.local) {
      clusterStats.lb_zone_routing_sampled.add()
      return 0
    }
    clusterStats.lb_zone_routing_cross_zone.add()
    const total = route.capacity.at(-1)!
    if (total === 0) {
      // By rounding only.
      clusterStats.lb_zone_no_capacity_left.add()
      return Math.floor(random() * route.capacity.length)
    }
    const draw = Math.floor(random() * total)
    return route.capacity.findIndex(upTo => draw < upTo)
  }

  #byWeight(set: HostSet, able: (locality: Locality) => readonly Host[]): PickHost<{ index: number }> {
    if (this.#policy.locality.type !== 'weighted') return () => undefined
    const entries: { index: number; weight: number }[] = []
    for (const [index, locality] of set.localities.entries()) {
      const count = locality.hosts.length - locality.excluded.length
      if (count === 0) continue
      const available = Math.min(1, ((set.overprovisioningFactor / 100) * able(locality).length) / count)
      if (locality.weight * available > 0) entries.push({ index, weight: locality.weight * available })
    }
    return entries.length === 0 ? () => undefined : createEdf(entries, this.#services.random)
  }

  #picker(priority: number, group: Group): PickHost<Host> {
    const one = this.#priorities[priority]
    if (one === undefined) return () => undefined
    let picker = one.pickers.get(group)
    if (picker === undefined) {
      picker = this.#createPicker(hostsOf(one.set, group), `${priority} ${group}`)
      one.pickers.set(group, picker)
    }
    return picker
  }

  #createPicker(hosts: readonly Host[], key: string): PickHost<Host> {
    const policy = this.#policy
    const { random } = this.#services
    const slow = this.#slow?.any ? this.#slow : undefined
    const equal = weighEqually(hosts) && slow === undefined
    switch (policy.type) {
      case 'RANDOM':
        return () => hosts[Math.floor(random() * hosts.length)]
      case 'LEAST_REQUEST': {
        if (equal && policy.fullScan) return createLeastOfAll(hosts, activeOf, random)
        if (equal) return createLeastOfSome(hosts, policy.choiceCount, activeOf, random)
        const { runtimeKey, defaultValue } = policy.activeRequestBias
        const bias = this.#services.runtime.number(runtimeKey, defaultValue)
        const weightOf = (host: Host) => (host.weight / (activeOf(host) + 1) ** bias) * (slow?.factor(host) ?? 1)
        return createChangingEdf(hosts, weightOf, random)
      }
      case 'ROUND_ROBIN': {
        if (slow !== undefined) return createChangingEdf(hosts, host => host.weight * slow.factor(host), random)
        let turn = this.#turns.get(key)
        if (turn === undefined) {
          turn = { count: this.#seed }
          this.#turns.set(key, turn)
        }
        return createRoundRobin(hosts, random, turn)
      }
    }
  }
}

const NONE: ZoneRoute = { type: 'none' }

function activeOf(host: Host): number {
  return host.stats.rq_active.value
}

function hostsOf(set: HostSet, group: Group): readonly Host[] {
  const [health, of] = group.split(' ') as ['all' | 'healthy' | 'degraded', string]
  const from = of === '*' ? set : set.localities[Number(of)]!
  return health === 'all' ? from.hosts : from[health]
}
