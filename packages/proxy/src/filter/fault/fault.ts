import type { FaultFilter, Fraction, Milliseconds } from '@hopscope/envoy-config'
import type { Exchange, ResponseSink } from '../../http/exchange.ts'
import { isGrpc } from '../../http/grpc-status.ts'
import { compileHeaderMatcher, type MatchHeaders } from '../../match/header-matcher.ts'
import { respond } from '../../respond.ts'
import type { Runtime } from '../../runtime.ts'
import type { Counter, Gauge, Stats } from '../../stats/stats.ts'
import type { Timer, Timers } from '../../timers.ts'
import { type CreateFilter, configOf, type HttpFilter } from '../http-filter.ts'
import { SlowSink } from './slow-sink.ts'

export interface FaultServices {
  stats: Stats
  runtime: Runtime
  timers: Timers
  /** Numbers in [0, 1). */
  random: () => number
}

/**
 * `envoy.filters.http.fault`: delays, then aborts, a share of the requests; slows down responses. Shares, delay and status can be
 * changed in the runtime, also for one downstream cluster alone. (Behaviour: Envoy 1.40)
 */
export function createFault(
  name: string,
  config: FaultFilter,
  statPrefix: string,
  services: FaultServices,
): CreateFilter {
  const numbers = createFaultStats(services.stats, statPrefix)
  const compiled = new Map<FaultFilter, CompiledFault>()
  const compile = (fault: FaultFilter): CompiledFault => {
    let found = compiled.get(fault)
    if (found === undefined) {
      found = { config: fault, matchers: fault.headers.map(compileHeaderMatcher) }
      compiled.set(fault, found)
    }
    return found
  }
  return (exchange, answered) => {
    if (answered) return undefined
    const fault = compile(configOf<FaultFilter>(exchange, name, 'fault') ?? config)
    return matches(fault, exchange) ? new FaultedRequest(exchange, fault.config, numbers, services) : undefined
  }
}

interface CompiledFault {
  config: FaultFilter
  matchers: readonly MatchHeaders[]
}

function matches({ config, matchers }: CompiledFault, { headers, cluster }: Exchange): boolean {
  if (config.upstreamCluster !== '' && cluster?.name !== config.upstreamCluster) return false
  if (config.downstreamNodes.length > 0) {
    const node = headers.get('x-envoy-downstream-service-node')
    if (node === undefined || !config.downstreamNodes.includes(node)) return false
  }
  return matchers.every(matcher => matcher(headers))
}

class FaultedRequest implements HttpFilter {
  readonly #exchange: Exchange
  readonly #config: FaultFilter
  readonly #numbers: FaultStats
  readonly #services: FaultServices
  /** x-envoy-downstream-service-cluster, which has keys and counters of its own. */
  readonly #downstreamCluster: string
  /** It takes a place among the active faults. */
  #active = false
  #timer: Timer | undefined
  #slow: SlowSink | undefined

  constructor(exchange: Exchange, config: FaultFilter, numbers: FaultStats, services: FaultServices) {
    this.#exchange = exchange
    this.#config = config
    this.#numbers = numbers
    this.#services = services
    this.#downstreamCluster = exchange.headers.get('x-envoy-downstream-service-cluster') ?? ''
  }

  encode = (sink: ResponseSink): ResponseSink => {
    const limit = this.#responseLimit()
    if (limit === undefined) return sink
    this.#slow = new SlowSink(sink, limit, this.#exchange, this.#services.timers)
    return this.#slow
  }

  decode(next: () => void): void {
    const delay = this.#delay()
    if (delay === 0) {
      this.#abortOr(next)
      return
    }
    this.#numbers.count('delays_injected', this.#clusterForStats)
    this.#exchange.info.flags.add('DI')
    this.#timer = this.#services.timers.create(() => this.#abortOr(next))
    this.#timer.start(delay)
  }

