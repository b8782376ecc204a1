import type { Milliseconds } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import { FAILURES } from '../errors.ts'
import { localIp } from '../http/client-address.ts'
import type { ResponseHead } from '../http/codec/response-decoder.ts'
import { statusOfHost } from '../http/grpc-status.ts'
import type { HeaderMap, RequestHeaders, ResponseHeaders } from '../http/headers.ts'
import type { Instant } from '../stream-info.ts'
import type { Timer, Timers } from '../timers.ts'
import type { AttemptSpan } from '../tracing/http-tracer.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'
import { Attempt, type AttemptOwner } from '../upstream/send.ts'
import type { ActiveCluster, Answer } from './active-cluster.ts'
import type { MetadataMatch } from './balancing/metadata-match.ts'

export interface OwnRequestHead {
  headers: RequestHeaders
  /** It is said by `write` and `end`. */
  hasBody: boolean
  /** Asked when the body has ended. */
  trailers?: () => HeaderMap | undefined
  /** From when all of the request is there; 0: none. */
  timeout: Milliseconds
  /** Bytes of the body that wait for a connection before `write` says to wait. */
  bufferLimit: number
  /** x-forwarded-for says who asks. */
  forwardedFor: boolean
  /** Which subset of the hosts. */
  match?: MetadataMatch | undefined
}

export interface OwnRequestEnd {
  /** Undefined: there was no host to ask. */
  attempt: Attempt | undefined
  /** Of the answer that came whole, or of the failure; 0: given up. */
  status: number
  /** Undefined: nobody answered, or not to the end. */
  headers: ResponseHeaders | undefined
  /** Short flag of the failure; "" for an answer. */
  flag: string
  resetReason?: ResetReason | undefined
  /** Reset here: a timeout, or given up. */
  canceled: boolean
}

/** A request of the proxy itself: one attempt, with the head, the numbers and the local answers of Envoy's AsyncClient. */
export class OwnRequest implements AttemptOwner {
  readonly #cluster: ActiveCluster
  readonly #head: OwnRequestHead
  readonly #clock: Clock
  readonly #timer: Timer
  #attempt: Attempt | undefined
  #body: Uint8Array[] = []
  #buffered = 0
  /** All of the request is here. */
  #whole: boolean
  #over = false
  #completeAt: Instant = Number.NaN
  #answer: ResponseHeaders | undefined
  /** It takes bytes again, after `write` said that it does not; also at its end. */
  onDrain: () => void = () => {}
  onData: (chunk: Buffer) => void = () => {}
  onEnd: (end: OwnRequestEnd) => void = () => {}
  /** Its span, whose context the request carries. */
  beginSpan: ((at: Instant) => AttemptSpan | undefined) | undefined
  span: AttemptSpan | undefined

  constructor(cluster: ActiveCluster, head: OwnRequestHead, { clock, timers }: { clock: Clock; timers: Timers }) {
    this.#cluster = cluster
    this.#head = head
    this.#clock = clock
    this.#whole = !head.hasBody
    this.#timer = timers.create(() => this.#onTimeout())
  }

