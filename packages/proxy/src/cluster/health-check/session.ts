import type { HealthCheck, Milliseconds } from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'
import type { Counter, Gauge } from '../../stats/stats.ts'
import type { Timer, Timers } from '../../timers.ts'
import type { Host } from '../host.ts'
import type { FailureType, HealthCheckEvents } from './events.ts'
import type { CreateProbe, Probe, ProbeListener } from './probe.ts'

/** What a check changed: nothing, the host's health, or nothing yet for want of more of the same. */
type Transition = 'unchanged' | 'changed' | 'pending'

export interface SessionServices {
  config: HealthCheck
  createProbe: CreateProbe
  clock: Clock
  timers: Timers
  events: HealthCheckEvents
  stats: HealthCheckStats
  /** The time to the next check. */
  interval(healthy: boolean, pending: boolean): Milliseconds
  /** Until the first check; 0: at once. */
  initialDelay: Milliseconds
  /** A check is done; `changed`: the host's health is another. */
  onChecked(host: Host, changed: boolean, healthy: boolean): void
}

export interface HealthCheckStats {
  attempt: Counter
  success: Counter
  failure: Counter
  passive_failure: Counter
  network_failure: Counter
  verify_cluster: Counter
  healthy: Gauge
  degraded: Gauge
}

/** The checks of one host. (Envoy: HealthCheckerImplBase::ActiveHealthCheckSession) */
export class CheckSession implements ProbeListener {
  readonly #host: Host
  readonly #services: SessionServices
  readonly #probe: Probe
  readonly #nextTimer: Timer
  readonly #timeoutTimer: Timer
  /** In a row. */
  #successes = 0
  #failures = 0
  #isFirst = true
  #closed = false

  constructor(host: Host, services: SessionServices) {
    this.#host = host
    this.#services = services
    this.#probe = services.createProbe(host, this)
    this.#nextTimer = services.timers.create(() => this.#check())
    this.#timeoutTimer = services.timers.create(() => this.#onTimeout())
    if (!host.checks.failed) services.stats.healthy.add()
  }

  start(): void {
    if (this.#services.initialDelay > 0) this.#nextTimer.start(this.#services.initialDelay)
    else this.#check()
  }

  /** A request said that the host fails. */
  failByTraffic(): void {
    this.excluded()
    this.#setUnhealthy('PASSIVE', false, 0)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    const { stats } = this.#services
    this.#nextTimer.stop()
    this.#timeoutTimer.stop()
    this.#probe.close()
    if (!this.#host.checks.failed) stats.healthy.sub()
    if (this.#host.checks.degraded) stats.degraded.sub()
  }

  get isFirst(): boolean {
    return this.#isFirst
  }

  #check(): void {
    this.#services.stats.attempt.add()
    this.#timeoutTimer.start(this.#services.config.timeout)
    this.#probe.ask()
  }

  #onTimeout(): void {
    this.#probe.giveUp()
    this.#fail('NETWORK_TIMEOUT', false, 0)
  }

  excluded(): void {
    this.#host.checks.excluded = true
  }

  passed(degraded: boolean): void {
    const { checks } = this.#host
    const { stats, events, config, clock } = this.#services
    this.#failures = 0
    let transition: Transition = 'unchanged'
    if (checks.failed) {
      // The first check that anyone makes of a host is enough.
      if (this.#isFirst || ++this.#successes === config.healthyThreshold) {
        checks.timedOut = false
        checks.excluded = false
        checks.failed = false
        stats.healthy.add()
        transition = 'changed'
        events.write(this.#host, { add_healthy_event: { first_check: this.#isFirst } })
      } else transition = 'pending'
      this.#host.healthySince = clock.now()
    }
    if (transition !== 'changed' && config.alwaysLogSuccess)
      events.write(this.#host, { successful_health_check_event: {} })
    if (this.#clearPending()) transition = 'changed'
    if (degraded !== checks.degraded) {
      checks.degraded = degraded
      if (degraded) stats.degraded.add()
      else stats.degraded.sub()
      events.write(this.#host, degraded ? { degraded_healthy_host: {} } : { no_longer_degraded_host: {} })
      if (transition === 'unchanged') transition = 'changed'
    }
    stats.success.add()
    this.#isFirst = false
    this.#services.onChecked(this.#host, transition === 'changed', true)
    this.#again(true, transition)
  }

  failed({ type, retriable, status }: { type: 'NETWORK' | 'ACTIVE'; retriable: boolean; status: number }): void {
    this.#fail(type, retriable, status)
  }

  #fail(type: FailureType, retriable: boolean, status: number): void {
    this.#again(false, this.#setUnhealthy(type, retriable, status))
  }

  #setUnhealthy(type: FailureType, retriable: boolean, status: number): Transition {
    const { checks } = this.#host
    const { stats, events, config } = this.#services
    const ofNetwork = type === 'NETWORK' || type === 'NETWORK_TIMEOUT'
    this.#successes = 0
    let transition: Transition = 'unchanged'
    if (!checks.failed) {
      // A wrong answer is clear enough; no answer may be chance.
      if ((!ofNetwork && !retriable) || ++this.#failures === config.unhealthyThreshold) {
        checks.failed = true
        stats.healthy.sub()
        transition = 'changed'
        events.write(this.#host, { eject_unhealthy_event: { failure_type: type, http_status_code: status } })
      } else transition = 'pending'
    }
    checks.timedOut = type === 'NETWORK_TIMEOUT' && checks.failed
    if (this.#clearPending()) transition = 'changed'
    if (this.#isFirst || config.alwaysLogFailures) {
      const event = { failure_type: type, first_check: this.#isFirst, http_status_code: status }
      events.write(this.#host, { health_check_failure_event: event })
    }
    stats.failure.add()
    if (ofNetwork) stats.network_failure.add()
    else if (type === 'PASSIVE') stats.passive_failure.add()
    this.#isFirst = false
    this.#services.onChecked(this.#host, transition === 'changed', false)
    return transition
  }

  #clearPending(): boolean {
    const { checks } = this.#host
    if (!checks.pending) return false
    checks.pending = false
    return true
  }

  #again(healthy: boolean, transition: Transition): void {
    if (this.#closed) return
    this.#timeoutTimer.stop()
    this.#nextTimer.start(this.#services.interval(healthy, transition === 'pending'))
  }
}
