import type { Clock } from '../clock.ts'
import { FAILURES } from '../errors.ts'
import { localIp } from '../http/client-address.ts'
import type { ResponseHead } from '../http/codec/response-decoder.ts'
import { RequestHeaders, type ResponseHeaders } from '../http/headers.ts'
import type { Timer, Timers } from '../timers.ts'
import type { AttemptSpan } from '../tracing/http-tracer.ts'
import type { ResetReason } from '../upstream/reset-reason.ts'
import { Attempt, type AttemptOwner } from '../upstream/send.ts'
import type { ActiveCluster } from './active-cluster.ts'
import type { AsyncAnswer, AsyncClient, AsyncRequest } from './async-client.ts'
import type { ClusterManager } from './cluster-manager.ts'
import type { Host } from './host.ts'

export interface AsyncClientServices {
  clusters: ClusterManager
  clock: Clock
  timers: Timers
}

/** Requests of the proxy itself: one attempt each, with the head, the numbers and the local answers of Envoy's AsyncClient. */
export function createAsyncClient({ clusters, clock, timers }: AsyncClientServices): AsyncClient {
  const ownIp = localIp()

  function start(request: AsyncRequest, keepBody: boolean, done: (answer: AsyncAnswer) => void): () => void {
    const cluster = clusters.get(request.cluster)
    if (cluster === undefined) {
      done(unanswered(FAILURES.no_cluster.status))
      return () => {}
    }
    const host = cluster.pickHost()
    if (host === undefined) {
      cluster.stats.upstream_cx_none_healthy.add()
      cluster.countStatus(503, true)
      done(unanswered(503))
      return () => {}
    }
    const exchange = new OwnRequest(cluster, host, request, keepBody, clock, timers, done)
    exchange.start(ownIp)
    return () => exchange.cancel()
  }

  return {
    send: request => new Promise(resolve => void start(request, false, resolve)),
    ask: (request, done) => start(request, true, done),
  }
}

class OwnRequest implements AttemptOwner {
  readonly #cluster: ActiveCluster
  readonly #host: Host
  readonly #request: AsyncRequest
  readonly #keepBody: boolean
  readonly #clock: Clock
  readonly #begun: number
  readonly #timer: Timer
  readonly #done: (answer: AsyncAnswer) => void
  #attempt: Attempt | undefined
  #span: AttemptSpan | undefined
  #headers: ResponseHeaders | undefined
  #chunks: Buffer[] = []

  constructor(
    cluster: ActiveCluster,
    host: Host,
    request: AsyncRequest,
    keepBody: boolean,
    clock: Clock,
    timers: Timers,
    done: (answer: AsyncAnswer) => void,
  ) {
    this.#cluster = cluster
    this.#host = host
    this.#request = request
    this.#keepBody = keepBody
    this.#clock = clock
    this.#begun = clock.now()
    this.#timer = timers.create(() => this.#onTimeout())
    this.#done = done
  }

  start(ownIp: string): void {
    const headers = headersOf(this.#request)
    const hasBody = this.#request.body.length > 0
    this.#attempt = new Attempt(this.#host, 1, { headers, hasBody, priority: 'default' }, this.#clock, this)
    const { observabilityName, name } = this.#cluster
    this.#span = this.#request.parent?.span.beginAttempt(
      {
        clusterName: observabilityName,
        number: 1,
        aside: { spanName: `async ${observabilityName} egress`, clusterName: name },
      },
      this.#begun,
    )
    this.#span?.inject(headers)
    addInternalHeaders(headers, this.#request, ownIp)
    this.#timer.start(this.#request.timeout)
    this.#attempt.start()
  }

  cancel(): void {
    this.#timer.stop()
    this.#attempt?.cancel()
    this.#finishSpan(unanswered(0))
  }

  onAttemptReady(attempt: Attempt): void {
    if (this.#request.body.length === 0) return
    attempt.write(this.#request.body)
    attempt.end()
  }

  onInformational(status: number): void {
    this.#cluster.countStatus(status, true)
  }

  onResponseHead(_: Attempt, { headers }: ResponseHead): void {
    this.#headers = headers
    if (this.#keepBody)
      headers.set('x-envoy-upstream-service-time', String(Math.trunc(this.#clock.now() - this.#begun)))
    this.#cluster.countStatus(headers.status, true)
    const { rq_error, rq_success } = this.#host.stats
    if (headers.status >= 500) rq_error.add()
    else rq_success.add()
  }

  onResponseData(_: Attempt, chunk: Buffer): void {
    if (this.#keepBody) this.#chunks.push(chunk)
  }

  onResponseEnd(attempt: Attempt): void {
    this.#timer.stop()
    this.#cluster.recordTime(Math.trunc(this.#clock.now() - this.#begun), true)
    this.#end({ status: attempt.status, headers: this.#headers, body: Buffer.concat(this.#chunks) })
  }

  onAttemptReset(_: Attempt, reason: ResetReason): void {
    this.#timer.stop()
    const { status } = FAILURES[reason]
    this.#failed(status)
    this.#end(unanswered(status), FAILURES[reason].flag)
  }

  onUpstreamDrain(): void {}

  #onTimeout(): void {
    this.#cluster.stats.upstream_rq_timeout.add()
    this.#host.stats.rq_timeout.add()
    this.#failed(504)
    this.#attempt?.cancel()
    this.#end(unanswered(504), 'UT')
  }

  #end(answer: AsyncAnswer, flag?: string): void {
    this.#finishSpan(answer, flag)
    this.#done(answer)
  }

  /** As of a whole request, not of an attempt: a failure is the status that it was answered with here. */
  #finishSpan(answer: AsyncAnswer, flag = ''): void {
    const attempt = this.#attempt
    if (attempt === undefined || this.#span === undefined) return
    this.#span.finish({
      at: this.#clock.now(),
      upstreamAddress: attempt.hostKnown ? this.#host.address : '',
      statusCode: answer.status,
      responseFlags: flag,
      responseHeaders: attempt.responseHeaders,
      canceled: answer.status === 0,
      tags: this.#request.parent!.tagsOf(answer),
      firstUpstreamTxByte: Number.isNaN(attempt.firstTxByte) ? this.#begun : attempt.firstTxByte,
      lastUpstreamTxByte: attempt.lastTxByte,
      firstUpstreamRxByte: attempt.firstRxByte,
      lastUpstreamRxByte: attempt.lastRxByte,
    })
  }

  #failed(status: number): void {
    if (this.#headers !== undefined) return
    this.#cluster.countStatus(status, true)
    this.#host.stats.rq_error.add()
  }
}

function unanswered(status: number): AsyncAnswer {
  return { status, headers: undefined, body: Buffer.alloc(0) }
}

function headersOf(request: AsyncRequest): RequestHeaders {
  const headers = new RequestHeaders()
  headers.method = request.method
  headers.path = request.path
  headers.authority = request.host
  for (const [name, value] of request.headers) headers.append(name, value)
  return headers
}

function addInternalHeaders(headers: RequestHeaders, request: AsyncRequest, ownIp: string): void {
  headers.append('x-envoy-internal', 'true')
  if (request.withoutForwardedFor !== true) headers.append('x-forwarded-for', ownIp)
  if (request.timeout > 0) headers.append('x-envoy-expected-rq-timeout-ms', String(request.timeout))
}
