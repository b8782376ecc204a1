import type { Milliseconds, OutlierDetection } from '@hopscope/envoy-config'
import type { Runtime } from '../runtime.ts'

/** Why a host was found to be one; as the stats name it. */
export type Cause =
  | 'consecutive_5xx'
  | 'consecutive_gateway_failure'
  | 'consecutive_local_origin_failure'
  | 'success_rate'
  | 'failure_percentage'
  | 'local_origin_success_rate'
  | 'local_origin_failure_percentage'

const CONSECUTIVE = ['consecutive_5xx', 'consecutive_gateway_failure', 'consecutive_local_origin_failure'] as const

/** Per cent, of the last interval that had enough requests to tell; -1 before one. */
export interface SuccessRates {
  average: number
  threshold: number
  localAverage: number
  localThreshold: number
}

/** Successes and all, of one interval. */
interface Volume {
  successes: number
  total: number
}

/** What one host did lately. */
export class HostMonitor {
  /** Steps of the ejection time. */
  ejections = 0
  ejectedAt = 0
  returnedAt = Number.NaN
  /** How often it was ejected. */
  changes = 0
  jitter: Milliseconds = 0
  external: Volume = { successes: 0, total: 0 }
  local: Volume = { successes: 0, total: 0 }
  /** Of the last interval; -1: there were too few requests. */
  readonly successRate = { external: -1, local: -1 }
  readonly #inARow = { consecutive_5xx: 0, consecutive_gateway_failure: 0, consecutive_local_origin_failure: 0 }
  readonly #onConsecutive: (cause: Cause) => void
  readonly #config: OutlierDetection
  readonly #runtime: Runtime

  constructor(onConsecutive: (cause: Cause) => void, config: OutlierDetection, runtime: Runtime) {
    this.#onConsecutive = onConsecutive
    this.#config = config
    this.#runtime = runtime
  }

  /** A response with this status came from the host. */
  answered(status: number): void {
    if (this.#config.splitExternalLocalOriginErrors) this.#localOrigin(true)
    this.#status(status)
  }

  /** No response: the connection could not be made or was lost (503), or it took too long (504). */
  failed(status: 503 | 504): void {
    if (this.#config.splitExternalLocalOriginErrors) this.#localOrigin(false)
    else this.#status(status)
  }

  reset(): void {
    for (const cause of CONSECUTIVE) this.#inARow[cause] = 0
  }

  beginInterval(): void {
    this.external = { successes: 0, total: 0 }
    this.local = { successes: 0, total: 0 }
  }

  #status(status: number): void {
    this.external.total++
    if (status < 500 || status > 599) {
      this.external.successes++
      this.#inARow.consecutive_5xx = 0
      this.#inARow.consecutive_gateway_failure = 0
      return
    }
    if (status >= 502 && status <= 504) this.#count('consecutive_gateway_failure')
    else this.#inARow.consecutive_gateway_failure = 0
    this.#count('consecutive_5xx')
  }

  #localOrigin(success: boolean): void {
    this.local.total++
    if (success) {
      this.local.successes++
      this.#inARow.consecutive_local_origin_failure = 0
    } else this.#count('consecutive_local_origin_failure')
  }

  #count(cause: (typeof CONSECUTIVE)[number]): void {
    const most = this.#runtime.number(`outlier_detection.${cause}`, this.#config[CONFIG_KEYS[cause]])
    if (++this.#inARow[cause] !== most) return
    this.#inARow[cause] = 0
    this.#onConsecutive(cause)
  }
}

const CONFIG_KEYS = {
  consecutive_5xx: 'consecutive5xx',
  consecutive_gateway_failure: 'consecutiveGatewayFailure',
  consecutive_local_origin_failure: 'consecutiveLocalOriginFailure',
} as const
