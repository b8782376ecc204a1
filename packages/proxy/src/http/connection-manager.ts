import { FAILURES, type Failure } from '../errors.ts'
import { respond } from '../respond.ts'
import type { Instant, StreamInfo } from '../stream-info.ts'
import { Output } from '../transport/output.ts'
import type { Transport, TransportHandler } from '../transport/transport.ts'
import { checkRequest, refuse } from './check-request.ts'
import { CONNECTION_HEADER_REJECTED, type CodecError } from './codec/codec-error.ts'
import { RequestDecoder, type RequestHead } from './codec/request-decoder.ts'
import { hasToken } from './codec/response-decoder.ts'
import { completeInterimResponse, completeResponse } from './complete-response.ts'
import { ConnectionLife, type LivingConnection } from './connection-life.ts'
import type { ConnectionManagerContext } from './connection-manager-context.ts'
import { ConnectionNumbers } from './connection-numbers.ts'
import { type Downstream, Exchange } from './exchange.ts'
import { HeadTimer } from './head-timer.ts'
import { RequestHeaders, type ResponseHeaders } from './headers.ts'
import { ProgressLog } from './progress-log.ts'
import { RequestFlow } from './request-flow.ts'
import { requestLimits } from './request-limits.ts'
import { ResponseBacklog } from './response-backlog.ts'
import { ResponseWriter } from './response-writer.ts'
import { statusText } from './status-text.ts'
import { streamDuration } from './stream-duration.ts'
import { StreamLedger } from './stream-ledger.ts'
import { type StreamTimeoutCounter, StreamTimers } from './stream-timers.ts'
import { takeRoute } from './take-route.ts'

/**
 * One HTTP/1 connection of a client: requests one after the other, each through the steps of `#begin`, and their responses back.
 *
 *     bytes → decoder → #onHead → #begin → filters … → sendHead, sendData, sendEnd → bytes
 *                                   └ whatever fails → respond ┘          #finish: log, span, numbers
 */
export class ConnectionManager implements TransportHandler, Downstream, LivingConnection {
  readonly #context: ConnectionManagerContext
  readonly #transport: Transport
  readonly #output: Output
  readonly #writer: ResponseWriter
  readonly #backlog: ResponseBacklog
  readonly #decoder: RequestDecoder
  readonly #flow: RequestFlow
  readonly #numbers: ConnectionNumbers
  readonly #progressLog: ProgressLog
  readonly #ledger: StreamLedger
  readonly #life: ConnectionLife
  readonly #acceptedAt: Instant
  readonly #onGone: () => void
  readonly #headTimer: HeadTimer
  readonly #streamTimers: StreamTimers
  #requests = 0
  /** Of the request before. */
  #authority = ''

  #exchange: Exchange | undefined
  #decoding = false
  #isHttp10 = false
  /** We close, and the client may still be sending. */
  #lingers = false
  #responseDone = false

