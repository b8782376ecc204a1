import type { Thresholds } from '@hopscope/envoy-config'
import type { Runtime } from '../runtime.ts'
import type { Gauge, Stats } from '../stats/stats.ts'

/** One resource of a cluster and priority: how many are in use, and the gauge that is 1 while there are no more. */
export class Resource {
  current = 0
  readonly #runtime: Runtime
  readonly #runtimeKey: string
  readonly #limit: number
  readonly #open: Gauge
  #max = 0
  #maxVersion = -1

  constructor(runtime: Runtime, runtimeKey: string, limit: number, open: Gauge) {
    this.#runtime = runtime
    this.#runtimeKey = runtimeKey
    this.#limit = limit
    this.#open = open
    this.#update()
  }

  get max(): number {
    if (this.#maxVersion !== this.#runtime.version) {
      this.#max = this.#runtime.number(this.#runtimeKey, this.#limit)
      this.#maxVersion = this.#runtime.version
    }
    return this.#max
  }

  canCreate(): boolean {
    return this.current < this.max
  }

  add(): void {
    this.current++
    this.#update()
  }

  release(): void {
    this.current--
    this.#update()
  }

  #update(): void {
    this.#open.value = this.current >= this.max ? 1 : 0
  }
}

/** Envoy's circuit breaker of one cluster and priority, shared by all its hosts. */
export interface CircuitBreaker {
  connections: Resource
  pendingRequests: Resource
  requests: Resource
  retries: Resource
}

export function createCircuitBreaker(
  cluster: { name: string; observabilityName: string },
  priority: 'default' | 'high',
  thresholds: Thresholds,
  stats: Stats,
  runtime: Runtime,
): CircuitBreaker {
  const resource = (key: string, limit: number, gauge: string): Resource =>
    new Resource(
      runtime,
      `circuit_breakers.${cluster.name}.${priority}.${key}`,
      limit,
      stats.gauge(`cluster.${cluster.observabilityName}.circuit_breakers.${priority}.${gauge}`),
    )
  stats.gauge(`cluster.${cluster.observabilityName}.circuit_breakers.${priority}.cx_pool_open`)
  return {
    connections: resource('max_connections', thresholds.maxConnections, 'cx_open'),
    pendingRequests: resource('max_pending_requests', thresholds.maxPendingRequests, 'rq_pending_open'),
    requests: resource('max_requests', thresholds.maxRequests, 'rq_open'),
    retries: resource('max_retries', thresholds.maxRetries, 'rq_retry_open'),
  }
}
