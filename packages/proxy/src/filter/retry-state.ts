import type { Milliseconds, RetryPolicy } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import type { ActiveCluster } from '../cluster/active-cluster.ts'
import type { PickContext } from '../cluster/balancing/load-balancer.ts'
import { hasLabels } from '../cluster/balancing/metadata-match.ts'
import { PreviousPriorities } from '../cluster/balancing/previous-priorities.ts'
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts'
import type { Host, RoutingPriority } from '../cluster/host.ts'
import { type HeaderMap, type RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import { compileHeaderMatcher, type MatchHeaders } from '../match/header-matcher.ts'
import type { RouteCounter, RouteNumbers } from '../route/route-numbers.ts'
import type { Runtime } from '../runtime.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'

export interface RetryServices {
  runtime: Runtime
  clock: Clock
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
  'reset-before-request',
  'retriable-4xx',
  'retriable-status-codes',
  'retriable-headers',
  'envoy-ratelimited',
  // Of grpc-status in a response's head.
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
])

/** gRPC's codes, by the conditions that they fire. */
const GRPC_CONDITIONS: Readonly<Record<string, string>> = {
  1: 'cancelled',
  4: 'deadline-exceeded',
  8: 'resource-exhausted',
  13: 'internal',
  14: 'unavailable',
}

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
  readonly #numbers: readonly RouteNumbers[]
  readonly #breaker: CircuitBreaker
  readonly #runtime: Runtime
  readonly #random: () => number
  readonly #maxInterval: Milliseconds
  #interval: Milliseconds
  #left: number
  readonly #policy: RetryPolicy | undefined
  readonly #retriableHeaders: readonly MatchHeaders[]
  readonly #tried = new Set<Host>()
  readonly #priorities: PreviousPriorities | undefined
  readonly #wallClock: () => number
  /** A retry was made: its outcome is awaited, and it holds a place in the breaker. */
  #retrying = false

  private constructor(
    on: ReadonlySet<string>,
    codes: ReadonlySet<number>,
    policy: { numRetries: number; baseInterval: Milliseconds; maxInterval: Milliseconds },
    cluster: ActiveCluster,
    priority: RoutingPriority,
    { runtime, random, clock }: RetryServices,
    headers: { policy: RetryPolicy | undefined; retriable: readonly MatchHeaders[] },
    numbers: readonly RouteNumbers[],
  ) {
    this.#numbers = numbers
    this.#policy = headers.policy
    const previous = headers.policy?.previousPriorities
    this.#priorities = previous && new PreviousPriorities(previous.updateFrequency)
    this.#retriableHeaders = headers.retriable
    this.#wallClock = () => clock.epochMicros(clock.now()) / 1000
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
    numbers: readonly RouteNumbers[] = [],
  ): RetryState | undefined {
    if (policy === undefined && !RETRY_HEADERS.some(name => headers.has(name))) return undefined
    const on = new Set(policy?.retryOn.filter(token => TOKENS.has(token)))
    const codes = new Set(policy?.retriableStatusCodes)
    for (const name of ['x-envoy-retry-on', 'x-envoy-retry-grpc-on'])
      for (const token of takeList(headers, name)) if (TOKENS.has(token)) on.add(token)
    const { response, request } = matchersOf(policy)
    if (request.length > 0 && !request.some(matches => matches(headers))) on.clear()
    for (const code of takeList(headers, 'x-envoy-retriable-status-codes')) codes.add(Number(code))
    const named = takeList(headers, 'x-envoy-retriable-header-names')
    const retriable = [...response, ...named.map(name => (answer: HeaderMap) => answer.has(name.toLowerCase()))]
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
      { policy, retriable },
      numbers,
    )
  }

  onStatus(status: number, headers: ResponseHeaders = NO_HEADERS): RetryDecision {
    return this.#decide(this.isRetriable(status, headers), this.#resetInterval(headers))
  }

  /** `started`: the upstream has been sent the request's head. */
  onReset(reason: ResetReason, started = true): RetryDecision {
    return this.#decide(this.#isRetriableReset(reason, started))
  }

  onPerTryTimeout(): RetryDecision {
    const on = this.#on
    return this.#decide(on.has('5xx') || on.has('gateway-error') || on.has('reset'))
  }

  /** With hedging: whatever the conditions say. */
  onHedge(): RetryDecision {
    return this.#decide(true)
  }

  onHost(host: Host): void {
    this.#tried.add(host)
    this.#priorities?.onHost(host)
  }

  /** What is asked of the host of the next try. */
  get pickContext(): PickContext {
    const policy = this.#policy
    const priorities = this.#priorities
    const reload: Pick<PickContext, 'reload'> =
      priorities === undefined ? {} : { reload: (load, sets) => priorities.reload(load, sets) }
    if (policy === undefined || !isChoosy(policy)) return reload
    return {
      ...reload,
      avoid: host => this.#isUnwanted(host, policy),
      attempts: policy.hostSelectionRetryMaxAttempts + 1,
    }
  }

  #isUnwanted(host: Host, { avoidPreviousHosts, omitCanaryHosts, omitHosts }: RetryPolicy): boolean {
    return (
      (avoidPreviousHosts && this.#tried.has(host)) ||
      (omitCanaryHosts && host.isCanary) ||
      omitHosts.some(labels => hasLabels(host, labels, true))
    )
  }

  /** The request is over. */
  close(): void {
    this.#release()
  }

  isRetriable(status: number, headers: ResponseHeaders): boolean {
    const on = this.#on
    // An upstream that limits the rate is not asked again, unless the policy says so.
    if (headers.has('x-envoy-ratelimited')) return on.has('envoy-ratelimited')
    if (on.has('5xx') && status >= 500 && status < 600) return true
    if (on.has('gateway-error') && status >= 502 && status <= 504) return true
    if (on.has('retriable-4xx') && status === 409) return true
    if (on.has('retriable-status-codes') && this.#codes.has(status)) return true
    if (on.has('retriable-headers') && this.#retriableHeaders.some(matches => matches(headers))) return true
    const condition = GRPC_CONDITIONS[headers.get('grpc-status') ?? '']
    return condition !== undefined && on.has(condition)
  }

  #isRetriableReset(reason: ResetReason, started: boolean): boolean {
    if (reason === 'overflow') return false
    const on = this.#on
    if (on.has('5xx') || on.has('gateway-error') || on.has('reset')) return true
    if (on.has('reset-before-request') && !started) return true
    return (
      on.has('connect-failure') &&
      (reason === 'remote connection failure' ||
        reason === 'local connection failure' ||
        reason === 'connection timeout')
    )
  }

  /** How long the response says to wait; undefined: it does not say, or for too long. */
  #resetInterval(headers: ResponseHeaders): Milliseconds | undefined {
    const backOff = this.#policy?.rateLimitedBackOff
    if (backOff === undefined) return undefined
    for (const { name, format } of backOff.resetHeaders) {
      const value = headers.get(name)?.trim()
      if (value === undefined || !/^\d+$/.test(value)) continue
      const seconds = format === 'SECONDS' ? Number(value) : Number(value) - Math.floor(this.#wallClock() / 1000)
      if (seconds >= 0 && seconds * 1000 <= backOff.maxInterval) return seconds * 1000
    }
    return undefined
  }

  #decide(wanted: boolean, resetInterval?: Milliseconds): RetryDecision {
    const { stats } = this.#cluster
    const { retries } = this.#breaker
    if (this.#retrying && !wanted) this.#count('upstream_rq_retry_success')
    this.#release()
    if (!wanted) return NO
    if (this.#left === 0) {
      this.#count('upstream_rq_retry_limit_exceeded')
      return { retry: false, limit: 'attempts' }
    }
    this.#left--
    if (!retries.canCreate()) {
      this.#count('upstream_rq_retry_overflow')
      return { retry: false, limit: 'breaker' }
    }
    const draw = Math.floor(this.#random() * 10_000)
    if (!this.#runtime.enabled('upstream.use_retry', { numerator: 100, denominator: 100 }, draw)) return NO
    retries.add()
    this.#retrying = true
    this.#count('upstream_rq_retry')
    if (resetInterval !== undefined && resetInterval > 1) {
      stats.upstream_rq_retry_backoff_ratelimited.add()
      return { retry: true, after: resetInterval + Math.floor(this.#random() * (resetInterval >> 1)) }
    }
    stats.upstream_rq_retry_backoff_exponential.add()
    return { retry: true, after: this.#backOff() }
  }

  /** Uniform in [0, interval), where the interval doubles up to the maximum: 25, 50, 100, 200, 250 ms. */
  #backOff(): Milliseconds {
    const interval = this.#interval
    this.#interval = Math.min(interval * 2, this.#maxInterval)
    return Math.floor(this.#random() * interval)
  }

  #count(name: Exclude<RouteCounter, 'upstream_rq_timeout' | 'upstream_rq_total'>): void {
    this.#cluster.stats[name].add()
    for (const one of this.#numbers) one.add(name)
  }

  #release(): void {
    if (this.#retrying) this.#breaker.retries.release()
    this.#retrying = false
  }
}

function isChoosy({ avoidPreviousHosts, omitCanaryHosts, omitHosts }: RetryPolicy): boolean {
  return avoidPreviousHosts || omitCanaryHosts || omitHosts.length > 0
}

const NO_HEADERS = new ResponseHeaders()

interface PolicyMatchers {
  response: readonly MatchHeaders[]
  request: readonly MatchHeaders[]
}

const NONE: PolicyMatchers = { response: [], request: [] }
const compiled = new WeakMap<RetryPolicy, PolicyMatchers>()

/** Compiled once a policy. */
function matchersOf(policy: RetryPolicy | undefined): PolicyMatchers {
  if (policy === undefined) return NONE
  let matchers = compiled.get(policy)
  if (matchers === undefined) {
    matchers = {
      response: policy.retriableHeaders.map(compileHeaderMatcher),
      request: policy.retriableRequestHeaders.map(compileHeaderMatcher),
    }
    compiled.set(policy, matchers)
  }
  return matchers
}

function takeList(headers: RequestHeaders, name: string): string[] {
  const value = headers.get(name)
  if (value === undefined) return []
  headers.remove(name)
  return value.split(',').map(token => token.trim())
}
