import type { SlowStart } from '@hopscope/envoy-config'
import type { Host } from '../host.ts'
import type { BalancerServices } from './load-balancer.ts'

/** Hosts that have not been healthy for long: their weight grows over a window. (Envoy: EdfLoadBalancerBase::applySlowStartFactor) */
export class SlowStarters {
  readonly #config: SlowStart
  readonly #services: BalancerServices
  #latest = Number.NEGATIVE_INFINITY

  constructor(config: SlowStart, services: BalancerServices) {
    this.#config = config
    this.#services = services
  }

  /** There may be one. */
  get any(): boolean {
    return this.#services.clock.now() - this.#latest <= this.#config.window
  }

  /** A host begins when it first passes a health check, or without any when it is first seen. */
  follow(hosts: readonly Host[]): void {
    const now = this.#services.clock.now()
    for (const host of hosts) {
      if (host.health !== 'healthy') continue
      host.healthySince ??= now
      if (host.healthySince > this.#latest && now - host.healthySince <= this.#config.window)
        this.#latest = host.healthySince
    }
  }

  /** What its weight is multiplied by. */
  factor(host: Host): number {
    const { window, aggression, minWeightPercent } = this.#config
    if (host.healthySince === undefined || host.health !== 'healthy') return 1
    const age = this.#services.clock.now() - host.healthySince
    if (age >= window) return 1
    const power = this.#services.runtime.number(aggression.runtimeKey, aggression.defaultValue)
    const grown = Math.max(1, age) / window
    return Math.max(power > 0 ? grown ** (1 / power) : grown, minWeightPercent / 100)
  }
}
