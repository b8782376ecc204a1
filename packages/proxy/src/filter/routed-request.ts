import type { Milliseconds } from '@hopscope/envoy-config'
import type { PickContext } from '../cluster/balancing/load-balancer.ts'
import { FAILURES, type Failure, untold } from '../errors.ts'
import type { ResponseHead } from '../http/codec/response-decoder.ts'
import type { Exchange, RequestHandler } from '../http/exchange.ts'
import { statusOfHost } from '../http/grpc-status.ts'
import type { ResponseHeaders } from '../http/headers.ts'
import { respond } from '../respond.ts'
import type { Counter } from '../stats/stats.ts'
import type { Instant } from '../stream-info.ts'
import type { Timer } from '../timers.ts'
import { attemptOutcome } from '../tracing/attempt-outcome.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'
import { Attempt, type AttemptOwner } from '../upstream/send.ts'
import { rewriteHost } from './finalise-request.ts'
import { keepsBody, redirectRequest } from './internal-redirect.ts'
import type { Plan } from './plan.ts'
import { RequestBody } from './request-body.ts'
import { RequestCharges } from './request-charges.ts'
import { resetFailure } from './reset-failure.ts'
import type { RetryDecision, RetryState } from './retry-state.ts'
import type { RouterServices } from './router-services.ts'
import { SlowAttempts } from './slow-attempts.ts'
import { setExpectedTimeout } from './timeouts.ts'
import { type TryLimitOwner, TryTimers } from './try-timers.ts'

const NOTHING = Buffer.alloc(0)

/** One request at the router: its attempts, its timeouts, its body on the way up and the response on the way down. */
export class RoutedRequest implements RequestHandler, AttemptOwner, TryLimitOwner {
  readonly #exchange: Exchange
  readonly #plan: Plan
  readonly #services: RouterServices
  readonly #charges: RequestCharges
  readonly #responseTimer: Timer
  readonly #limits: TryTimers | undefined
  /** The next try follows a timeout. */
  #retriesTimeout = false
  #backOffTimer: Timer | undefined
  #attempt: Attempt | undefined
  #attempts = 0
  readonly #body: RequestBody | undefined
  /** The router has all of the request. */
  #requestEnded: boolean
  /** None is made any more: the policy says so, or the body is too large to be kept. */
  #retry: RetryState | undefined
  /** No host could be chosen. */
  #hostless = false
  /** Made for the client, that it comes to the same host again. */
  readonly #cookies: string[] = []
  #responding = false
  #slow: SlowAttempts | undefined
  /** The next attempt is to come. */
  #retryPending = false
  /** A 1xx has come. */
  #informed = false
  #isOver = false
  #readingPaused = false
  /** A response without a body: sent when its end is seen, which is at once. */
  #wholeHead: ResponseHeaders | undefined

  constructor(exchange: Exchange, plan: Plan, services: RouterServices) {
    this.#exchange = exchange
    this.#plan = plan
    this.#services = services
    this.#charges = new RequestCharges(exchange, plan)
    this.#body = exchange.hasBody ? new RequestBody(exchange, plan) : undefined
    this.#requestEnded = !exchange.hasBody
    this.#retry = plan.retry
    this.#limits = TryTimers.create(plan, services.timers, this)
    this.#responseTimer = services.timers.create(() => this.#onResponseTimeout())
  }

