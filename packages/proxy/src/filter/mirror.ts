import type { Milliseconds, RequestMirrorPolicy } from '@hopscope/envoy-config'
import type { ActiveCluster } from '../cluster/active-cluster.ts'
import { FAILURES } from '../errors.ts'
import { localIp } from '../http/client-address.ts'
import type { ResponseHead } from '../http/codec/response-decoder.ts'
import type { Exchange } from '../http/exchange.ts'
import type { RequestHeaders } from '../http/headers.ts'
import type { Timer } from '../timers.ts'
import type { AttemptSpan, RequestSpan } from '../tracing/http-tracer.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'
import { Attempt, type AttemptOwner } from '../upstream/send.ts'
import type { RouterServices } from './router.ts'

/** The copies of this request that its route asks for. `headers` are those of the request as the upstream gets it. */
export function createMirrors(
  policies: readonly RequestMirrorPolicy[],
  exchange: Exchange,
  timeout: Milliseconds,
  services: RouterServices,
): Mirror[] {
  const { headers } = exchange
  if (headers.method === 'CONNECT') return []
  const mirrors: Mirror[] = []
  const draw = Math.floor(services.random() * 1_000_000)
  for (const policy of policies) {
    const { runtimeKey, defaultValue } = policy.runtimeFraction
    if (!services.runtime.enabled(runtimeKey, defaultValue, draw)) continue
    const name = policy.cluster.type === 'cluster' ? policy.cluster.name : headers.get(policy.cluster.header)
    const cluster = name === undefined ? undefined : services.clusters.get(name)
    if (cluster === undefined) continue
    mirrors.push(new Mirror(cluster, policy, exchange, timeout, services))
  }
  return mirrors
}

/**
 * A copy of a request for another cluster, with its body as it comes. Nobody waits for the answer; the client never hears of it. Its
 * numbers are those of an internal request of that cluster.
 */
export class Mirror implements AttemptOwner {
  readonly #cluster: ActiveCluster
  readonly #headers: RequestHeaders
  readonly #hasBody: boolean
  readonly #timeout: Milliseconds
  readonly #services: RouterServices
  readonly #timer: Timer
  readonly #requestSpan: RequestSpan | undefined
  readonly #traceSampled: boolean | undefined
  #span: AttemptSpan | undefined
  #attempt: Attempt | undefined
  /** Body bytes for which there is no connection yet. */
  #body: Buffer[] = []
  #buffered = 0
  readonly #bufferLimit: number
  #ended = false
  #over = false
  #startedAt = 0
  /** It takes bytes again, after `write` said that it does not. */
  onDrain: () => void = () => {}

  constructor(
    cluster: ActiveCluster,
    policy: RequestMirrorPolicy,
    exchange: Exchange,
    timeout: Milliseconds,
    services: RouterServices,
  ) {
    this.#cluster = cluster
    this.#hasBody = exchange.hasBody
    this.#ended = !exchange.hasBody
    this.#timeout = timeout
    this.#bufferLimit = exchange.bufferLimit
    this.#services = services
    this.#headers = exchange.headers.clone()
    if (policy.hostRewriteLiteral !== '') this.#headers.authority = policy.hostRewriteLiteral
    else if (!policy.disableShadowHostSuffixAppend) this.#headers.authority = shadowHost(this.#headers.authority)
    this.#timer = services.timers.create(() => this.#onTimeout())
    this.#requestSpan = exchange.span
    this.#traceSampled = policy.traceSampled
  }

