import type { Thresholds } from '@hopscope/envoy-config'
import type { Runtime } from '../runtime.ts'
import type { Gauge, Stats } from '../stats/stats.ts'

/** One resource of a cluster and priority: how many are in use, and the gauge that is 1 while there are no more. */
export class Resource {
  current = 0
  readonly #limit: () => number
  readonly #open: Gauge
  readonly #remaining: Gauge | undefined
  readonly #budget: (() => number) | undefined

  /** Where there is a `budget`, it decides in place of the limit; the gauges still go by the limit, and none says what remains. */
  constructor(limit: () => number, open: Gauge, remaining: Gauge | undefined, budget?: () => number) {
    this.#limit = limit
    this.#budget = budget
    this.#open = open
    this.#remaining = remaining
    this.#update()
  }

  get max(): number {
    return (this.#budget ?? this.#limit)()
  }

  canCreate(): boolean {
    if (this.#budget !== undefined) this.#remaining?.set(0)
    return this.current < this.max
  }

  add(): void {
    this.current++
    this.#open.used = true
    this.#update()
  }

  release(): void {
    this.current--
    this.#update()
  }

  #update(): void {
    const limit = this.#limit()
    this.#open.value = this.current >= limit ? 1 : 0
    const isTold = this.#budget === undefined || this.current === 0
    this.#remaining?.set(isTold ? remainder(limit, this.current) : 0)
  }
}

/** Without a limit Envoy counts down from 2^64 - 1. */
function remainder(limit: number, current: number): number {
  return limit === Number.POSITIVE_INFINITY ? -1 - current : Math.max(0, limit - current)
}

/** Envoy's circuit breaker of one cluster and priority, shared by all its hosts. */
export interface CircuitBreaker {
  /** Hosts that requests of this priority have connections to. */
  pools: Resource
  connections: Resource
  /** Of one host; it is no resource that anyone counts. */
  connectionsPerHost: number
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
  const key = `circuit_breakers.${cluster.name}.${priority}.`
  const gauge = (name: string): Gauge =>
    stats.gauge(`cluster.${cluster.observabilityName}.circuit_breakers.${priority}.${name}`)
  const limit = (name: string, value: number) => {
    // Asked for several times with every request: joined once, and looked up once for each version of the runtime.
    const limitKey = `${key}${name}`
    let version = -1
    let current = value
    return () => {
      if (version !== runtime.version) {
        version = runtime.version
        current = runtime.number(limitKey, value)
      }
      return current
    }
  }
  const resource = (of: () => number, open: string, remaining: string): Resource =>
    new Resource(of, gauge(open), thresholds.trackRemaining ? gauge(remaining) : undefined)
  const {
    maxConnectionPools = Number.POSITIVE_INFINITY,
    maxConnections,
    maxPendingRequests,
    maxRequests,
    maxConnectionsPerHost = Number.POSITIVE_INFINITY,
  } = thresholds
  const pools = resource(limit('max_connection_pools', maxConnectionPools), 'cx_pool_open', 'remaining_cx_pools')
  const connections = resource(limit('max_connections', maxConnections), 'cx_open', 'remaining_cx')
  const pendingRequests = resource(limit('max_pending_requests', maxPendingRequests), 'rq_pending_open', 'remaining_pending') // biome-ignore format: one line
  const requests = resource(limit('max_requests', maxRequests), 'rq_open', 'remaining_rq')
  const budgetOf =
    ({ percent, minConcurrency }: NonNullable<Thresholds['retryBudget']>) =>
    (): number => {
      const share = runtime.number(`${key}retry_budget.budget_percent`, percent) / 100
      const least = runtime.number(`${key}retry_budget.min_retry_concurrency`, minConcurrency)
      return Math.max(least, Math.floor(share * (requests.current + pendingRequests.current)))
    }
  const retries = new Resource(
    limit('max_retries', thresholds.maxRetries),
    gauge('rq_retry_open'),
    thresholds.trackRemaining ? gauge('remaining_retries') : undefined,
    thresholds.retryBudget && budgetOf(thresholds.retryBudget),
  )
  return { pools, connections, connectionsPerHost: maxConnectionsPerHost, pendingRequests, requests, retries }
}
