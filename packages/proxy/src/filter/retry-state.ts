import type { Milliseconds, RetryPolicy } from '@hopscope/envoy-config'
import type { ActiveCluster } from '../cluster/active-cluster.ts'
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts'
import type { RoutingPriority } from '../cluster/host.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { Runtime } from '../runtime.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'

export interface RetryServices {
  runtime: Runtime
  /** Numbers in [0, 1). */
  random: () => number
}

export type RetryDecision = { retry: true; after: Milliseconds } | { retry: false; limit?: 'attempts' | 'breaker' }

const NO: RetryDecision = { retry: false }

/** Tokens of retry_on that are acted upon; others are passed over, as Envoy does. */
const TOKENS: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'connect-failure',
  'retriable-4xx',
  'retriable-status-codes',
])

/** What a client may say of retries. */
const RETRY_HEADERS = [
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-max-retries',
]

/** Retries of one request: Envoy's `RetryStateImpl`. */
export class RetryState {
  readonly #on: ReadonlySet<string>
  readonly #codes: ReadonlySet<number>
  readonly #cluster: ActiveCluster
  readonly #breaker: CircuitBreaker
  readonly #runtime: Runtime
  readonly #random: () => number
  readonly #maxInterval: Milliseconds
  #interval: Milliseconds
  #left: number
  /** A retry was made: its outcome is awaited, and it holds a place in the breaker. */
  #retrying = false

  private constructor(
    on: ReadonlySet<string>,
    codes: ReadonlySet<number>,
    policy: { numRetries: number; baseInterval: Milliseconds; maxInterval: Milliseconds },
    cluster: ActiveCluster,
    priority: RoutingPriority,
    { runtime, random }: RetryServices,
  ) {
    this.#on = on
    this.#codes = codes
    this.#cluster = cluster
    this.#breaker = cluster.breakers[priority]
    this.#runtime = runtime
    this.#random = random
    this.#left = policy.numRetries
    this.#interval = policy.baseInterval
    this.#maxInterval = policy.maxInterval
  }

  /** Takes the retry headers from the request; undefined when nothing says to retry. */
  static create(
    policy: RetryPolicy | undefined,
    headers: RequestHeaders,
    cluster: ActiveCluster,
    priority: RoutingPriority,
    services: RetryServices,
  ): RetryState | undefined {
    if (policy === undefined && !RETRY_HEADERS.some(name => headers.has(name))) return undefined
    const on = new Set(policy?.retryOn.filter(token => TOKENS.has(token)))
    const codes = new Set(policy?.retriableStatusCodes)
    for (const token of takeList(headers, 'x-envoy-retry-on')) if (TOKENS.has(token)) on.add(token)
    headers.remove('x-envoy-retry-grpc-on')
    for (const code of takeList(headers, 'x-envoy-retriable-status-codes')) codes.add(Number(code))
    headers.remove('x-envoy-retriable-header-names')
    const maxRetries = headers.get('x-envoy-max-retries')
    headers.remove('x-envoy-max-retries')
    if (on.size === 0) return undefined
    const numRetries = maxRetries !== undefined && /^\d+$/.test(maxRetries) ? Number(maxRetries) : policy?.numRetries
    return new RetryState(
      on,
      codes,
      {
        numRetries: numRetries ?? 1,
        baseInterval: policy?.baseInterval ?? 25,
        maxInterval: policy?.maxInterval ?? 250,
      },
      cluster,
      priority,
      services,
    )
  }

  onStatus(status: number): RetryDecision {
    return this.#decide(this.#isRetriableStatus(status))
  }

  onReset(reason: ResetReason): RetryDecision {
    return this.#decide(this.#isRetriableReset(reason))
  }

  onPerTryTimeout(): RetryDecision {
    const on = this.#on
    return this.#decide(on.has('5xx') || on.has('gateway-error') || on.has('reset'))
  }

  /** The request is over. */
  close(): void {
    this.#release()
  }

  #isRetriableStatus(status: number): boolean {
    const on = this.#on
    if (on.has('5xx') && status >= 500 && status < 600) return true
    if (on.has('gateway-error') && status >= 502 && status <= 504) return true
    if (on.has('retriable-4xx') && status === 409) return true
    return on.has('retriable-status-codes') && this.#codes.has(status)
  }

  #isRetriableReset(reason: ResetReason): boolean {
    if (reason === 'overflow') return false
    const on = this.#on
    if (on.has('5xx') || on.has('gateway-error') || on.has('reset')) return true
    return (
      on.has('connect-failure') &&
      (reason === 'remote connection failure' ||
        reason === 'local connection failure' ||
        reason === 'connection timeout')
    )
  }

  #decide(wanted: boolean): RetryDecision {
    const { stats } = this.#cluster
    const { retries } = this.#breaker
    if (this.#retrying && !wanted) stats.upstream_rq_retry_success.add()
    this.#release()
    if (!wanted) return NO
    if (this.#left === 0) {
      stats.upstream_rq_retry_limit_exceeded.add()
      return { retry: false, limit: 'attempts' }
    }
    this.#left--
    if (!retries.canCreate()) {
      stats.upstream_rq_retry_overflow.add()
      return { retry: false, limit: 'breaker' }
    }
    const draw = Math.floor(this.#random() * 10_000)
    if (!this.#runtime.enabled('upstream.use_retry', { numerator: 100, denominator: 100 }, draw)) return NO
    retries.add()
    this.#retrying = true
    stats.upstream_rq_retry.add()
    stats.upstream_rq_retry_backoff_exponential.add()
    return { retry: true, after: this.#backOff() }
  }

  /** Uniform in [0, interval), where the interval doubles up to the maximum: 25, 50, 100, 200, 250 ms. */
  #backOff(): Milliseconds {
    const interval = this.#interval
    this.#interval = Math.min(interval * 2, this.#maxInterval)
    return Math.floor(this.#random() * interval)
  }

  #release(): void {
    if (this.#retrying) this.#breaker.retries.release()
    this.#retrying = false
  }
}

function takeList(headers: RequestHeaders, name: string): string[] {
  const value = headers.get(name)
  if (value === undefined) return []
  headers.remove(name)
  return value.split(',').map(token => token.trim())
}
