import { FAILURES, type Failure } from '../errors.ts'
import { respond } from '../respond.ts'
import { type Instant, StreamInfo } from '../stream-info.ts'
import type { Timer } from '../timers.ts'
import { Output } from '../transport/output.ts'
import type { Transport, TransportHandler } from '../transport/transport.ts'
import { checkRequest, refuse } from './check-request.ts'
import { CONNECTION_HEADER_REJECTED, type CodecError } from './codec/codec-error.ts'
import { RequestDecoder, type RequestHead } from './codec/request-decoder.ts'
import { hasToken } from './codec/response-decoder.ts'
import { completeInterimResponse, completeResponse } from './complete-response.ts'
import type { ConnectionManagerContext } from './connection-manager-context.ts'
import { ConnectionNumbers } from './connection-numbers.ts'
import { type Downstream, Exchange } from './exchange.ts'
import { HeadTimer } from './head-timer.ts'
import { RequestHeaders, type ResponseHeaders } from './headers.ts'
import { ProgressLog } from './progress-log.ts'
import { RequestFlow } from './request-flow.ts'
import { requestLimits } from './request-limits.ts'
import { ResponseWriter } from './response-writer.ts'
import { statusText } from './status-text.ts'
import { streamDuration } from './stream-duration.ts'
import { type StreamTimeoutCounter, StreamTimers } from './stream-timers.ts'
import { takeRoute } from './take-route.ts'

/**
 * One HTTP/1 connection of a client: requests one after the other, each through the steps of `#begin`, and their responses back.
 *
 *     bytes → decoder → #onHead → #begin → filters … → sendHead, sendData, sendEnd → bytes
 *                                   └ whatever fails → respond ┘          #finish: log, span, numbers
 */
export class ConnectionManager implements TransportHandler, Downstream {
  readonly #context: ConnectionManagerContext
  readonly #transport: Transport
  readonly #output: Output
  readonly #writer: ResponseWriter
  readonly #decoder: RequestDecoder
  readonly #flow: RequestFlow
  readonly #numbers: ConnectionNumbers
  readonly #progressLog: ProgressLog
  readonly #id: number
  readonly #acceptedAt: number
  readonly #onClosed: () => void
  /** Between requests: the connection's idle timeout. While closing: delayed close. */
  readonly #connectionTimer: Timer
  readonly #drainTimer: Timer
  /** Made when there is a limit to it. */
  #lifeTimer: Timer | undefined
  readonly #headTimer: HeadTimer
  readonly #streamTimers: StreamTimers
  #requests = 0
  /** Of the request before. */
  #authority = ''

  #exchange: Exchange | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #decoding = false
  /** Idle for too long, or the proxy asks its clients to leave: responses say `connection: close`, and the end comes a while later. */
  #draining = false
  #isHttp10 = false
  #closeAfter = false
  /** It is us who close, and the client may still be sending. */
  #lingers = false
  #responseDone = false
  /** Of the present stream: a request that goes on elsewhere is the second of one client's request. */
  #streamBegan: Instant = 0
  /** Bytes that the next stream begins with. */
  #rxBeforeStream = 0

