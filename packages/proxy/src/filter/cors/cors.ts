import type { CorsPolicy, RuntimeFraction } from '@hopscope/envoy-config'
import type { Exchange, ResponseSink } from '../../http/exchange.ts'
import { type HeaderMap, ResponseHeaders } from '../../http/headers.ts'
import { compileStringMatcher, type MatchText } from '../../match/string-matcher.ts'
import type { Runtime } from '../../runtime.ts'
import type { Counter, Stats } from '../../stats/stats.ts'
import { allConfigsOf, type CreateFilter, type HttpFilter } from '../http-filter.ts'

export interface CorsServices {
  stats: Stats
  runtime: Runtime
  /** Numbers in [0, 1). */
  random: () => number
}

/** What routes say together: of each setting the most specific level that has it. */
interface Policy {
  allows(origin: string): boolean
  allowMethods: string
  allowHeaders: string
  exposeHeaders: string
  maxAge: string
  allowCredentials: boolean
  allowPrivateNetworkAccess: boolean
  forwardNotMatchingPreflights: boolean
  enabled(): boolean
  shadow(): boolean
}

/** `envoy.filters.http.cors`: answers preflight requests, and says to browsers who may read. (Behaviour: Envoy 1.40) */
export function createCors(name: string, statPrefix: string, services: CorsServices): CreateFilter {
  const valid = services.stats.counter(`http.${statPrefix}.cors.origin_valid`)
  const invalid = services.stats.counter(`http.${statPrefix}.cors.origin_invalid`)
  const compiled = new Map<CorsPolicy, MatchText[]>()
  const originsOf = (policy: CorsPolicy): MatchText[] => {
    let origins = compiled.get(policy)
    if (origins === undefined) {
      origins = policy.allowOrigins.map(compileStringMatcher)
      compiled.set(policy, origins)
    }
    return origins
  }
  return (exchange, answered) => {
    if (answered) return undefined
    // Whatever is said of it: a redirect or a direct response has no part in this. (Seen in Envoy 1.40)
    const { route, virtualHost } = exchange.route ?? {}
    if (route?.action.type !== 'route') return undefined
    const present = allConfigsOf<CorsPolicy>(exchange, name, 'cors_policy')
    const levels =
      present.length > 0 ? present : [route.action.cors, virtualHost?.cors].filter(one => one !== undefined)
    if (levels.length === 0) return undefined
    const origin = exchange.headers.get('origin')
    if (origin === undefined || origin === '') return undefined
    const policy = join(levels, originsOf, services)
    const enabled = policy.enabled()
    if (!enabled && !policy.shadow()) return undefined
    const allowed = policy.allows(origin)
    if (!enabled) {
      count(allowed)
      return undefined
    }
    return new CorsRequest(exchange, policy, origin, allowed, () => count(allowed))
  }

  function count(allowed: boolean): void {
    const counter: Counter = allowed ? valid : invalid
    counter.add()
  }
}

function join(levels: CorsPolicy[], originsOf: (policy: CorsPolicy) => MatchText[], services: CorsServices): Policy {
  const { runtime, random } = services
  const isIn = (fraction: RuntimeFraction): boolean =>
    runtime.enabled(fraction.runtimeKey, fraction.defaultValue, Math.floor(random() * 1_000_000))
  const text = (name: 'allowMethods' | 'allowHeaders' | 'exposeHeaders' | 'maxAge'): string =>
    levels.find(level => level[name] !== '')?.[name] ?? ''
  const flag = <K extends keyof CorsPolicy>(name: K): CorsPolicy[K] | undefined =>
    levels.find(level => level[name] !== undefined)?.[name]
  const origins = levels.find(level => level.allowOrigins.length > 0)
  const enabled = levels[0]!.filterEnabled
  const shadow = levels[0]!.shadowEnabled
  return {
    // A pattern for "any" is tried on a star, too.
    allows: origin => origins !== undefined && originsOf(origins).some(matches => matches('*') || matches(origin)),
    allowMethods: text('allowMethods'),
    allowHeaders: text('allowHeaders'),
    exposeHeaders: text('exposeHeaders'),
    maxAge: text('maxAge'),
    allowCredentials: flag('allowCredentials') ?? false,
    allowPrivateNetworkAccess: flag('allowPrivateNetworkAccess') ?? false,
    forwardNotMatchingPreflights: flag('forwardNotMatchingPreflights') ?? true,
    enabled: () => enabled === undefined || isIn(enabled),
    shadow: () => shadow !== undefined && isIn(shadow),
  }
}

class CorsRequest implements HttpFilter {
  readonly #exchange: Exchange
  readonly #policy: Policy
  readonly #origin: string
  readonly #allowed: boolean
  readonly #count: () => void

  constructor(exchange: Exchange, policy: Policy, origin: string, allowed: boolean, count: () => void) {
    this.#exchange = exchange
    this.#policy = policy
    this.#origin = origin
    this.#allowed = allowed
    this.#count = count
  }

  decode(next: () => void): void {
    this.#count()
    const { headers } = this.#exchange
    const policy = this.#policy
    const isPreflight = headers.method === 'OPTIONS' && (headers.get('access-control-request-method') ?? '') !== ''
    if (!isPreflight || (!this.#allowed && policy.forwardNotMatchingPreflights)) {
      next()
      return
    }
    const response = new ResponseHeaders()
    response.status = 200
    this.#allow(response)
    setIf(response, 'access-control-allow-methods', policy.allowMethods)
    setIf(response, 'access-control-allow-headers', policy.allowHeaders)
    setIf(response, 'access-control-max-age', policy.maxAge)
    if (policy.allowPrivateNetworkAccess && headers.get('access-control-request-private-network') === 'true') {
      response.append('access-control-allow-private-network', 'true')
    }
    this.#exchange.info.responseCodeDetails = 'cors_response'
    this.#exchange.sendHead(response, true)
  }

  encode(sink: ResponseSink): ResponseSink {
    if (!this.#allowed) return sink
    return {
      sendHead: (headers, endStream) => {
        this.#allow(headers)
        setIf(headers, 'access-control-expose-headers', this.#policy.exposeHeaders)
        sink.sendHead(headers, endStream)
      },
      sendData: chunk => sink.sendData(chunk),
      sendEnd: () => sink.sendEnd(),
    }
  }

  #allow(headers: HeaderMap): void {
    if (this.#allowed) headers.set('access-control-allow-origin', this.#origin)
    if (this.#policy.allowCredentials) headers.set('access-control-allow-credentials', 'true')
  }
}

function setIf(headers: HeaderMap, name: string, value: string): void {
  if (value !== '') headers.set(name, value)
}
