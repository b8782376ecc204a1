import type { HealthCheckFilter, Percent } from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'
import type { ClusterManager } from '../../cluster/cluster-manager.ts'
import type { Exchange, ResponseSink } from '../../http/exchange.ts'
import type { ResponseHeaders } from '../../http/headers.ts'
import { compileHeaderMatcher } from '../../match/header-matcher.ts'
import { respond } from '../../respond.ts'
import type { Counter, Stats } from '../../stats/stats.ts'
import type { CreateFilter, HttpFilter } from '../http-filter.ts'

export interface HealthCheckServices {
  stats: Stats
  clock: Clock
  clusters: ClusterManager
  /** `/healthcheck/fail` was asked for. */
  failing: () => boolean
  /** node.cluster */
  serviceName: string
}

/** What an upstream said last, for a while. */
interface Remembered {
  status: number
  degraded: boolean
  until: number
}

/** `envoy.filters.http.health_check`: answers health checks, or counts them as what they are. (Behaviour: Envoy 1.40) */
export function createHealthCheck(
  config: HealthCheckFilter,
  statPrefix: string,
  services: HealthCheckServices,
): CreateFilter {
  const numbers = createNumbers(services.stats, `http.${statPrefix}.health_check.`)
  const matchers = config.headers.map(compileHeaderMatcher)
  const memory: { last: Remembered | undefined } = { last: undefined }
  return (exchange, answered) => {
    const isCheck = !answered && matchers.every(matches => matches(exchange.headers))
    return new HealthCheckedRequest(exchange, isCheck, config, memory, numbers, services)
  }
}

type Numbers = Readonly<Record<(typeof COUNTERS)[number], Counter>>

const COUNTERS = [
  'request_total',
  'ok',
  'failed',
  'degraded',
  'cached_response',
  'failed_cluster_empty',
  'failed_cluster_not_found',
  'failed_cluster_unhealthy',
] as const

function createNumbers(stats: Stats, prefix: string): Numbers {
  return Object.fromEntries(COUNTERS.map(name => [name, stats.counter(prefix + name)])) as unknown as Numbers
}

class HealthCheckedRequest implements HttpFilter {
  readonly #exchange: Exchange
  readonly #isCheck: boolean
  readonly #config: HealthCheckFilter
  readonly #memory: { last: Remembered | undefined }
  readonly #numbers: Numbers
  readonly #services: HealthCheckServices

  constructor(
    exchange: Exchange,
    isCheck: boolean,
    config: HealthCheckFilter,
    memory: { last: Remembered | undefined },
    numbers: Numbers,
    services: HealthCheckServices,
  ) {
    this.#exchange = exchange
    this.#isCheck = isCheck
    this.#config = config
    this.#memory = memory
    this.#numbers = numbers
    this.#services = services
    if (!isCheck) return
    exchange.info.healthCheck = true
    exchange.span?.leaveOut()
  }

  decode(next: () => void, held: { watch(watcher: () => boolean): void; ended: boolean }): void {
    if (!this.#isCheck || (this.#config.passThroughMode && this.#remembered() === undefined)) {
      next()
      return
    }
    held.watch(() => {
      if (held.ended) this.#answer()
      return held.ended
    })
  }

  encode(sink: ResponseSink): ResponseSink {
    return {
      sendHead: (headers, endStream) => {
        this.#onHead(headers)
        sink.sendHead(headers, endStream)
      },
      sendData: chunk => sink.sendData(chunk),
      sendEnd: () => sink.sendEnd(),
    }
  }

  #onHead(headers: ResponseHeaders): void {
    if (this.#isCheck) {
      const { cacheTime } = this.#config
      if (cacheTime > 0 && this.#remembered() === undefined) {
        const until = this.#services.clock.now() + cacheTime
        this.#memory.last = { status: headers.status, degraded: headers.has('x-envoy-degraded'), until }
      }
      headers.set('x-envoy-upstream-healthchecked-cluster', this.#services.serviceName)
    }
    if (this.#services.failing()) headers.set('x-envoy-immediate-health-check-fail', 'true')
  }

  #remembered(): Remembered | undefined {
    const { last } = this.#memory
    return last !== undefined && this.#services.clock.now() < last.until ? last : undefined
  }

  #answer(): void {
    const numbers = this.#numbers
    numbers.request_total.add()
    const { status, details, degraded } = this.#verdict()
    if (degraded) numbers.degraded.add()
    if (status === 200) numbers.ok.add()
    else numbers.failed.add()
    const flag = status === 200 ? {} : ({ flag: 'LH' } as const)
    respond(this.#exchange, { status, ...flag, details, body: '' }, headers => {
      if (degraded) headers.set('x-envoy-degraded', '')
    })
  }

  #verdict(): { status: number; details: string; degraded?: boolean } {
    if (this.#services.failing()) return { status: 503, details: 'health_check_failed' }
    const remembered = this.#remembered()
    if (remembered !== undefined) {
      this.#numbers.cached_response.add()
      return { ...remembered, details: 'health_check_cached' }
    }
    if (this.#config.clusterMinHealthyPercentages.size === 0) return { status: 200, details: 'health_check_ok' }
    for (const [name, least] of this.#config.clusterMinHealthyPercentages) {
      const sick = this.#sick(name, least)
      if (sick === undefined) continue
      this.#numbers[`failed_${sick}`].add()
      // One of the names has a word more in it.
      const details = sick === 'cluster_not_found' ? 'no_cluster_found' : sick
      return { status: 503, details: `health_check_failed_${details}` }
    }
    return { status: 200, details: 'health_check_ok_cluster_healthy' }
  }

  /** Why a cluster is not healthy enough; undefined: it is. */
  #sick(name: string, least: Percent): 'cluster_not_found' | 'cluster_empty' | 'cluster_unhealthy' | undefined {
    const cluster = this.#services.clusters.get(name)
    if (cluster === undefined) return 'cluster_not_found'
    const { membership_total, membership_healthy, membership_degraded } = cluster.stats
    const total = membership_total.value
    if (total === 0) return least === 0 ? undefined : 'cluster_empty'
    return 100 * (membership_healthy.value + membership_degraded.value) >= total * least
      ? undefined
      : 'cluster_unhealthy'
  }
}