  start(): void {
    this.#beginSpan()
    addInternalHeaders(this.#headers, this.#timeout)
    const host = this.#cluster.pickHost()
    if (host === undefined) {
      this.#cluster.stats.upstream_cx_none_healthy.add()
      this.#fail(FAILURES.no_healthy_host.status)
      this.#finish(undefined, false)
      return
    }
    const request = { headers: this.#headers, hasBody: this.#hasBody }
    this.#attempt = new Attempt(host, 1, request, this.#services.clock, this)
    if (this.#ended) this.#onRequestComplete()
    this.#attempt.start()
  }

  /** False: wait for `onDrain`. */
  write(chunk: Buffer): boolean {
    if (this.#over) return true
    if (this.#attempt?.ready) return this.#attempt.write(chunk)
    this.#body.push(chunk)
    this.#buffered += chunk.length
    return this.#buffered <= this.#bufferLimit
  }

  end(): void {
    if (this.#over) return
    this.#ended = true
    this.#onRequestComplete()
    if (this.#attempt?.ready) this.#attempt.end()
  }

  /** The request that it copies has ended: what has not been copied to the end goes no further. */
  cancel(): void {
    if (this.#over || this.#ended) return
    const attempt = this.#attempt
    attempt?.cancel()
    this.#finish(attempt, true)
  }

  onAttemptReady(attempt: Attempt): void {
    if (!this.#hasBody) return
    const waiting = this.#buffered > this.#bufferLimit
    for (const chunk of this.#body) attempt.write(chunk)
    this.#body = []
    this.#buffered = 0
    if (this.#ended) attempt.end()
    if (waiting) this.onDrain()
  }

  onInformational(status: number): void {
    this.#cluster.countStatus(status, true)
  }

  onResponseHead(attempt: Attempt, head: ResponseHead): void {
    const { status } = head.headers
    attempt.host.monitor?.answered(status)
    this.#cluster.countStatus(status, true)
    const { rq_error, rq_success } = attempt.host.stats
    if (status >= 500) rq_error.add()
    else rq_success.add()
  }

  onResponseData(): void {}

  onResponseEnd(attempt: Attempt): void {
    if (this.#ended) this.#cluster.recordTime(Math.trunc(this.#services.clock.now() - this.#startedAt), true)
    else attempt.abandon()
    this.#finish(attempt, false)
  }

  onAttemptReset(attempt: Attempt, reason: ResetReason): void {
    if (attempt.status === 0) {
      attempt.host.stats.rq_error.add()
      this.#fail(FAILURES[reason].status)
    }
    if (reason !== 'overflow') attempt.host.monitor?.failed(503)
    this.#finish(attempt, false, reason)
  }

  onUpstreamDrain(): void {
    this.onDrain()
  }

  #beginSpan(): void {
    const { name, observabilityName } = this.#cluster
    const aside = { spanName: 'mirror', clusterName: name, sampled: this.#traceSampled }
    const at = this.#services.clock.now()
    this.#span = this.#requestSpan?.beginAttempt({ clusterName: observabilityName, number: 1, aside }, at)
    this.#span?.inject(this.#headers)
  }

  /** The clock of the timeout begins here. */
  #onRequestComplete(): void {
    this.#startedAt = this.#services.clock.now()
    this.#timer.start(this.#timeout)
  }

  #onTimeout(): void {
    const attempt = this.#attempt
    if (attempt === undefined || this.#over) return
    this.#cluster.stats.upstream_rq_timeout.add()
    attempt.host.stats.rq_timeout.add()
    attempt.cancel()
    attempt.host.monitor?.failed(504)
    if (attempt.status === 0) {
      attempt.host.stats.rq_error.add()
      this.#fail(FAILURES.response_timeout.status)
    }
    this.#finish(attempt, true)
  }

  #fail(status: number): void {
    this.#cluster.countStatus(status, true)
  }

  #finish(attempt: Attempt | undefined, canceled: boolean, resetReason?: ResetReason): void {
    this.#over = true
    this.#timer.stop()
    this.#body = []
    this.onDrain()
    this.#span?.finish({
      at: this.#services.clock.now(),
      upstreamAddress: attempt?.hostKnown ? attempt.host.address : '',
      statusCode: attempt?.status ?? 0,
      responseHeaders: attempt?.responseHeaders,
      responseFlags: resetReason === undefined ? '' : (FAILURES[resetReason].flag ?? ''),
      ...(resetReason === undefined ? {} : { resetReason }),
      canceled,
      firstUpstreamTxByte: attempt?.firstTxByte ?? Number.NaN,
      lastUpstreamTxByte: attempt?.lastTxByte ?? Number.NaN,
      firstUpstreamRxByte: attempt?.firstRxByte ?? Number.NaN,
      lastUpstreamRxByte: attempt?.lastRxByte ?? Number.NaN,
    })
  }
}

const OWN_IP = localIp()

/** What Envoy's client for requests of its own adds. */
function addInternalHeaders(headers: RequestHeaders, timeout: Milliseconds): void {
  headers.set('x-envoy-internal', 'true')
  headers.appendJoined('x-forwarded-for', OWN_IP, ',')
  if (timeout > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(timeout))
}

/** The suffix goes before the port: `a:80` → `a-shadow:80`. */
export function shadowHost(host: string): string {
  const port = /:\d+$/.exec(host)?.[0] ?? ''
  return `${host.slice(0, host.length - port.length)}-shadow${port}`
}
