import type {
  HeaderMutations,
  LocalRateLimitFilter,
  Milliseconds,
  RateLimit,
  RuntimeFraction,
} from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'
import type { Exchange } from '../../http/exchange.ts'
import { respond } from '../../respond.ts'
import { compileMutations, type Mutate } from '../../route/header-mutations.ts'
import type { Runtime } from '../../runtime.ts'
import type { Stats } from '../../stats/stats.ts'
import { type CreateFilter, configOf, type HttpFilter } from '../http-filter.ts'
import { compileRateLimit, type Describe, type Descriptor } from './descriptors.ts'
import { type Judgement, RateLimiter } from './rate-limiter.ts'

export interface LocalRateLimitServices {
  stats: Stats
  runtime: Runtime
  clock: Clock
  /** The `node.cluster` of this proxy. */
  serviceName: string
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
  const { filterEnabled, filterEnforced, status } = config
  const counter = (what: string) => stats.counter(`${config.statPrefix}.http_local_rate_limit.${what}`)
  const numbers = {
    enabled: counter('enabled'),
    enforced: counter('enforced'),
    ok: counter('ok'),
    rateLimited: counter('rate_limited'),
    shadowMode: counter('shadow_mode'),
  }
  const isIn = ({ runtimeKey, defaultValue }: RuntimeFraction) =>
    runtime.enabled(runtimeKey, defaultValue, Math.floor(random() * 1_000_000))
  const shared = new RateLimiter(config, clock)
  const ofConnections = new WeakMap<object, RateLimiter>()
  const limiterOf = (exchange: Exchange): RateLimiter => {
    if (!config.localRateLimitPerDownstreamConnection) return shared
    let limiter = ofConnections.get(exchange.connection)
    if (limiter === undefined) {
      limiter = new RateLimiter(config, clock)
      ofConnections.set(exchange.connection, limiter)
    }
    return limiter
  }
  const describe = compileDescribe(config, services)
  const none: HeaderMutations = {
    requestHeadersToAdd: config.requestHeadersToAddWhenNotEnforced,
    requestHeadersToRemove: [],
    responseHeadersToAdd: config.responseHeadersToAdd,
    responseHeadersToRemove: [],
  }
  const onRequest: Mutate | undefined = compileMutations([none], 'request')
  const onResponse: Mutate | undefined = compileMutations([none], 'response')

  /** What the client is told of the bucket that decided. */
  const toldBy = ({ bucket, xRateLimitOption }: Judgement): HttpFilter['encode'] => {
    const told = xRateLimitOption === 'UNSPECIFIED' ? config.enableXRateLimitHeaders : xRateLimitOption !== 'OFF'
    if (!told || bucket === undefined) return undefined
    return sink => ({
      sendHead(headers, endStream) {
        headers.set('x-ratelimit-limit', String(bucket.max))
        headers.set('x-ratelimit-remaining', String(bucket.remaining))
        headers.set('x-ratelimit-reset', String(secondsOf(bucket.wait)))
        sink.sendHead(headers, endStream)
      },
      sendData: chunk => sink.sendData(chunk),
      sendEnd: () => sink.sendEnd(),
    })
  }

  return (exchange, next) => {
    if (!isIn(filterEnabled)) {
      next()
      return
    }
    numbers.enabled.add()
    const judgement = limiterOf(exchange).judge(describe(exchange))
    const tell = toldBy(judgement)
    if (tell !== undefined) exchange.encodeThrough(tell)
    if (judgement.allowed) {
      numbers.ok.add()
      next()
      return
    }
    numbers.rateLimited.add()
    if (judgement.shadowMode) {
      numbers.shadowMode.add()
      next()
      return
    }
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
    respond(exchange, failure, headers => {
      onResponse?.(headers, exchange.info)
      const { bucket } = judgement
      if (config.enableRetryAfterHeader && bucket) headers.set('retry-after', String(secondsOf(bucket.wait)))
    })
  }
}

/** Begun ones count. */
function secondsOf(duration: Milliseconds): number {
  return Math.ceil(duration / 1000)
}

/** What is said of a request: by the filter's own `rate_limits`, or by those of its route and virtual host. */
function compileDescribe(
  { rateLimits, descriptors, stage, vhRateLimits }: LocalRateLimitFilter,
  services: LocalRateLimitServices,
): (exchange: Exchange) => readonly Descriptor[] {
  const compiled = new WeakMap<readonly RateLimit[], Describe[]>()
  /** Those of routes count for one request each, whatever they say. (Seen in Envoy 1.40) */
  const saidByRoute = (limits: readonly RateLimit[], exchange: Exchange): Descriptor[] => {
    let all = compiled.get(limits)
    if (all === undefined) {
      const ours = limits.filter(limit => limit.stage === stage)
      all = ours.map(limit => compileRateLimit({ ...limit, hitsAddend: 1 }, services))
      compiled.set(limits, all)
    }
    return all.flatMap(describe => describe(exchange) ?? [])
  }

  if (descriptors.length === 0) return () => NONE
  if (rateLimits.length > 0) {
    const all = rateLimits.map(limit => compileRateLimit(limit, services))
    return exchange => all.flatMap(describe => describe(exchange) ?? [])
  }
  return exchange => {
    const { route } = exchange
    const action = route?.route.action
    if (route === undefined || action?.type !== 'route') return NONE
    const { virtualHost } = route
    const all = saidByRoute(action.rateLimits, exchange)
    const option = action.includeVhRateLimits ? 'INCLUDE' : vhRateLimits
    if (option === 'INCLUDE' || (option === 'OVERRIDE' && action.rateLimits.length === 0)) {
      all.push(...saidByRoute(virtualHost.rateLimits, exchange))
    }
    return all
  }
}

const NONE: readonly Descriptor[] = []