  /** `id`: of the connection, for logs. `onGone`: it has closed. */
  constructor(context: ConnectionManagerContext, transport: Transport, id: number, onGone: () => void) {
    this.#context = context
    this.#transport = transport
    this.#onGone = onGone
    this.#output = new Output(transport, context.stats.downstream_cx_tx_bytes_total, context.bufferLimit)
    this.#output.onDrain = () => this.#exchange?.handler?.onDrain()
    const { config, stats, timers, clock } = context
    this.#writer = new ResponseWriter(this.#output, config)
    this.#backlog = new ResponseBacklog(this.#output)
    this.#flow = new RequestFlow(transport, stats)
    this.#progressLog = new ProgressLog(context)
    this.#acceptedAt = clock.now()
    this.#ledger = new StreamLedger(context, transport, id, this.#acceptedAt)
    this.#decoder = new RequestDecoder(requestLimits(config), {
      onHead: head => this.#onHead(head),
      onData: chunk => this.#onRequestData(chunk),
      onEnd: () => this.#onRequestEnd(),
      onError: error => this.#onCodecError(error),
    })
    this.#headTimer = new HeadTimer(config, clock, timers, (...timeout) => this.#onHeadTimeout(...timeout))
    this.#streamTimers = new StreamTimers(
      timers,
      clock,
      () => this.#exchange?.requestComplete === true,
      (...timeout) => this.#onStreamTimeout(...timeout),
    )
    this.#numbers = new ConnectionNumbers(stats)
    this.#life = new ConnectionLife(config, stats, timers, this)
    transport.handler = this
  }

  get bufferLimit(): number {
    return this.#context.bufferLimit
  }

  random(): number {
    return this.#context.random()
  }

  // ── from the client ──────────────────────────────────────────────────────────────────────────────────────────────────────

  onData(chunk: Buffer): void {
    // What comes after our last word is read to be forgotten: Envoy does not even read it.
    if (!this.#life.isOpen) return
    const { stats, bufferLimit } = this.#context
    stats.downstream_cx_rx_bytes_total.add(chunk.length)
    if (this.#exchange === undefined) this.#ledger.receivedAhead += chunk.length
    else if (!this.#exchange.requestComplete) this.#exchange.info.downstreamBytes.wireReceived += chunk.length
    this.#numbers.setBuffered(chunk.length < bufferLimit ? chunk.length : 0)
    if (this.isUnused && this.#backlog.isFull) {
      this.#refuseFlood()
      return
    }
    this.#decoding = true
    this.#decoder.execute(chunk)
    this.#decoding = false
    this.#readOn(undefined, true)
  }

  get held(): number {
    return this.#decoder.held
  }

  onDrain(): void {
    this.#output.drained()
  }

  onEnd(): void {
    this.#onDisconnect()
    this.#transport.destroy()
  }

  onClose(): void {
    this.#onDisconnect()
  }

  /** The proxy is going away: an idle connection closes, a busy one after its response. */
  drain(): void {
    if (this.#life.isOpen && this.isUnused) this.#life.close('local')
    else this.#life.closesAfterResponse = true
  }

  destroy(): void {
    this.#life.close('local')
  }

  #onHead(head: RequestHead): void {
    this.#headTimer.stop()
    // Read once for everything that the head brings about: reading the clock costs as much as a good part of that work.
    const now = this.#context.clock.now()
    const info = this.#startStream(head.headers, now)
    info.protocol = head.version === 10 ? 'HTTP/1.0' : 'HTTP/1.1'
    info.downstreamBytes.receiveHead(this.#decoder.fieldBytes)
    this.#isHttp10 = head.version === 10
    if (head.version === 10 ? !hasToken(head.connection, 'keep-alive') : hasToken(head.connection, 'close')) {
      this.#life.closesAfterResponse = true
    }
    if (hasToken(head.headers.get('proxy-connection')?.toLowerCase() ?? '', 'close'))
      this.#life.closesAfterResponse = true
    const { maxRequestsPerConnection, maxStreamDuration } = this.#context.config
    if (maxRequestsPerConnection > 0 && ++this.#requests >= maxRequestsPerConnection) {
      this.#context.stats.downstream_cx_max_requests_reached.add()
      this.#life.closesAfterResponse = true
    }
    this.#keepAuthority(head.headers)
    const exchange = new Exchange(info, head.headers, this, head.hasBody)
    this.#exchange = exchange
    exchange.localReply = this.#context.localReply
    this.#streamTimers.limitDuration(info.startInstant, maxStreamDuration)
    if (head.hasBody) {
      info.downstreamHeadEnd = now
      this.#streamTimers.startRequest(this.#context.config.requestTimeout)
    } else {
      this.#completeRequest(exchange, now)
      info.downstreamHeadEnd = exchange.requestCompleteAt
      // A CONNECT is never complete: its tunnel would be the body.
      if (head.headers.method === 'CONNECT') exchange.requestComplete = false
    }
    this.#begin(exchange, head, now)
  }

  /** A client mostly asks for one host: with one comparison here it stays one string, and spans compare it at no cost. */
  #keepAuthority(headers: RequestHeaders): void {
    if (headers.authority === this.#authority) headers.authority = this.#authority
    // A string of its own: a slice would keep the whole head in memory.
    else this.#authority = headers.authority = Buffer.from(headers.authority, 'latin1').toString('latin1')
  }

  /** What becomes of a request, in Envoy's order. */
  #begin(exchange: Exchange, head: RequestHead, now: Instant): void {
    const { config, stats, sanitise, tracer } = this.#context
    const { headers, info } = exchange
    if (!config.proxy100Continue && headers.get('expect')?.toLowerCase() === '100-continue') this.#continue(exchange)
    if (!checkRequest(exchange, head, this.#context)) return
    const upgrade = hasToken(head.connection, 'upgrade') ? headers.get('upgrade') : undefined
    for (const mutate of this.#context.mutateEarly) mutate(headers, info)
    const sanitised = sanitise(headers, head.connection, info)
    if ('status' in sanitised) {
      this.#rejectByCodec(exchange, sanitised)
      return
    }
    if ('rejectWith' in sanitised) {
      const status = sanitised.rejectWith
      stats.downstream_rq_rejected_via_ip_detection.add()
      refuse(exchange, { ...FAILURES.unknown_origin, status, close: status === 400 }, this.#context)
      return
    }
    exchange.internal = sanitised.internal

    takeRoute(exchange, this.#context.routes)
    if (upgrade !== undefined && upgrade.toLowerCase() !== 'h2c') {
      stats.downstream_rq_ws_on_non_ws_route.add()
      // What is sent over it would be its body: it is never complete.
      exchange.requestComplete = false
      this.#context.chooseCluster(exchange)
      this.#progressLog.logBeginning(exchange)
      respond(exchange, FAILURES.upgrade)
      return
    }
    exchange.span = tracer?.begin(info, headers)
    this.#handle(exchange, now)
  }

  /** How long it may take, where its route sets a limit. */
  #limit({ route, headers }: Exchange, now: Instant): void {
    const { config } = this.#context
    const action = route?.route.action
    if (action?.type !== 'route') return
    if (action.idleTimeout !== undefined) this.#streamTimers.startIdle(action.idleTimeout, now)
    if (action.maxStreamDuration !== undefined) {
      const duration = streamDuration(config.maxStreamDuration, action.maxStreamDuration, headers)
      this.#streamTimers.limitDuration(this.#ledger.beganAt, duration)
    }
  }

  #handle(exchange: Exchange, now: Instant): void {
    this.#streamTimers.startIdle(this.#context.config.streamIdleTimeout, now)
    this.#limit(exchange, now)
    this.#progressLog.logBeginning(exchange)
    this.#context.handle(exchange)
  }

  #continue({ headers, info }: Exchange): void {
    headers.remove('expect')
    this.#writer.interim(100, undefined, info.downstreamBytes)
    this.#context.stats.countResponse(100)
  }

  #onRequestData(chunk: Buffer): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    exchange.info.bytesReceived += chunk.length
    this.#touch()
    exchange.handler?.onData(chunk)
  }

  #onRequestEnd(): void {
    const exchange = this.#exchange
    if (exchange === undefined || exchange.requestComplete) return
    this.#completeRequest(exchange, this.#context.clock.now())
    exchange.requestTrailers = this.#decoder.trailers
    if (exchange.requestTrailers !== undefined) exchange.info.downstreamBytes.receiveFields(this.#decoder.trailerBytes)
    exchange.handler?.onEnd()
  }

  #completeRequest(exchange: Exchange, now: Instant): void {
    this.#streamTimers.stopRequest()
    exchange.requestComplete = true
    exchange.requestCompleteAt = now
    exchange.info.lastDownstreamRxByte = now
  }

  #onCodecError(error: CodecError): void {
    this.#headTimer.stop()
    this.#context.stats.downstream_cx_protocol_error.add()
    const begun = this.#exchange
    if (begun !== undefined) {
      this.#rejectByCodec(begun, error)
      return
    }
    const unread = this.#beginUnread()
    if (this.#decoder.fieldBytes > 0) unread.info.downstreamBytes.receiveHead(this.#decoder.fieldBytes)
    this.#rejectByCodec(unread, error)
  }

  /** A request whose head was not, and will not be, read. */
  #beginUnread(): Exchange {
    const exchange = new Exchange(
      this.#startStream(undefined, this.#context.clock.now()),
      new RequestHeaders(),
      this,
      false,
    )
    this.#exchange = exchange
    exchange.localReply = this.#context.localReply
    return exchange
  }

  /** The codec answers with the reason phrase as body; once a response has begun, it only closes the connection. */
  #rejectByCodec(exchange: Exchange, error: CodecError): void {
    if (error === CONNECTION_HEADER_REJECTED) {
      // In Envoy the codec itself refuses it, before there is a request.
      this.#context.stats.downstream_cx_protocol_error.add()
      exchange.info.requestHeaders = undefined
      exchange.requestComplete = false
    }
    exchange.mustClose = true
    const handler = exchange.handler
    exchange.handler = undefined
    handler?.onCancel()
    exchange.responseMutations = undefined
    respond(exchange, { status: error.status, flag: 'DPE', details: error.details, body: statusText(error.status) })
  }

  #startStream(headers: RequestHeaders | undefined, now: Instant): StreamInfo {
    const info = this.#ledger.open(headers, this.#headTimer.takeBeginning(now))
    this.#onStream(info)
    return info
  }

  #onStream(info: StreamInfo): void {
    this.#life.onUsed()
    this.#progressLog.start(info)
    this.#writer.begin()
    this.#responseDone = false
  }

  // ── to the client ────────────────────────────────────────────────────────────────────────────────────────────────────────

  sendInformational(headers: ResponseHeaders): void {
    const { config, stats } = this.#context
    // An HTTP/1.0 client knows of none (RFC 9110 §15.2).
    if (!config.proxy100Continue || this.#exchange === undefined || this.#isHttp10) return
    const { status } = headers
    completeInterimResponse(headers)
    this.#writer.interim(status, headers, this.#exchange.info.downstreamBytes)
    stats.countResponse(status)
  }

  sendHead(headers: ResponseHeaders, endStream: boolean): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const { stats, clock } = this.#context
    const { info } = exchange
    const now = clock.now()
    completeResponse(headers, exchange, this.#context, now)
    this.#lingers = exchange.mustClose || !exchange.requestComplete
    if (this.#lingers) this.#life.closesAfterResponse = true
    if (!exchange.requestComplete) stats.downstream_rq_response_before_rq_complete.add()
    if (!this.#life.isLeaving && this.#context.draining()) {
      stats.downstream_cx_drain_close.add()
      this.#life.startDraining()
    }
    const isHead = exchange.info.requestHeaders?.method === 'HEAD'
    if (this.#life.isLeaving) headers.append('connection', 'close')
    else if (this.#isHttp10) headers.append('connection', 'keep-alive')

    info.responseCode = headers.status
    info.responseHeaders = headers
    info.firstDownstreamTxByte = now
    stats.countResponse(headers.status, info.healthCheck)
    const untilClose = this.#writer.head(headers, isHead, this.#isHttp10, endStream, info.downstreamBytes)
    if (untilClose) this.#life.closesAfterResponse = true
    this.#touch(now)
    if (endStream) this.#finish()
  }

  sendData(chunk: Uint8Array): boolean {
    const exchange = this.#exchange
    if (exchange === undefined) return true
    const { info } = exchange
    info.bytesSent += chunk.length
    this.#touch()
    return this.#writer.data(chunk, info.downstreamBytes)
  }

  sendEnd(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#writer.end(exchange.responseTrailers, exchange.info.downstreamBytes)
    this.#finish()
  }

  abort(): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#context.stats.downstream_rq_tx_reset.add()
    this.#endStream(exchange)
    this.#life.closeDelayed()
  }

  reroute(exchange: Exchange): void {
    exchange.cluster = undefined
    exchange.responseMutations = undefined
    exchange.info.forgetRoute()
    exchange.info.reroutes++
    takeRoute(exchange, this.#context.routes)
    this.#context.chooseCluster(exchange)
    exchange.span?.onOtherRoute(exchange.headers)
    this.#limit(exchange, this.#context.clock.now())
  }

  recreate(old: Exchange, answer: ResponseHeaders, body: Buffer): void {
    const { tracer, localReply } = this.#context
    const { info } = old
    info.responseCodeDetails = 'internal_redirect'
    info.responseCode = answer.status
    info.responseHeaders = answer
    this.#responseDone = true
    this.#endStream(old)

    const now = this.#context.clock.now()
    const next = this.#ledger.reopen(info, old.headers, body.length, now)
    this.#onStream(next)
    const exchange = new Exchange(next, old.headers, this, body.length > 0)
    this.#exchange = exchange
    exchange.localReply = localReply
    exchange.redirects = old.redirects
    exchange.internal = old.internal
    this.#completeRequest(exchange, now)
    takeRoute(exchange, this.#context.routes)
    exchange.span = tracer?.continue(next, old.headers)
    this.#handle(exchange, now)
    if (body.length === 0) return
    exchange.handler?.onData(body)
    exchange.handler?.onEnd()
  }

  pauseRequest(): void {
    this.#flow.pause()
  }

  resumeRequest(): void {
    this.#flow.resume()
  }

  /** The response is complete. */
  #finish(): void {
    const exchange = this.#exchange!
    this.#responseDone = true
    const now = this.#context.clock.now()
    exchange.info.lastDownstreamTxByte = now
    this.#backlog.add()
    this.#endStream(exchange)
    if (!this.#life.closesAfterResponse) {
      this.#readOn(now)
      return
    }
    // What the client still sends is read and forgotten for a while: a reset would take the response from it.
    if (this.#lingers) this.#life.closeDelayed()
    else this.#life.close('local')
  }

  /** Log, span and numbers of the request; whoever works on it is told to stop. */
  #endStream(exchange: Exchange): void {
    const { handler } = exchange
    this.#exchange = undefined
    this.#streamTimers.stop()
    this.#progressLog.stop()
    exchange.handler = undefined
    if (!this.#responseDone || !exchange.requestComplete) {
      // Envoy counts every stream here that ends before its request and its response have, whichever side ended it.
      this.#context.stats.downstream_rq_rx_reset.add()
      handler?.onCancel()
    }
    this.#ledger.close(exchange)
    exchange.onDestroy?.()
  }

  /** Goes on to the next request, which may be here already, in part or whole; `sameRead`: it came with what was just read. */
  #readOn(now?: Instant, sameRead = false): void {
    if (this.#decoding || !this.#life.isOpen) return
    this.#decoding = true
    while (this.#exchange === undefined && this.#life.isOpen && this.#decoder.isDone) {
      if (this.#decoder.hasNext) {
        if (!sameRead) this.#numbers.setBuffered(this.#decoder.waiting)
        this.#ledger.receivedAhead += this.#decoder.waiting
        if (this.#backlog.isFull) {
          this.#decoding = false
          this.#refuseFlood()
          return
        }
      }
      this.#decoder.next()
    }
    this.#decoding = false
    if (!this.#life.isOpen) return
    if (this.#exchange !== undefined) {
      // The present request's own body must still be read.
      this.#flow.hold(this.#decoder.hasNext)
      return
    }
    this.#flow.hold(false)
    this.#flow.resume()
    if (this.#decoder.insideHead) this.#waitForHead()
    else this.#life.onIdle(now)
  }

  /** The next request is not even looked at; who reads the answers that are there has them before the end. */
  #refuseFlood(): void {
    const exchange = this.#beginUnread()
    exchange.info.flags.add('DPE')
    exchange.info.responseCodeDetails = 'codec_error:Too_many_responses_queued.'
    const { stats } = this.#context
    stats.countFlood()
    stats.downstream_cx_destroy_active_rq.add()
    stats.downstream_cx_destroy_local_active_rq.add()
    this.#endStream(exchange)
    this.#life.closeDelayed()
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #touch(now?: Instant): void {
    if (this.#streamTimers.isIdleWatched) this.#streamTimers.touch(now ?? this.#context.clock.now())
  }

  #waitForHead(): void {
    if (this.#headTimer.waits) return
    this.#life.onUsed()
    this.#headTimer.start()
  }

  /** It is answered, though nobody knows what it asked. */
  #onHeadTimeout(failure: Failure, counter: StreamTimeoutCounter): void {
    const exchange = this.#beginUnread()
    exchange.mustClose = true
    this.#context.stats[counter].add()
    respond(exchange, failure)
  }

  #onStreamTimeout(failure: Failure, counter: StreamTimeoutCounter): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    this.#context.stats[counter].add()
    const handler = exchange.handler
    exchange.handler = undefined
    handler?.onCancel()
    respond(exchange, failure)
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onDisconnect(): void {
    if (this.#life.isClosed) return
    const exchange = this.#exchange
    if (exchange !== undefined) {
      const { stats } = this.#context
      stats.downstream_cx_destroy_active_rq.add()
      stats.downstream_cx_destroy_remote_active_rq.add()
      exchange.info.flags.add('DC')
      exchange.info.responseCodeDetails = 'downstream_remote_disconnect'
      this.#endStream(exchange)
    }
    this.#life.close('remote')
  }

  get isUnused(): boolean {
    return this.#exchange === undefined && !this.#decoder.insideHead
  }

  ignoreRest(): void {
    this.#flow.hold(false)
    this.#flow.resume()
  }

  release(by: 'local' | 'remote'): void {
    this.#headTimer.stop()
    this.#streamTimers.stop()
    this.#progressLog.stop()
    const { stats, clock, config } = this.#context
    this.#numbers.closed(by, clock.now() - this.#acceptedAt)
    this.#output.flush()
    if (by === 'local') {
      this.#transport.end(config.delayedCloseTimeout, () => stats.downstream_cx_delayed_close_timeout.add())
    }
    this.#onGone()
  }
}
