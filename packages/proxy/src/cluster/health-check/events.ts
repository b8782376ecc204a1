import type { LogFile } from '../../access-log/log-file.ts'
import type { Clock } from '../../clock.ts'
import type { Host } from '../host.ts'

/** Envoy's words for a failure: no connection or no answer, none in time, a wrong one, one that a request brought. */
export type FailureType = 'NETWORK' | 'NETWORK_TIMEOUT' | 'ACTIVE' | 'PASSIVE'

/** One field of an envoy.data.core.v3.HealthCheckEvent, before its time or after it. */
type Event =
  | { eject_unhealthy_event: { failure_type: FailureType; http_status_code: number } }
  | { add_healthy_event: { first_check: boolean } }
  | { health_check_failure_event: { failure_type: FailureType; first_check: boolean; http_status_code: number } }
  | { degraded_healthy_host: object }
  | { no_longer_degraded_host: object }
  | { successful_health_check_event: object }

/** The event log of a cluster's health checks: a JSON object a line, its fields in the order of the message. */
export class HealthCheckEvents {
  readonly #type: 'HTTP' | 'TCP'
  readonly #clusterName: string
  readonly #files: readonly Pick<LogFile, 'write'>[]
  readonly #clock: Clock

  constructor(type: 'HTTP' | 'TCP', clusterName: string, files: readonly Pick<LogFile, 'write'>[], clock: Clock) {
    this.#type = type
    this.#clusterName = clusterName
    this.#files = files
    this.#clock = clock
  }

  write(host: Host, event: Event): void {
    if (this.#files.length === 0) return
    const { region, zone, subZone } = host.locality
    const timestamp = new Date(this.#clock.epochMicros(this.#clock.now()) / 1000).toISOString()
    const first = 'eject_unhealthy_event' in event || 'add_healthy_event' in event
    const last = 'successful_health_check_event' in event
    const line = JSON.stringify({
      health_checker_type: this.#type,
      host: addressOf(host),
      cluster_name: this.#clusterName,
      ...(first ? event : {}),
      timestamp,
      ...(first || last ? {} : event),
      locality: { region, zone, sub_zone: subZone },
      ...(last ? event : {}),
    })
    for (const file of this.#files) file.write(`${line}\n`)
  }
}

/** As an envoy.config.core.v3.Address. */
function addressOf({ ip, port, isPipe }: Host): object {
  if (isPipe) return { pipe: { path: ip, mode: 0 } }
  return {
    socket_address: {
      protocol: 'TCP',
      address: ip,
      port_value: port,
      resolver_name: '',
      ipv4_compat: false,
      network_namespace_filepath: '',
    },
  }
}