  constructor(context: ConnectionManagerContext, transport: Transport, id: number, onClosed: () => void) {
    this.#context = context
    this.#transport = transport
    this.#id = id
    this.#onClosed = onClosed
    this.#output = new Output(transport, context.stats.downstream_cx_tx_bytes_total, context.bufferLimit)
    this.#output.onDrain = () => this.#exchange?.handler?.onDrain()
    const { config, stats, timers, clock } = context
    this.#writer = new ResponseWriter(this.#output, config)
    this.#flow = new RequestFlow(transport, stats)
    this.#progressLog = new ProgressLog(context)
    this.#acceptedAt = clock.now()
    this.#decoder = new RequestDecoder(requestLimits(config), {
      onHead: head => this.#onHead(head),
      onData: chunk => this.#onRequestData(chunk),
      onEnd: () => this.#onRequestEnd(),
      onError: error => this.#onCodecError(error),
    })
    this.#connectionTimer = timers.create(() => this.#onConnectionTimeout())
    this.#drainTimer = timers.create(() => this.#onDrained())
    this.#headTimer = new HeadTimer(config, clock, timers, (...timeout) => this.#onHeadTimeout(...timeout))
    this.#streamTimers = new StreamTimers(
      timers,
      clock,
      () => this.#exchange?.requestComplete === true,
      (...timeout) => this.#onStreamTimeout(...timeout),
    )
    this.#numbers = new ConnectionNumbers(stats)
    this.#connectionTimer.start(config.idleTimeout)
    if (config.maxConnectionDuration > 0) {
      this.#lifeTimer = timers.create(() => this.#onLifeTimeout())
      this.#lifeTimer.start(config.maxConnectionDuration)
    }
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
    if (this.#state !== 'open') return
    const { stats, bufferLimit } = this.#context
    stats.downstream_cx_rx_bytes_total.add(chunk.length)
    if (this.#exchange === undefined) this.#rxBeforeStream += chunk.length
    else if (!this.#exchange.requestComplete) this.#exchange.info.downstreamBytes.wireReceived += chunk.length
    this.#numbers.setBuffered(chunk.length < bufferLimit ? chunk.length : 0)
    this.#decoding = true
    this.#decoder.execute(chunk)
    this.#decoding = false
    this.#readOn()
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
    if (this.#exchange === undefined && this.#state === 'open' && !this.#decoder.insideHead) this.#close('local')
    else this.#closeAfter = true
  }

  destroy(): void {
    this.#close('local')
  }

  #onHead(head: RequestHead): void {
    this.#headTimer.stop()
    // The clock is read once for all that comes of the head in this step: it costs as much as a good part of that.
    const now = this.#context.clock.now()
    const info = this.#startStream(head.headers, now)
    info.protocol = head.version === 10 ? 'HTTP/1.0' : 'HTTP/1.1'
    info.downstreamBytes.receiveHead(this.#decoder.fieldBytes)
    this.#isHttp10 = head.version === 10
    if (head.version === 10 ? !hasToken(head.connection, 'keep-alive') : hasToken(head.connection, 'close')) {
      this.#closeAfter = true
    }
    if (hasToken(head.headers.get('proxy-connection')?.toLowerCase() ?? '', 'close')) this.#closeAfter = true
    const { maxRequestsPerConnection, maxStreamDuration } = this.#context.config
    if (maxRequestsPerConnection > 0 && ++this.#requests >= maxRequestsPerConnection) {
      this.#context.stats.downstream_cx_max_requests_reached.add()
      this.#closeAfter = true
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

  /** A client mostly asks for one host: compared here once, it is the same string for spans, which compare it again and again. */
  #keepAuthority(headers: RequestHeaders): void {
    if (headers.authority === this.#authority) headers.authority = this.#authority
    // In a string of its own: a part of the head's would keep all of that head.
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

  /** How long it may take, where the route has a word on that. */
  #limit({ route, headers }: Exchange, now: Instant): void {
    const { config } = this.#context
    const action = route?.route.action
    if (action?.type !== 'route') return
    if (action.idleTimeout !== undefined) this.#streamTimers.startIdle(action.idleTimeout, now)
    if (action.maxStreamDuration !== undefined) {
      const duration = streamDuration(config.maxStreamDuration, action.maxStreamDuration, headers)
      this.#streamTimers.limitDuration(this.#streamBegan, duration)
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

  /** The codec answers with its reason phrase, and with nothing but the connection's end once a response has begun. */
  #rejectByCodec(exchange: Exchange, error: CodecError): void {
    if (error === CONNECTION_HEADER_REJECTED) {
      // In Envoy the codec's own verdict, given before there is a request.
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
    const { clock, stats } = this.#context
    const info = new StreamInfo()
    info.startInstant = this.#headTimer.takeBeginning(now)
    info.startTime = clock.epochMicros(info.startInstant)
    this.#streamBegan = info.startInstant
    info.connectionId = this.#id
    info.downstreamConnectBegin = this.#acceptedAt
    info.downstreamBytes.wireReceived = this.#rxBeforeStream
    this.#rxBeforeStream = 0
    info.listener = this.#context.listener
    info.downstreamDirectRemoteAddress = this.#transport.remoteAddress
    info.downstreamRemoteAddress = this.#transport.remoteAddress
    info.downstreamLocalAddress = this.#transport.localAddress
    info.requestHeaders = headers
    this.#connectionTimer.stop()
    this.#progressLog.start(info)
    this.#writer.begin()
    this.#responseDone = false
    stats.downstream_rq_total.add()
    stats.downstream_rq_http1_total.add()
    stats.downstream_rq_active.add()
    return info
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
    if (this.#lingers) this.#closeAfter = true
    if (!exchange.requestComplete) stats.downstream_rq_response_before_rq_complete.add()
    if (!this.#closeAfter && !this.#draining && this.#context.draining()) {
      stats.downstream_cx_drain_close.add()
      this.#startDraining()
    }
    const isHead = exchange.info.requestHeaders?.method === 'HEAD'
    if (this.#closeAfter || this.#draining) headers.append('connection', 'close')
    else if (this.#isHttp10) headers.append('connection', 'keep-alive')

    info.responseCode = headers.status
    info.responseHeaders = headers
    info.firstDownstreamTxByte = now
    stats.countResponse(headers.status, info.healthCheck)
    const untilClose = this.#writer.head(headers, isHead, this.#isHttp10, endStream, info.downstreamBytes)
    if (untilClose) this.#closeAfter = true
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
    this.#closeDelayed()
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
    const next = this.#startStream(old.headers, now)
    // Its limits begin anew; what is told of it counts from the client's request.
    next.startInstant = info.startInstant
    next.startTime = info.startTime
    next.protocol = info.protocol
    next.bytesReceived = info.bytesReceived + body.length
    next.downstreamHeadEnd = info.downstreamHeadEnd
    next.downstreamBytes.wireReceived = info.downstreamBytes.wireReceived
    next.downstreamBytes.receiveHead(info.downstreamBytes.headerReceived)
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
    this.#endStream(exchange)
    if (!this.#closeAfter) {
      this.#readOn(now)
      return
    }
    // What the client still sends is read and forgotten for a while: a reset would take the response from it.
    if (this.#lingers) this.#closeDelayed()
    else this.#close('local')
  }

  /** Log, span and numbers of the request; whoever works on it is told to stop. */
  #endStream(exchange: Exchange): void {
    const { stats, clock, accessLogger } = this.#context
    const { info, handler } = exchange
    this.#exchange = undefined
    this.#streamTimers.stop()
    this.#progressLog.stop()
    exchange.handler = undefined
    if (!this.#responseDone || !exchange.requestComplete) {
      // Envoy counts every stream here that ends before both of its messages have, whoever is to blame.
      stats.downstream_rq_rx_reset.add()
      handler?.onCancel()
    }
    info.endInstant = Number.isNaN(info.lastDownstreamTxByte) ? clock.now() : info.lastDownstreamTxByte
    stats.downstream_rq_active.sub()
    stats.downstream_rq_time.record(Math.trunc(info.endInstant - this.#streamBegan))
    if (info.healthCheck) stats['tracing.health_check'].add()
    accessLogger.log(info, 'DownstreamEnd')
    exchange.span?.finish(info)
    exchange.onDestroy?.()
  }

  /** On to the next request, of which bytes may be here. */
  #readOn(now?: Instant): void {
    if (this.#decoding || this.#state !== 'open') return
    this.#decoding = true
    while (this.#exchange === undefined && this.#state === 'open' && this.#decoder.isDone) {
      if (this.#decoder.hasNext) {
        this.#numbers.setBuffered(this.#decoder.waiting)
        this.#rxBeforeStream += this.#decoder.waiting
      }
      this.#decoder.next()
    }
    this.#decoding = false
    if (this.#state !== 'open') return
    if (this.#exchange !== undefined) {
      // Not while the rest of its own body is still to come.
      this.#flow.hold(this.#decoder.hasNext)
      return
    }
    this.#flow.hold(false)
    this.#flow.resume()
    if (this.#decoder.insideHead) this.#waitForHead()
    else if (!this.#connectionTimer.running) this.#connectionTimer.start(this.#context.config.idleTimeout, now)
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #touch(now?: Instant): void {
    if (this.#streamTimers.isIdleWatched) this.#streamTimers.touch(now ?? this.#context.clock.now())
  }

  #waitForHead(): void {
    if (this.#headTimer.waits) return
    this.#connectionTimer.stop()
    this.#headTimer.start()
  }

  /** It is answered all the same. */
  #onHeadTimeout(failure: Failure, counter: StreamTimeoutCounter): void {
    const exchange = this.#beginUnread()
    exchange.mustClose = true
    this.#context.stats[counter].add()
    respond(exchange, failure)
  }

  /** It has lived long enough. */
  #onLifeTimeout(): void {
    this.#context.stats.downstream_cx_max_duration_reached.add()
    if (this.#state === 'open' && !this.#draining) this.#startDraining()
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

  #onConnectionTimeout(): void {
    const { stats } = this.#context
    if (this.#state === 'closing') {
      stats.downstream_cx_delayed_close_timeout.add()
      this.#close('local')
    } else if (!this.#draining) {
      stats.downstream_cx_idle_timeout.add()
      this.#startDraining()
    }
  }

  /** The client is given time to see the end coming: what it sends meanwhile is still answered. */
  #startDraining(): void {
    this.#draining = true
    this.#drainTimer.start(this.#context.config.drainTimeout)
  }

  #onDrained(): void {
    if (this.#exchange === undefined && this.#state === 'open' && !this.#decoder.insideHead) this.#closeDelayed()
    else this.#closeAfter = true
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onDisconnect(): void {
    if (this.#state === 'closed') return
    const exchange = this.#exchange
    if (exchange !== undefined) {
      const { stats } = this.#context
      stats.downstream_cx_destroy_active_rq.add()
      stats.downstream_cx_destroy_remote_active_rq.add()
      exchange.info.flags.add('DC')
      exchange.info.responseCodeDetails = 'downstream_remote_disconnect'
      this.#endStream(exchange)
    }
    this.#close('remote')
  }

  #closeDelayed(): void {
    const { delayedCloseTimeout } = this.#context.config
    if (delayedCloseTimeout === 0) {
      this.#close('local')
      return
    }
    this.#state = 'closing'
    this.#flow.hold(false)
    this.#flow.resume()
    this.#connectionTimer.start(delayedCloseTimeout)
  }

  #close(by: 'local' | 'remote'): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#connectionTimer.stop()
    this.#drainTimer.stop()
    this.#headTimer.stop()
    this.#streamTimers.stop()
    this.#lifeTimer?.stop()
    this.#progressLog.stop()
    const { stats, clock } = this.#context
    this.#numbers.closed(by, clock.now() - this.#acceptedAt)
    this.#output.flush()
    if (by === 'local') {
      const { delayedCloseTimeout } = this.#context.config
      this.#transport.end(delayedCloseTimeout, () => stats.downstream_cx_delayed_close_timeout.add())
    }
    this.#onClosed()
  }
}