  /** The first attempt. */
  start(): void {
    const { mirrors, timeout } = this.#plan
    const now = this.#services.clock.now()
    if (this.#requestEnded) this.#responseTimer.start(timeout, now)
    this.#send(now)
    // Without a host for the request itself there are no copies.
    if (mirrors === undefined || this.#hostless) return
    mirrors.onDrain = () => this.#body?.onMirrorsDrained()
    mirrors.start()
    if (this.#isOver) mirrors.cancel()
  }

  // ── the request's body ───────────────────────────────────────────────────────────────────────────────────────────────────

  onData(chunk: Buffer): void {
    const body = this.#body!
    const ready = this.#attempt?.ready === true && !this.#attempt.done ? this.#attempt : undefined
    body.hold(chunk, ready)
    if (body.isTooLargeToKeep) {
      this.#plan.cluster.stats.retry_or_shadow_abandoned.add()
      body.keepNoMore()
      this.#retry?.close()
      this.#retry = undefined
      if (ready !== undefined) body.drop()
      else if (this.#attempt === undefined) {
        this.#fail(FAILURES.buffer_while_retrying)
        return
      }
    }
    body.pass(chunk, ready)
    this.#plan.mirrors?.write(chunk)
  }

  onEnd(): void {
    this.#requestEnded = true
    this.#responseTimer.start(this.#plan.timeout)
    this.#plan.mirrors?.end()
    const attempt = this.#attempt
    if (attempt?.ready && !attempt.done) {
      this.#limits?.onRequestSent()
      attempt.end()
    }
  }

  onDrain(): void {
    if (!this.#readingPaused) return
    this.#readingPaused = false
    this.#attempt?.resumeReading()
  }

  onCancel(): void {
    const attempt = this.#attempt
    this.#cancelSlow()
    this.#stop()
    if (attempt !== undefined && !attempt.done) this.#cancel(attempt)
  }

  // ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #send(now: Instant = this.#services.clock.now()): void {
    const { cluster, action, countAttempts, suppressEnvoyHeaders } = this.#plan
    const { info, headers } = this.#exchange
    const { clock } = this.#services
    this.#retryPending = false
    this.#attempts++
    info.upstreamAttemptCount = this.#attempts
    const host = cluster.pickHost(this.#pickContext(), this.#plan.priority)
    if (host === undefined) {
      this.#hostless = true
      this.#failWithoutAnswer(FAILURES.no_healthy_host)
      return
    }
    this.#retry?.onHost(host)
    info.tellUpstreamHost(host)
    info.upstreamTransportFailureReason = ''
    info.upstreamLocalAddress = ''
    info.upstreamConnection = undefined
    info.upstreamPoolWait = Number.NaN
    if (action.autoHostRewrite && host.hostname !== '')
      rewriteHost(this.#exchange, host.hostname, action, suppressEnvoyHeaders)
    if (countAttempts.request) headers.set('x-envoy-attempt-count', String(this.#attempts))
    if (this.#attempts > 1 && this.#plan.tellTimeoutRetries)
      headers.set('x-envoy-is-timeout-retry', String(this.#retriesTimeout))
    if (this.#attempts > 1 && !suppressEnvoyHeaders) {
      const elapsed = this.#requestEnded ? Math.trunc(clock.now() - this.#exchange.requestCompleteAt) : 0
      setExpectedTimeout(headers, this.#plan, elapsed)
    }
    const span = this.#exchange.span?.beginAttempt(
      { clusterName: cluster.observabilityName, number: this.#attempts },
      now,
    )
    span?.inject(headers)
    const request = {
      headers,
      hasBody: this.#body !== undefined,
      priority: this.#plan.priority,
      trailers: () => this.#exchange.requestTrailers,
      bytes: info.upstreamBytes,
    }
    const attempt = new Attempt(host, this.#attempts, request, clock, this)
    attempt.span = span
    this.#attempt = attempt
    attempt.start()
  }

  #pickContext(): PickContext | undefined {
    let context = this.#attempts > 1 ? this.#retry?.pickContext : undefined
    const { hash, metadataMatch } = this.#plan
    if (metadataMatch !== undefined) context = { ...context, match: metadataMatch }
    if (hash === undefined) return context
    const setCookie = (field: string): void => void this.#cookies.push(field)
    return { ...context, hash: () => hash(this.#exchange, setCookie) }
  }

  onAttemptReady(attempt: Attempt): void {
    const { info } = this.#exchange
    this.#charges.sent()
    info.upstreamLocalAddress = attempt.localAddress
    info.upstreamConnection = attempt.connection
    info.upstreamPoolWait = attempt.poolWait
    // Of several attempts the request's span, and its log line, have the times of the last.
    info.firstUpstreamTxByte = attempt.firstTxByte
    if (this.#requestEnded) this.#limits?.onRequestSent()
    this.#limits?.onConnected()
    if (this.#body === undefined) return
    this.#body.passAll(attempt)
    if (this.#requestEnded) attempt.end()
  }

  onInformational(status: number, headers: ResponseHeaders): void {
    // Of several Envoy charges the first. For its router the response has begun then: no more tries, and no limit for this one.
    if (this.#informed) return
    this.#informed = true
    this.#exchange.sendInformational(headers)
    this.#retry = undefined
    this.#limits?.onAnswer()
    this.#charges.answered(status, undefined)
  }

  onResponseHead(attempt: Attempt, head: ResponseHead): void {
    const wasSlow = this.#slow?.has(attempt) === true
    if (!wasSlow) this.#limits?.onAnswer()
    this.#limits?.onBytes()
    const { cluster, suppressEnvoyHeaders, countAttempts } = this.#plan
    const exchange = this.#exchange
    const { headers } = head
    const { status } = headers
    attempt.host.monitor?.answered(statusOfHost(exchange.info.requestHeaders, headers))
    if (headers.has('x-envoy-immediate-health-check-fail')) attempt.host.failCheck?.()
    // One that another has followed is not tried again.
    const decision = wasSlow ? undefined : this.#retry?.onStatus(status, headers)
    if (decision?.retry) {
      cluster.codes.retry.add(status)
      if (status >= 500) attempt.host.stats.rq_error.add()
      this.#discard(attempt, head)
      this.#retryLater(decision)
      return
    }
    this.#noteLimit(decision)
    const isBad = wasSlow ? this.#retry?.isRetriable(status, headers) : decision?.limit !== undefined
    if (isBad && this.#othersThan(attempt)) {
      attempt.host.stats.rq_error.add()
      this.#discard(attempt, head)
      if (wasSlow) this.#slow?.delete(attempt)
      else this.#attempt = undefined
      return
    }
    this.#settleFor(attempt)
    if (this.#plan.redirects?.responseCodes.includes(status) && this.#followRedirect(attempt, head)) return
    this.#charges.fromCanary = headers.get('x-envoy-upstream-canary') === 'true'
    this.#charges.answered(status, attempt.host)
    if (status >= 500) attempt.host.stats.rq_error.add()
    else attempt.host.stats.rq_success.add()

    const { info } = exchange
    info.responseCodeDetails = 'via_upstream'
    info.firstUpstreamRxByte = attempt.firstRxByte
    if (!suppressEnvoyHeaders && this.#requestEnded) {
      const time = Math.trunc(attempt.firstRxByte - exchange.requestCompleteAt)
      headers.set('x-envoy-upstream-service-time', String(time))
    }
    for (const field of this.#cookies) headers.append('set-cookie', field)
    this.#responding = true
    this.#body?.drop()
    this.#body?.keepNoMore()
    info.responseCode = status
    exchange.responseMutations?.(headers, info)
    if (countAttempts.response) headers.set('x-envoy-attempt-count', String(this.#attempts))
    if (head.hasBody) exchange.sendHead(headers, false)
    else this.#wholeHead = headers
  }

  /** Another exchange goes on with the request, at the place that the answer names. */
  #followRedirect(attempt: Attempt, head: ResponseHead): boolean {
    const { redirects, http, cluster } = this.#plan
    const { headers: answer } = head
    const exchange = this.#exchange
    const body = this.#body === undefined ? NOTHING : this.#body.whole
    const isThere = this.#requestEnded && body !== undefined && answer.has('location')
    if (!isThere || !redirectRequest(exchange, answer, redirects!, http)) {
      cluster.stats.upstream_internal_redirect_failed_total.add()
      return false
    }
    cluster.stats.upstream_internal_redirect_succeeded_total.add()
    this.#discard(attempt, head)
    this.#stop()
    exchange.recreate(answer, keepsBody(answer, exchange.headers) ? body : NOTHING)
    return true
  }

  /** What is left of its response is not waited for. */
  #discard(attempt: Attempt, head: ResponseHead): void {
    if (head.hasBody) attempt.cancel()
    else {
      attempt.done = true
      attempt.lastRxByte = attempt.firstRxByte
    }
    this.#finishSpan(attempt, head.hasBody)
  }

  onResponseData(attempt: Attempt, chunk: Buffer): void {
    this.#limits?.onBytes()
    this.#exchange.info.firstUpstreamRxBodyByte = attempt.firstRxBodyByte
    if (!this.#exchange.sendData(chunk) && !this.#readingPaused) {
      this.#readingPaused = true
      attempt.pauseReading()
    }
  }

  onResponseEnd(attempt: Attempt): void {
    const exchange = this.#exchange
    this.#stop()
    exchange.responseTrailers = exchange.info.responseTrailers = attempt.responseTrailers
    exchange.info.lastUpstreamRxByte = attempt.lastRxByte
    exchange.info.lastUpstreamTxByte = attempt.lastTxByte
    if (this.#requestEnded) {
      const time = Math.trunc(attempt.lastRxByte - exchange.requestCompleteAt)
      this.#charges.tookTime(time, attempt.host)
    }
    this.#finishSpan(attempt, false)
    // An upstream that answers before it has heard everything is not listened to for longer.
    if (!this.#requestEnded) attempt.abandon()
    if (this.#wholeHead === undefined) exchange.sendEnd()
    else exchange.sendHead(this.#wholeHead, true)
  }

  onAttemptReset(attempt: Attempt, reason: ResetReason, transportFailure: string): void {
    const wasSlow = this.#slow?.has(attempt) === true
    if (!wasSlow) this.#limits?.onFailure()
    const { info } = this.#exchange
    if (!attempt.hostKnown) info.tellUpstreamHost(undefined)
    if (!attempt.ready) info.upstreamPoolWait = attempt.poolWait
    if (transportFailure !== '') info.upstreamTransportFailureReason = transportFailure.replaceAll(' ', '_')
    this.#finishSpan(attempt, false, reason)
    if (this.#responding) {
      this.#failInside(attempt)
      return
    }
    if (!this.#informed) attempt.host.stats.rq_error.add()
    if (reason !== 'overflow') attempt.host.monitor?.failed(503)
    const decision = wasSlow ? undefined : this.#retry?.onReset(reason, attempt.ready)
    if (decision?.retry) {
      this.#retryLater(decision)
      return
    }
    this.#noteLimit(decision)
    const others = this.#othersThan(attempt)
    this.#slow?.delete(attempt)
    if (others) {
      this.#charges.answered(FAILURES[reason].status, attempt.host)
      if (!wasSlow) this.#attempt = undefined
      return
    }
    this.#failWithoutAnswer(resetFailure(reason, transportFailure, this.#attempts, this.#informed), attempt)
  }

  onUpstreamDrain(): void {
    this.#body?.resume()
  }

  #retryLater(decision: { after: Milliseconds }, afterTimeout = false): void {
    this.#limits?.onRetry()
    this.#attempt = undefined
    this.#retryPending = true
    this.#retriesTimeout = afterTimeout
    this.#backOffTimer ??= this.#services.timers.create(() => this.#send())
    if (decision.after === 0) setImmediate(() => this.#retryPending && !this.#isOver && this.#send())
    else this.#backOffTimer.start(decision.after)
  }

  // ── hedging ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The try takes too long: it is waited for, beside another. */
  #onSlowTry(): void {
    const attempt = this.#attempt
    if (attempt === undefined) return
    attempt.host.monitor?.failed(504)
    if (this.#responding) return
    const decision = this.#retry?.onHedge()
    if (decision?.retry) {
      this.#slow ??= new SlowAttempts()
      this.#slow.add(attempt)
      this.#retryLater(decision, true)
    } else this.#noteLimit(decision)
  }

  /** There is another attempt that may answer, or will be. */
  #othersThan(attempt: Attempt): boolean {
    const isCurrent = this.#attempt === undefined || this.#attempt === attempt
    return this.#slow?.othersThan(attempt) === true || this.#retryPending || !isCurrent
  }

  /** This is the one whose response goes to the client. */
  #settleFor(attempt: Attempt): void {
    const slow = this.#slow
    if (slow === undefined || slow.size === 0) return
    const wasSlow = slow.delete(attempt)
    this.#cancelSlow()
    this.#limits?.onAnswer()
    this.#backOffTimer?.stop()
    this.#retryPending = false
    if (!wasSlow) return
    const current = this.#attempt
    if (current !== undefined && !current.done) this.#cancel(current)
    this.#attempt = attempt
    this.#exchange.info.tellUpstreamHost(attempt.host)
    this.#exchange.info.upstreamLocalAddress = attempt.localAddress
  }

  #cancelSlow(): void {
    if (this.#slow === undefined) return
    for (const attempt of this.#slow) this.#cancel(attempt)
    this.#slow.clear()
  }

  // ── timeouts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  onPerTryTimeout(): void {
    if (this.#plan.hedge) {
      this.#onSlowTry()
      return
    }
    this.#onTryTimeout(this.#plan.cluster.stats.upstream_rq_per_try_timeout, FAILURES.per_try_timeout)
  }

  onTryIdle(): void {
    this.#onTryTimeout(this.#plan.cluster.stats.upstream_rq_per_try_idle_timeout, FAILURES.per_try_idle_timeout)
  }

  #onTryTimeout(counter: Counter, failure: Failure): void {
    const attempt = this.#attempt
    if (attempt === undefined) return
    counter.add()
    this.#limits?.onFailure()
    attempt.host.stats.rq_timeout.add()
    this.#cancel(attempt)
    attempt.host.stats.rq_error.add()
    attempt.host.monitor?.failed(504)
    if (this.#responding) {
      this.#fail(failure)
      return
    }
    const decision = this.#retry?.onPerTryTimeout()
    if (decision?.retry) {
      this.#retryLater(decision, true)
      return
    }
    this.#noteLimit(decision)
    this.#failWithoutAnswer(failure, attempt)
  }

  /** The upstream has had the time that its cluster allows for one request. */
  onStreamDuration(): void {
    const attempt = this.#attempt
    if (attempt === undefined) return
    this.#plan.cluster.stats.upstream_rq_max_duration_reached.add()
    this.#cancel(attempt)
    if (!this.#responding) {
      const decision = this.#retry?.onReset('local reset')
      if (decision?.retry) {
        attempt.host.stats.rq_error.add()
        this.#retryLater(decision)
        return
      }
      this.#noteLimit(decision)
    }
    const failure = FAILURES.upstream_max_duration
    this.#fail(this.#requestEnded ? failure : { ...failure, status: 408 })
  }

  #onResponseTimeout(): void {
    for (const slow of this.#slow ?? []) {
      this.#charges.timedOut(slow.host)
      slow.host.stats.rq_error.add()
      this.#charges.answered(FAILURES.response_timeout.status, slow.host)
    }
    this.#cancelSlow()
    const attempt = this.#attempt
    if (attempt !== undefined) {
      this.#charges.timedOut(attempt.host)
      this.#cancel(attempt)
      attempt.host.monitor?.failed(504)
      if (!this.#responding && !this.#informed) attempt.host.stats.rq_error.add()
    }
    const failure = FAILURES.response_timeout
    if (this.#responding) this.#fail(failure)
    else
      this.#failWithoutAnswer(this.#plan.timeoutIsNoContent ? { ...failure, status: 204, body: '' } : failure, attempt)
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The upstream is gone in the middle of its response. */
  #failInside(attempt: Attempt): void {
    this.#exchange.info.lastUpstreamRxByte = attempt.lastRxByte
    this.#fail({ ...FAILURES['protocol error'], details: 'upstream_reset_after_response_started{protocol_error}' })
  }

  /** A failure that the cluster is charged with, as if it had answered so; unless it was charged with a 1xx. */
  #failWithoutAnswer(failure: Failure, attempt?: Attempt): void {
    if (!this.#informed) this.#charges.answered(failure.status, attempt?.host)
    this.#fail(failure)
  }

  #fail(failure: Failure): void {
    this.#stop()
    const { countAttempts } = this.#plan
    respond(this.#exchange, this.#plan.suppressEnvoyHeaders ? untold(failure) : failure, headers => {
      if (countAttempts.response) headers.append('x-envoy-attempt-count', String(this.#attempts))
    })
  }

  #stop(): void {
    this.#isOver = true
    this.#responseTimer.stop()
    this.#limits?.stop()
    this.#backOffTimer?.stop()
    this.#retry?.close()
    this.#exchange.handler = undefined
    this.#body?.drop()
    this.#plan.mirrors?.cancel()
  }

  #cancel(attempt: Attempt): void {
    attempt.cancel()
    this.#finishSpan(attempt, true)
  }

  #finishSpan(attempt: Attempt, canceled: boolean, resetReason?: ResetReason): void {
    const { span } = attempt
    attempt.span = undefined
    if (span?.finish === undefined) return
    const outcome = attemptOutcome(attempt, this.#services.clock.now(), canceled, resetReason)
    if (this.#responding) outcome.responseFlags = ''
    span.finish(outcome)
  }

  #noteLimit(decision: RetryDecision | undefined): void {
    if (decision === undefined || decision.retry || decision.limit === undefined) return
    this.#exchange.info.flags.add(decision.limit === 'attempts' ? 'URX' : 'UO')
  }
}
