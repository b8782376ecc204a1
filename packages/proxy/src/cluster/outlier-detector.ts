import type { Milliseconds, OutlierDetection } from '@hopscope/envoy-config'
import type { LogFile } from '../access-log/log-file.ts'
import type { Clock } from '../clock.ts'
import type { Runtime } from '../runtime.ts'
import type { Counter, Gauge, Stats } from '../stats/stats.ts'
import type { Timer, Timers } from '../timers.ts'
import type { Host } from './host.ts'
import { type Cause, HostMonitor, type SuccessRates } from './host-monitor.ts'
import { OutlierEvents } from './outlier-events.ts'

export interface OutlierServices {
  stats: Stats
  runtime: Runtime
  clock: Clock
  timers: Timers
  /** Numbers in [0, 1). */
  random: () => number
  /** Where ejections are written; undefined: nowhere. */
  outlierLog?: Pick<LogFile, 'write'> | undefined
}

const CAUSES: readonly Cause[] = [
  'consecutive_5xx',
  'consecutive_gateway_failure',
  'consecutive_local_origin_failure',
  'success_rate',
  'failure_percentage',
  'local_origin_success_rate',
  'local_origin_failure_percentage',
]
/**
 * Watches what becomes of the requests to each host of a cluster, and takes those that fail out of it for a while: at once when they
 * fail in a row, at the end of an interval when they fail more than the others. (Behaviour: Envoy 1.40)
 */
export class OutlierDetector {
  readonly #config: OutlierDetection
  readonly #services: OutlierServices
  readonly #hosts: () => readonly Host[]
  readonly #onChange: () => void
  readonly #numbers: OutlierStats
  readonly #events: OutlierEvents
  readonly #monitors = new Map<Host, HostMonitor>()
  readonly #timer: Timer
  readonly successRates: SuccessRates = { average: -1, threshold: -1, localAverage: -1, localThreshold: -1 }

  /** `onChange`: a host was ejected, or came back. */
  constructor(
    clusterName: string,
    config: OutlierDetection,
    services: OutlierServices,
    hosts: () => readonly Host[],
    onChange: () => void,
  ) {
    this.#config = config
    this.#services = services
    this.#hosts = hosts
    this.#onChange = onChange
    this.#numbers = createOutlierStats(services.stats, clusterName)
    this.#events = new OutlierEvents(clusterName, services.outlierLog, services.clock)
    this.#timer = services.timers.create(() => this.#onInterval())
    this.#timer.start(this.#number('interval_ms', config.interval))
  }