  destroy(): void {
    this.#timer?.stop()
    this.#slow?.stop()
    if (this.#active) this.#numbers.active.sub()
    this.#active = false
  }

  #abortOr(next: () => void): void {
    const abort = this.#abort()
    if (abort === undefined) {
      next()
      return
    }
    this.#numbers.count('aborts_injected', this.#clusterForStats)
    const failure = { ...abort, flag: 'FI', details: 'fault_filter_abort', body: 'fault filter abort' } as const
    respond(this.#exchange, failure)
  }

  /** 0: none. */
  #delay(): Milliseconds {
    const { delay, runtimeKeys } = this.#config
    if (delay === undefined) return 0
    const share = this.#percentage(delay.percentage, 'x-envoy-fault-delay-request-percentage', delay.fixed === 'header')
    if (!this.#drawn(runtimeKeys.delayPercent, 'delay.fixed_delay_percent', share)) return 0
    const fixed = delay.fixed === 'header' ? wholeNumber(this.#header('x-envoy-fault-delay-request')) : delay.fixed
    if (fixed === undefined) return 0
    const duration = this.#number(runtimeKeys.delayDuration, 'delay.fixed_duration_ms', Math.trunc(fixed))
    return duration > 0 && this.#takePlace() ? duration : 0
  }

  #abort(): { status: number; grpcStatus?: number } | undefined {
    const { abort, runtimeKeys } = this.#config
    if (abort === undefined) return undefined
    const byHeader = abort.by.type === 'header'
    const share = this.#percentage(abort.percentage, 'x-envoy-fault-abort-request-percentage', byHeader)
    if (!this.#drawn(runtimeKeys.abortPercent, 'abort.abort_percent', share)) return undefined
    const asked = this.#abortStatus()
    if (asked === undefined || !this.#takePlace()) return undefined
    return asked
  }

  /** The HTTP status has precedence; a gRPC status goes out in its header, under a 200. */
  #abortStatus(): { status: number; grpcStatus?: number } | undefined {
    const { abort, runtimeKeys } = this.#config
    const { by } = abort!
    const http =
      by.type === 'header'
        ? wholeNumber(this.#header('x-envoy-fault-abort-request'))
        : by.type === 'http'
          ? by.status
          : undefined
    if (http !== undefined && http >= 200 && http < 600) {
      const status = this.#number(runtimeKeys.abortHttpStatus, 'abort.http_status', http)
      return { status: status >= 200 && status < 600 ? status : http }
    }
    const grpc =
      by.type === 'header'
        ? wholeNumber(this.#header('x-envoy-fault-abort-grpc-request'))
        : by.type === 'grpc'
          ? by.status
          : undefined
    if (grpc === undefined) return undefined
    const grpcStatus = this.#number(runtimeKeys.abortGrpcStatus, 'abort.grpc_status', grpc)
    return { status: 200, ...(isGrpc(this.#header('content-type')) ? { grpcStatus } : {}) }
  }

  /** KiB/s; undefined: as fast as it comes. */
  #responseLimit(): number | undefined {
    const { responseRateLimit: limit, runtimeKeys } = this.#config
    if (limit === undefined) return undefined
    const byHeader = limit.limit === 'header'
    const share = this.#percentage(limit.percentage, 'x-envoy-fault-throughput-response-percentage', byHeader)
    if (!this.#drawn(runtimeKeys.responseRateLimitPercent, undefined, share)) return undefined
    const kibibytes = byHeader
      ? wholeNumber(this.#header('x-envoy-fault-throughput-response'))
      : (limit.limit as number)
    if (kibibytes === undefined || kibibytes === 0 || !this.#takePlace()) return undefined
    this.#numbers.responseLimited.add()
    return kibibytes
  }

  #header(name: string): string | undefined {
    return this.#exchange.headers.get(name)
  }

  /** Where a header may say how large the share is, it can only make it smaller. */
  #percentage(share: Fraction, header: string, byHeader: boolean): Fraction {
    const asked = byHeader ? wholeNumber(this.#header(header)) : undefined
    return asked === undefined ? share : { ...share, numerator: Math.min(asked, share.numerator) }
  }

  #drawn(key: string, ofCluster: string | undefined, share: Fraction): boolean {
    const { runtime, random } = this.#services
    const draw = Math.floor(random() * 1_000_000)
    if (runtime.enabled(key, share, draw)) return true
    return (
      ofCluster !== undefined &&
      this.#downstreamCluster !== '' &&
      runtime.enabled(`fault.http.${this.#downstreamCluster}.${ofCluster}`, share, draw)
    )
  }

  #number(key: string, ofCluster: string, value: number): number {
    const { runtime } = this.#services
    const general = runtime.number(key, value)
    if (this.#downstreamCluster === '') return general
    return runtime.number(`fault.http.${this.#downstreamCluster}.${ofCluster}`, general)
  }

  /** One place for a request, whatever befalls it. */
  #takePlace(): boolean {
    if (this.#active) return true
    const { maxActiveFaults = Number.POSITIVE_INFINITY, runtimeKeys } = this.#config
    const most = this.#services.runtime.number(runtimeKeys.maxActiveFaults, maxActiveFaults)
    if (this.#numbers.active.value >= most) {
      this.#numbers.overflow.add()
      return false
    }
    this.#active = true
    this.#numbers.active.add()
    return true
  }

  get #clusterForStats(): string {
    return this.#config.disableDownstreamClusterStats ? '' : this.#downstreamCluster
  }
}

interface FaultStats {
  active: Gauge
  overflow: Counter
  responseLimited: Counter
  count(what: 'aborts_injected' | 'delays_injected', downstreamCluster: string): void
}

function createFaultStats(stats: Stats, statPrefix: string): FaultStats {
  const prefix = `http.${statPrefix}.fault.`
  const counters = {
    aborts_injected: stats.counter(`${prefix}aborts_injected`),
    delays_injected: stats.counter(`${prefix}delays_injected`),
  }
  return {
    active: stats.gauge(`${prefix}active_faults`),
    overflow: stats.counter(`${prefix}faults_overflow`),
    responseLimited: stats.counter(`${prefix}response_rl_injected`),
    count(what, downstreamCluster) {
      counters[what].add()
      if (downstreamCluster !== '') stats.counter(`${prefix}${downstreamCluster}.${what}`).add()
    },
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
