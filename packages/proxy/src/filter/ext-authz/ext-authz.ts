import type { ExtAuthzBody, ExtAuthzFilter, ExtAuthzOfRoute, ExtAuthzService } from '@hopscope/envoy-config'
import type { Clock } from '../../clock.ts'
import type { AsyncClient } from '../../cluster/async-client.ts'
import type { ClusterManager } from '../../cluster/cluster-manager.ts'
import { FAILURES } from '../../errors.ts'
import type { Exchange, ResponseSink } from '../../http/exchange.ts'
import type { HttpStats } from '../../http/http-stats.ts'
import { compileMetadataMatcher } from '../../match/metadata-matcher.ts'
import { respond } from '../../respond.ts'
import type { Runtime } from '../../runtime.ts'
import type { Counter, Stats } from '../../stats/stats.ts'
import type { Instant } from '../../stream-info.ts'
import type { HeldRequest } from '../held-request.ts'
import { type CreateFilter, configOf, type HttpFilter } from '../http-filter.ts'
import { type Ask, compileQuestion, type Verdict } from './question.ts'

export interface ExtAuthzServices {
  stats: Stats
  runtime: Runtime
  clusters: ClusterManager
  asyncClient: AsyncClient
  http: HttpStats
  clock: Clock
  /** Numbers in [0, 1). */
  random: () => number
}

const COUNTERS = ['denied', 'disabled', 'error', 'failure_mode_allowed', 'ok', 'shadow_denied', 'shadow_error'] as const
type Numbers = Readonly<Record<(typeof COUNTERS)[number], Counter>>
/** What answers over gRPC, checks of mutations and limits of headers count, which are not ours: there, and 0. */
const NEVER_COUNTED = [
  ...['filter_state_name_collision', 'ignored_dynamic_metadata', 'invalid', 'omitted_response_headers'],
  ...['request_header_limits_reached', 'response_header_limits_reached'],
]

/** `envoy.filters.http.ext_authz`: a service of its own says whether a request may pass. (Behaviour: Envoy 1.40) */
export function createExtAuthz(
  name: string,
  config: ExtAuthzFilter,
  statPrefix: string,
  services: ExtAuthzServices,
): CreateFilter {
  const { stats, runtime, random } = services
  const prefix = `http.${statPrefix}.ext_authz.${config.statPrefix === '' ? '' : `${config.statPrefix}.`}`
  const numbers = Object.fromEntries(COUNTERS.map(one => [one, stats.counter(prefix + one)])) as unknown as Numbers
  for (const one of NEVER_COUNTED) stats.counter(prefix + one)
  const questions = new Map<ExtAuthzService, Ask>()
  const questionOf = (service: ExtAuthzService): Ask => {
    let ask = questions.get(service)
    if (ask === undefined) {
      ask = compileQuestion(config, service, services.asyncClient)
      questions.set(service, ask)
    }
    return ask
  }
  questionOf(config.service)
  const isMeant = config.filterEnabledMetadata && compileMetadataMatcher(config.filterEnabledMetadata)

  return (exchange, answered) => {
    if (answered) return undefined
    const ofRoute = configOf<ExtAuthzOfRoute>(exchange, name, 'ext_authz_of_route')
    if (ofRoute?.disabled === true) return undefined
    const { filterEnabled, denyAtDisable } = config
    const draw = Math.floor(random() * 1_000_000)
    const drawn =
      filterEnabled === undefined || runtime.enabled(filterEnabled.runtimeKey, filterEnabled.defaultValue, draw)
    if (!drawn || isMeant?.(exchange.info.dynamicMetadata) === false) {
      numbers.disabled.add()
      if (denyAtDisable === undefined || !runtime.flag(denyAtDisable.runtimeKey, denyAtDisable.defaultValue)) {
        return undefined
      }
      const failure = { status: config.statusOnError, flag: 'UAEX', details: 'ext_authz_error', body: '' } as const
      return { decode: () => respond(exchange, failure) }
    }
    const body = ofRoute?.disableRequestBodyBuffering ? undefined : (ofRoute?.withRequestBody ?? config.withRequestBody)
    const ask = questionOf(ofRoute?.service ?? config.service)
    return new QuestionedRequest(exchange, config, body, ask, numbers, services)
  }
}

class QuestionedRequest implements HttpFilter {
  readonly #exchange: Exchange
  readonly #config: ExtAuthzFilter
  readonly #body: ExtAuthzBody | undefined
  readonly #ask: Ask
  readonly #numbers: Numbers
  readonly #services: ExtAuthzServices
  #cancel: (() => void) | undefined
  #askedAt: Instant = Number.NaN
  /** For the client, when all is well. */
  #responseHeaders: Verdict['clientHeaders'] = []

