import type { LogFile } from '../access-log/log-file.ts'
import type { Clock } from '../clock.ts'
import type { Host } from './host.ts'
import type { Cause, HostMonitor, SuccessRates } from './host-monitor.ts'

/** envoy.data.cluster.v3.OutlierEjectionType */
const TYPES: Readonly<Record<Cause, string>> = {
  consecutive_5xx: 'CONSECUTIVE_5XX',
  consecutive_gateway_failure: 'CONSECUTIVE_GATEWAY_FAILURE',
  consecutive_local_origin_failure: 'CONSECUTIVE_LOCAL_ORIGIN_FAILURE',
  success_rate: 'SUCCESS_RATE',
  failure_percentage: 'FAILURE_PERCENTAGE',
  local_origin_success_rate: 'SUCCESS_RATE_LOCAL_ORIGIN',
  local_origin_failure_percentage: 'FAILURE_PERCENTAGE_LOCAL_ORIGIN',
}

/** The event log of outlier detection: envoy.data.cluster.v3.OutlierDetectionEvent as JSON, one a line. */
export class OutlierEvents {
  readonly #clusterName: string
  readonly #file: Pick<LogFile, 'write'> | undefined
  readonly #clock: Clock

  constructor(clusterName: string, file: Pick<LogFile, 'write'> | undefined, clock: Clock) {
    this.#clusterName = clusterName
    this.#file = file
    this.#clock = clock
  }

  /** `rates` in per cent: of the host, and what it was held against. */
  eject(
    host: Host,
    cause: Cause,
    monitor: HostMonitor,
    enforced: boolean,
    rates: SuccessRates & { rate: number },
  ): void {
    const whole = (rate: number) => Math.max(0, Math.trunc(rate))
    const isLocal = cause.startsWith('local_origin')
    const detail = cause.endsWith('success_rate')
      ? {
          eject_success_rate_event: {
            host_success_rate: whole(rates.rate),
            cluster_average_success_rate: whole(isLocal ? rates.localAverage : rates.average),
            cluster_success_rate_ejection_threshold: whole(isLocal ? rates.localThreshold : rates.threshold),
          },
        }
      : cause.endsWith('failure_percentage')
        ? { eject_failure_percentage_event: { host_success_rate: whole(rates.rate) } }
        : { eject_consecutive_event: {} }
    this.#write(TYPES[cause], host, monitor.returnedAt, { action: 'EJECT', num_ejections: monitor.changes, enforced, ...detail }) // biome-ignore format: one line
  }

  uneject(host: Host, monitor: HostMonitor): void {
    // Envoy leaves the type at its first value here.
    const what = { action: 'UNEJECT', num_ejections: monitor.changes, enforced: false }
    this.#write(TYPES.consecutive_5xx, host, monitor.ejectedAt, what)
  }

  #write(type: string, host: Host, lastAction: number, what: object): void {
    if (this.#file === undefined) return
    const now = this.#clock.now()
    const line = JSON.stringify({
      type,
      timestamp: new Date(this.#clock.epochMicros(now) / 1000).toISOString(),
      ...(Number.isNaN(lastAction) ? {} : { secs_since_last_action: String(Math.trunc((now - lastAction) / 1000)) }),
      cluster_name: this.#clusterName,
      upstream_url: host.address,
      ...what,
    })
    this.#file.write(`${line}\n`)
  }
}