  /** The cluster's hosts have changed. */
  follow(hosts: readonly Host[]): void {
    const present = new Set(hosts)
    for (const host of this.#monitors.keys()) {
      if (present.has(host)) continue
      this.#monitors.delete(host)
      if (host.ejected) this.#numbers.active.sub()
    }
    for (const host of hosts) {
      if (this.#monitors.has(host)) continue
      const monitor = new HostMonitor(cause => this.#onConsecutive(host, cause), this.#config, this.#services.runtime)
      this.#monitors.set(host, monitor)
      host.monitor = monitor
    }
  }

  close(): void {
    this.#timer.stop()
  }

  #onConsecutive(host: Host, cause: Cause): void {
    if (!host.ejected) this.#eject(host, cause)
  }

  #onInterval(): void {
    const now = this.#services.clock.now()
    for (const [host, monitor] of this.#monitors) this.#mayReturn(host, monitor, now)
    this.#compareRates('external', 'success_rate', 'failure_percentage')
    if (this.#config.splitExternalLocalOriginErrors)
      this.#compareRates('local', 'local_origin_success_rate', 'local_origin_failure_percentage')
    for (const monitor of this.#monitors.values()) monitor.beginInterval()
    this.#timer.start(this.#number('interval_ms', this.#config.interval))
  }

  /** Each ejection is longer than the one before; each interval of good conduct takes one step back. */
  #mayReturn(host: Host, monitor: HostMonitor, now: number): void {
    if (!host.ejected) {
      if (monitor.ejections > 0) monitor.ejections--
      return
    }
    if (now - monitor.ejectedAt < this.#ejectionTime(monitor.ejections) + monitor.jitter) return
    this.#return(host, monitor)
  }

  /** A health check has passed: that is word enough of a host that was ejected. */
  onChecked(host: Host): void {
    if (!host.ejected || !this.#config.successfulActiveHealthCheckUnejectHost) return
    this.#return(host, this.#monitors.get(host)!)
  }

  #return(host: Host, monitor: HostMonitor): void {
    host.ejected = false
    monitor.reset()
    this.#events.uneject(host, monitor)
    monitor.returnedAt = this.#services.clock.now()
    this.#numbers.active.sub()
    this.#onChange()
  }

  #ejectionTime(ejections: number): Milliseconds {
    const base = this.#number('base_ejection_time_ms', this.#config.baseEjectionTime)
    return Math.min(base * ejections, this.#maxEjectionTime(base))
  }

  #maxEjectionTime(base: Milliseconds): Milliseconds {
    return this.#number('max_ejection_time_ms', this.#config.maxEjectionTime ?? Math.max(300_000, base))
  }

  #eject(host: Host, cause: Cause): void {
    const numbers = this.#numbers
    numbers.detected[cause].add()
    if (cause === 'consecutive_5xx') numbers.oldConsecutive.add()
    if (cause.endsWith('success_rate')) numbers.oldSuccessRate.add()
    const most = Math.min(100, this.#number('max_ejection_percent', this.#config.maxEjectionPercent))
    const active = numbers.active.value
    const fits = (100 * (active + 1)) / this.#hosts().length <= most
    if (!fits && !(active === 0 && this.#config.alwaysEjectOneHost)) {
      numbers.overflow.add()
      return
    }
    if (cause === 'consecutive_5xx' || cause === 'success_rate') numbers.oldTotal.add()
    const { runtime, random } = this.#services
    const share = { numerator: this.#config.enforcing[cause], denominator: 100 } as const
    const monitor = this.#monitors.get(host)!
    const rate = monitor.successRate[cause.startsWith('local_origin') ? 'local' : 'external']
    if (!runtime.enabled(`outlier_detection.enforcing_${cause}`, share, Math.floor(random() * 10_000))) {
      this.#events.eject(host, cause, monitor, false, { rate, ...this.successRates })
      return
    }
    numbers.enforced[cause].add()
    numbers.enforcedTotal.add()
    numbers.active.add()
    const base = this.#number('base_ejection_time_ms', this.#config.baseEjectionTime)
    if (base * (monitor.ejections + 1) < this.#maxEjectionTime(base) + base) monitor.ejections++
    monitor.ejectedAt = this.#services.clock.now()
    monitor.jitter = Math.floor(random() * (this.#config.maxEjectionTimeJitter + 1))
    monitor.changes++
    this.#events.eject(host, cause, monitor, true, { rate, ...this.successRates })
    host.ejected = true
    for (const pool of host.pools) pool.retireConnections()
    this.#onChange()
  }

  /** Hosts with enough requests in the last interval are held against each other, if there are enough of them. */
  #compareRates(origin: 'external' | 'local', byRate: Cause, byPercentage: Cause): void {
    const config = this.#config
    for (const monitor of this.#monitors.values()) monitor.successRate[origin] = -1
    this.#noteRates(origin, -1, -1)
    const busy = this.#rates(origin, this.#number('success_rate_request_volume', config.successRateRequestVolume))
    for (const { host, rate } of busy) this.#monitors.get(host)!.successRate[origin] = rate
    if (busy.length > 0 && busy.length >= this.#number('success_rate_minimum_hosts', config.successRateMinimumHosts)) {
      const mean = busy.reduce((sum, { rate }) => sum + rate, 0) / busy.length
      const variance = busy.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / busy.length
      const factor = this.#number('success_rate_stdev_factor', config.successRateStdevFactor) / 1000
      const threshold = mean - factor * Math.sqrt(variance)
      this.#noteRates(origin, mean, threshold)
      for (const { host, rate } of busy) if (rate < threshold && !host.ejected) this.#eject(host, byRate)
    }
    const volume = this.#number('failure_percentage_request_volume', config.failurePercentageRequestVolume)
    const failing = this.#rates(origin, volume)
    const least = this.#number('failure_percentage_minimum_hosts', config.failurePercentageMinimumHosts)
    if (failing.length === 0 || failing.length < least) return
    const threshold = this.#number('failure_percentage_threshold', config.failurePercentageThreshold)
    for (const { host, rate } of failing) if (100 - rate >= threshold && !host.ejected) this.#eject(host, byPercentage)
  }

  #noteRates(origin: 'external' | 'local', average: number, threshold: number): void {
    const rates = this.successRates
    if (origin === 'external') Object.assign(rates, { average, threshold })
    else Object.assign(rates, { localAverage: average, localThreshold: threshold })
  }

  /** Success in per cent. */
  #rates(origin: 'external' | 'local', volume: number): { host: Host; rate: number }[] {
    const rates: { host: Host; rate: number }[] = []
    for (const [host, monitor] of this.#monitors) {
      const { successes, total } = monitor[origin]
      if (total > 0 && total >= volume) rates.push({ host, rate: (100 * successes) / total })
    }
    return rates
  }

  #number(key: string, value: number): number {
    return this.#services.runtime.number(`outlier_detection.${key}`, value)
  }
}

interface OutlierStats {
  active: Gauge
  overflow: Counter
  detected: Readonly<Record<Cause, Counter>>
  enforced: Readonly<Record<Cause, Counter>>
  enforcedTotal: Counter
  /** Their older names, which Envoy still counts, for two of the causes and enforced or not. */
  oldTotal: Counter
  oldConsecutive: Counter
  oldSuccessRate: Counter
}

function createOutlierStats(stats: Stats, clusterName: string): OutlierStats {
  const counter = (name: string) => stats.counter(`cluster.${clusterName}.outlier_detection.ejections_${name}`)
  const of = (what: string) =>
    Object.fromEntries(CAUSES.map(cause => [cause, counter(`${what}_${cause}`)])) as Record<Cause, Counter>
  // Of hosts that say themselves that they are degraded; that detector is not among the supported ones.
  counter('detected_degradation')
  return {
    active: stats.gauge(`cluster.${clusterName}.outlier_detection.ejections_active`),
    overflow: counter('overflow'),
    detected: of('detected'),
    enforced: of('enforced'),
    enforcedTotal: counter('enforced_total'),
    oldTotal: counter('total'),
    oldConsecutive: counter('consecutive_5xx'),
    oldSuccessRate: counter('success_rate'),
  }
}