  constructor(
    exchange: Exchange,
    config: ExtAuthzFilter,
    body: ExtAuthzBody | undefined,
    ask: Ask,
    numbers: Numbers,
    services: ExtAuthzServices,
  ) {
    this.#exchange = exchange
    this.#config = config
    this.#body = body
    this.#ask = ask
    this.#numbers = numbers
    this.#services = services
  }

  decode(next: () => void, held: HeldRequest): void {
    const wanted = this.#exchange.hasBody ? this.#body : undefined
    if (wanted === undefined) {
      this.#send(next, held, undefined)
      return
    }
    const { maxRequestBytes, allowPartialMessage } = wanted
    if (!allowPartialMessage) held.limit = Math.max(held.limit, maxRequestBytes)
    held.watch(() => {
      if (!allowPartialMessage && held.bytes > maxRequestBytes) {
        this.#services.http.downstream_rq_too_large.add()
        held.over = true
        respond(this.#exchange, FAILURES.request_too_large)
        return true
      }
      const enough = held.ended || (allowPartialMessage && held.bytes >= maxRequestBytes)
      if (enough) this.#send(next, held, maxRequestBytes)
      return enough
    })
  }

  encode(sink: ResponseSink): ResponseSink {
    return {
      sendHead: (headers, endStream) => {
        for (const [name, value] of this.#responseHeaders) headers.append(name, value)
        sink.sendHead(headers, endStream)
      },
      sendData: chunk => sink.sendData(chunk),
      sendEnd: () => sink.sendEnd(),
    }
  }

  destroy(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #send(next: () => void, held: HeldRequest, maxBytes: number | undefined): void {
    const body = maxBytes === undefined ? undefined : held.body().subarray(0, maxBytes)
    const partial = body !== undefined && (!held.ended || held.bytes > body.length)
    // While it is out the request stands still: answers may come within the call.
    let answered = false
    this.#askedAt = this.#services.clock.now()
    const cancel = this.#ask(this.#exchange, body, partial, verdict => {
      answered = true
      this.#cancel = undefined
      this.#onVerdict(verdict, next)
    })
    if (!answered) this.#cancel = cancel
  }

  #onVerdict(verdict: Verdict, next: () => void): void {
    const { headers } = this.#exchange
    if (verdict.type === 'ok') {
      this.#count('ok')
      for (const name of verdict.removed) headers.remove(name)
      for (const [name, value] of verdict.set) headers.set(name, value)
      for (const [name, value] of verdict.appended) headers.append(name, value)
      this.#responseHeaders = verdict.clientHeaders
      if (verdict.metadata.length > 0) {
        const duration = Math.trunc(this.#services.clock.now() - this.#askedAt)
        const fields = { ...Object.fromEntries(verdict.metadata), ext_authz_duration: duration }
        this.#exchange.info.addMetadata('envoy.filters.http.ext_authz', fields)
      }
      const changed = verdict.removed.length + verdict.set.length + verdict.appended.length > 0
      if (changed && this.#config.clearRouteCache) this.#exchange.reroute()
      next()
      return
    }
    if (verdict.type === 'error') {
      this.#count('error')
      if (this.#config.shadowMode) {
        this.#numbers.shadow_error.add()
        next()
        return
      }
      if (this.#config.failureModeAllow) {
        this.#count('failure_mode_allowed')
        if (this.#config.failureModeAllowHeaderAdd) headers.append('x-envoy-auth-failure-mode-allowed', 'true')
        next()
        return
      }
      respond(this.#exchange, {
        status: this.#config.statusOnError,
        flag: 'UAEX',
        details: 'ext_authz_error',
        body: '',
      })
      return
    }
    this.#count('denied')
    this.#chargeCluster(verdict.status)
    if (this.#config.shadowMode) {
      this.#numbers.shadow_denied.add()
      next()
      return
    }
    const { maxDeniedResponseBodyBytes } = this.#config
    const body = maxDeniedResponseBodyBytes === 0 ? verdict.body : verdict.body.slice(0, maxDeniedResponseBodyBytes)
    const failure = { status: verdict.status, flag: 'UAEX', details: 'ext_authz_denied', body } as const
    respond(this.#exchange, failure, answer => {
      for (const [name, value] of verdict.clientHeaders) answer.append(name, value)
    })
  }

  /** In the numbers of the filter, and of the cluster that the request was for. */
  #count(what: Exclude<keyof Numbers, 'disabled' | 'shadow_denied' | 'shadow_error'>): void {
    this.#numbers[what].add()
    const cluster = this.#exchange.info.clusterObservabilityName
    if (cluster === '') return
    const { statPrefix } = this.#config
    this.#services.stats
      .counter(`cluster.${cluster}.ext_authz.${statPrefix === '' ? '' : `${statPrefix}.`}${what}`)
      .add()
  }

  #chargeCluster(status: number): void {
    if (!this.#config.chargeClusterResponseStats) return
    const { cluster } = this.#exchange
    if (cluster !== undefined) this.#services.clusters.get(cluster.name)?.countStatus(status, true)
  }
}