  start(): void {
    const { headers, timeout, forwardedFor, match } = this.#head
    this.span = this.beginSpan?.(this.#clock.now())
    this.span?.inject(headers)
    headers.set('x-envoy-internal', 'true')
    if (forwardedFor) headers.appendJoined('x-forwarded-for', OWN_IP, ',')
    if (timeout > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(timeout))
    const host = this.#cluster.pickHost(match && { match })
    if (host === undefined) {
      const { status, flag } = FAILURES.no_healthy_host
      this.#cluster.countStatus(status, true)
      this.#finish({ status, flag, canceled: false })
      return
    }
    this.#attempt = new Attempt(host, 1, this.#head, this.#clock, this)
    if (this.#whole) this.#onWhole()
    this.#attempt.start()
  }

  /** False: wait for `onDrain`. */
  write(chunk: Uint8Array): boolean {
    if (this.#over) return true
    if (this.#attempt?.ready) return this.#attempt.write(chunk)
    this.#body.push(chunk)
    this.#buffered += chunk.length
    return this.#buffered <= this.#head.bufferLimit
  }

  end(): void {
    if (this.#over) return
    this.#whole = true
    this.#onWhole()
    if (this.#attempt?.ready) this.#attempt.end()
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    if (this.#over) return
    this.#attempt?.cancel()
    this.#finish({ status: 0, flag: '', canceled: true })
  }

  cancelUnlessWhole(): void {
    if (!this.#whole) this.cancel()
  }

  onAttemptReady(attempt: Attempt): void {
    if (!this.#head.hasBody) return
    const waiting = this.#buffered > this.#head.bufferLimit
    for (const chunk of this.#body) attempt.write(chunk)
    this.#body = []
    this.#buffered = 0
    if (this.#whole) attempt.end()
    if (waiting) this.onDrain()
  }

  onInformational(status: number): void {
    this.#cluster.countStatus(status, true)
  }

  onResponseHead(attempt: Attempt, { headers }: ResponseHead): void {
    const { status } = headers
    this.#answer = headers
    if (this.#whole) headers.set('x-envoy-upstream-service-time', String(this.#elapsed()))
    attempt.host.monitor?.answered(statusOfHost(this.#head.headers, headers))
    this.#cluster.countStatus(status, true, this.#answerOf(attempt))
    const { rq_error, rq_success } = attempt.host.stats
    if (status >= 500) rq_error.add()
    else rq_success.add()
  }

  onResponseData(_: Attempt, chunk: Buffer): void {
    this.onData(chunk)
  }

  onResponseEnd(attempt: Attempt): void {
    if (this.#whole) this.#cluster.recordTime(this.#elapsed(), true, this.#answerOf(attempt))
    else attempt.abandon()
    this.#finish({ status: attempt.status, headers: this.#answer, flag: '', canceled: false })
  }

  onAttemptReset(attempt: Attempt, resetReason: ResetReason): void {
    const { status, flag } = FAILURES[resetReason]
    if (attempt.status === 0) this.#chargeFailure(attempt, status)
    if (resetReason !== 'overflow') attempt.host.monitor?.failed(503)
    this.#finish({ status, flag: flag ?? '', canceled: false, resetReason })
  }

  onUpstreamDrain(): void {
    this.onDrain()
  }

  /** The clock of the timeout begins here. */
  #onWhole(): void {
    this.#completeAt = this.#clock.now()
    this.#timer.start(this.#head.timeout)
  }

  #elapsed(): Milliseconds {
    return Math.trunc(this.#clock.now() - this.#completeAt)
  }

  #onTimeout(): void {
    const attempt = this.#attempt
    if (attempt === undefined || this.#over) return
    const { status, flag } = FAILURES.response_timeout
    this.#cluster.stats.upstream_rq_timeout.add()
    attempt.host.stats.rq_timeout.add()
    attempt.cancel()
    attempt.host.monitor?.failed(status)
    if (attempt.status === 0) this.#chargeFailure(attempt, status)
    this.#finish({ status, flag, canceled: true })
  }

  #answerOf({ host }: Attempt): Answer {
    return { host, canary: host.isCanary || this.#answer?.get('x-envoy-upstream-canary') === 'true' }
  }

  #chargeFailure(attempt: Attempt, status: number): void {
    attempt.host.stats.rq_error.add()
    this.#cluster.countStatus(status, true, this.#answerOf(attempt))
  }

  #finish(end: Omit<OwnRequestEnd, 'attempt' | 'headers'> & { headers?: ResponseHeaders | undefined }): void {
    this.#over = true
    this.#timer.stop()
    this.#body = []
    this.onDrain()
    this.onEnd({ headers: undefined, ...end, attempt: this.#attempt })
  }
}

const OWN_IP = localIp()
