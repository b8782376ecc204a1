import type { HeaderMutations, LocalRateLimitFilter, RuntimeFraction } from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'
import type { Exchange } from '../../http/exchange.ts'
import { respond } from '../../respond.ts'
import { compileMutations, type Mutate } from '../../route/header-mutations.ts'
import type { Runtime } from '../../runtime.ts'
import type { Stats } from '../../stats/stats.ts'
import { type CreateFilter, configOf } from '../http-filter.ts'
import { TokenBucket } from './token-bucket.ts'

export interface LocalRateLimitServices {
  stats: Stats
  runtime: Runtime
  clock: Clock
  /** Numbers in [0, 1). */
  random: () => number
}

/** gRPC's RESOURCE_EXHAUSTED and UNAVAILABLE. */
const RESOURCE_EXHAUSTED = 8

/** `envoy.filters.http.local_ratelimit`: a bucket of tokens in this process, one for each configuration. (Behaviour: Envoy 1.40) */
export function createLocalRateLimit(
  name: string,
  config: LocalRateLimitFilter,
  services: LocalRateLimitServices,
): CreateFilter {
  const limiters = new Map<LocalRateLimitFilter, Limiter>()
  const limiterOf = (wanted: LocalRateLimitFilter): Limiter => {
    let limiter = limiters.get(wanted)
    if (limiter === undefined) {
      limiter = createLimiter(wanted, services)
      limiters.set(wanted, limiter)
    }
    return limiter
  }
  // Its numbers are there before the first request.
  limiterOf(config)
  return exchange => {
    const limiter = limiterOf(configOf<LocalRateLimitFilter>(exchange, name, 'local_ratelimit') ?? config)
    return { decode: next => limiter(exchange, next) }
  }
}

type Limiter = (exchange: Exchange, next: () => void) => void

function createLimiter(config: LocalRateLimitFilter, services: LocalRateLimitServices): Limiter {
  const { stats, runtime, clock, random } = services
  const { filterEnabled, filterEnforced, tokenBucket, status } = config
  const counter = (what: string) => stats.counter(`${config.statPrefix}.http_local_rate_limit.${what}`)
  const numbers = {
    enabled: counter('enabled'),
    enforced: counter('enforced'),
    ok: counter('ok'),
    rateLimited: counter('rate_limited'),
  }
  const isIn = ({ runtimeKey, defaultValue }: RuntimeFraction) =>
    runtime.enabled(runtimeKey, defaultValue, Math.floor(random() * 1_000_000))
  const shared = tokenBucket && new TokenBucket(tokenBucket, clock)
  const ofConnections = new WeakMap<object, TokenBucket>()
  const bucketOf = (exchange: Exchange): TokenBucket | undefined => {
    if (tokenBucket === undefined || !config.localRateLimitPerDownstreamConnection) return shared
    let bucket = ofConnections.get(exchange.connection)
    if (bucket === undefined) {
      bucket = new TokenBucket(tokenBucket, clock)
      ofConnections.set(exchange.connection, bucket)
    }
    return bucket
  }
  const none: HeaderMutations = {
    requestHeadersToAdd: config.requestHeadersToAddWhenNotEnforced,
    requestHeadersToRemove: [],
    responseHeadersToAdd: config.responseHeadersToAdd,
    responseHeadersToRemove: [],
  }
  const onRequest: Mutate | undefined = compileMutations([none], 'request')
  const onResponse: Mutate | undefined = compileMutations([none], 'response')

  return (exchange, next) => {
    if (!isIn(filterEnabled)) {
      next()
      return
    }
    numbers.enabled.add()
    if (bucketOf(exchange)?.take() ?? true) {
      numbers.ok.add()
      next()
      return
    }
    numbers.rateLimited.add()
    if (!isIn(filterEnforced)) {
      onRequest?.(exchange.headers, exchange.info)
      next()
      return
    }
    numbers.enforced.add()
    const grpcStatus = config.rateLimitedAsResourceExhausted ? { grpcStatus: RESOURCE_EXHAUSTED } : {}
    const failure = {
      status,
      flag: 'RL',
      details: 'local_rate_limited',
      body: 'local_rate_limited',
      ...grpcStatus,
    } as const
    respond(exchange, failure, headers => onResponse?.(headers, exchange.info))
  }
}
