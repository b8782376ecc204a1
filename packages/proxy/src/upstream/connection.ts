import type { Milliseconds, RequestStyle, ResponseLimits } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import type { ClusterStats } from '../cluster/cluster-stats.ts'
import type { HostStats } from '../cluster/host-stats.ts'
import type { BytesMeter } from '../http/bytes-meter.ts'
import { ResponseDecoder, type ResponseHead, type ResponseSink } from '../http/codec/response-decoder.ts'
import type { HeaderMap, ResponseHeaders } from '../http/headers.ts'
import type { Instant, UpstreamConnectionFacts } from '../stream-info.ts'
import type { Timer, Timers } from '../timers.ts'
import { formatAddress } from '../transport/address-text.ts'
import { Output } from '../transport/output.ts'
import type { Transport, TransportHandler } from '../transport/transport.ts'
import type { ConnectOptions, Transports } from '../transport/transports.ts'
import type { ResetReason } from './reset-reason.ts'

/** What a request hears from the connection that carries it. */
export interface ResponseHandler {
  /** Counts what comes. */
  readonly bytes: BytesMeter
  onInformational(status: number, headers: ResponseHeaders): void
  onHead(head: ResponseHead): void
  onData(chunk: Buffer): void
  /** The response is complete, `at` this moment; the connection is no longer ours. */
  onEnd(at: Instant): void
  /** Nothing more will come. */
  onReset(reason: ResetReason, transportFailure: string): void
  /** The connection takes bytes again. */
  onDrain(): void
}

/** What a pool hears from its connections. */
export interface ConnectionOwner {
  onConnected(connection: UpstreamConnection): void
  onConnectFailed(connection: UpstreamConnection, reason: ResetReason, transportFailure: string): void
  /** A request is done and the connection can take the next. */
  onFree(connection: UpstreamConnection): void
  /** It had been connected. */
  onClosed(connection: UpstreamConnection): void
  /** Its request has ended, whatever comes of the connection. */
  onRequestDone(connection: UpstreamConnection): void
}

/** What a connection needs to know of its host. */
export interface ConnectionHost {
  /** `ip:port`, or the path of a Unix socket. */
  readonly address: string
  readonly isPipe: boolean
  readonly health: 'healthy' | 'degraded' | 'unhealthy'
  readonly stats: HostStats
  /** Begins a connection to it, as `Transports.connect`. */
  connect(transports: Transports, highWaterMark: number, handler: TransportHandler, options?: ConnectOptions): Transport
}

export interface ConnectionConfig {
  host: ConnectionHost
  stats: ClusterStats
  clock: Clock
  timers: Timers
  transports: Transports
  nextConnectionId(): number
  connectTimeout: Milliseconds
  idleTimeout: Milliseconds
  /** 0: unlimited. */
  maxRequests: number
  /** After so long it takes no more requests; 0: as long as it lasts. */
  maxDuration: Milliseconds
  requestStyle: RequestStyle
  responseLimits: ResponseLimits
  /** Trailers are written and kept. */
  enableTrailers?: boolean
  /** Bytes to be written above which the client's body waits. */
  bufferLimit: number
  /** Not of Unix sockets. */
  connectOptions?: ConnectOptions | undefined
}

/**
 * One HTTP/1.1 connection to a host, with at most one request on it. It is used again only when both messages have ended as they
 * should; any doubt closes it.
 */
export class UpstreamConnection implements TransportHandler, UpstreamConnectionFacts {
  readonly #config: ConnectionConfig
  readonly #owner: ConnectionOwner
  readonly #transport: Transport
  readonly #output: Output
  readonly #decoder: ResponseDecoder
  readonly #timer: Timer
  #durationTimer: Timer | undefined
  readonly id: number
  readonly connectBegin: Instant
  connectEnd: Instant = Number.NaN
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  #timedOut = false
  #endedByPeer = false
  #closedBy: 'local' | 'remote' = 'remote'
  #handler: ResponseHandler | undefined
  #requestEnded = false
  #responseEnded = false
  #keepAlive = true
  #readingPaused = false
  #retired = false
  #requests = 0
  #rxBuffered = 0

  constructor(config: ConnectionConfig, owner: ConnectionOwner) {
    this.#config = config
    this.#owner = owner
    this.id = config.nextConnectionId()
    this.connectBegin = config.clock.now()
    const sink: ResponseSink = {
      onInformational: (status, headers) => this.#handler?.onInformational(status, headers),
      onHead: head => this.#onHead(head),
      onData: chunk => this.#handler?.onData(chunk),
      onEnd: () => this.#onResponseEnd(),
      onProtocolError: () => this.#onProtocolError(),
    }
    this.#decoder = new ResponseDecoder(sink, config.responseLimits, config.enableTrailers)
    const { stats, host } = config
    stats.upstream_cx_total.add()
    stats.upstream_cx_http1_total.add()
    stats.upstream_cx_active.add()
    host.stats.cx_total.add()
    host.stats.cx_active.add()
    this.#timer = config.timers.create(() => this.#onTimeout())
    this.#timer.start(config.connectTimeout)
    this.#transport = host.connect(config.transports, config.bufferLimit, this, config.connectOptions)
    this.#output = new Output(this.#transport, stats.upstream_cx_tx_bytes_total, config.bufferLimit)
    this.#output.onDrain = () => this.#handler?.onDrain()
  }

  get requestStyle(): RequestStyle {
    return this.#config.requestStyle
  }

  get takesTrailers(): boolean {
    return this.#config.enableTrailers === true
  }

  /** Of the response that is complete. */
  get responseTrailers(): HeaderMap | undefined {
    return this.#decoder.trailers
  }

  get localAddress(): string {
    return this.#transport.localAddress
  }

  /** Begins a request: its head, with the empty line. */
  send(head: string | Uint8Array, isHead: boolean, handler: ResponseHandler): void {
    this.#timer.stop()
    this.#handler = handler
    this.#requestEnded = false
    this.#responseEnded = false
    this.#keepAlive = true
    this.#requests++
    this.#decoder.expect(isHead, handler.bytes)
    const { stats, host } = this.#config
    stats.upstream_rq_total.add()
    stats.upstream_rq_active.add()
    host.stats.rq_total.add()
    host.stats.rq_active.add()
    this.#output.push(head, true)
  }

  /** Text is latin1. False: wait for `onDrain`. `spent`: as of `Transport.write`. */
  write(piece: string | Uint8Array, spent = false): boolean {
    return this.#output.push(piece, spent)
  }

  endRequest(): void {
    this.#requestEnded = true
    if (this.#responseEnded) this.#finish()
  }

  pauseReading(): void {
    this.#config.stats.upstream_flow_control_paused_reading_total.add()
    this.#readingPaused = true
    this.#transport.pause()
  }

  resumeReading(): void {
    this.#config.stats.upstream_flow_control_resumed_reading_total.add()
    this.#readingPaused = false
    this.#transport.resume()
  }

  /** Closes after the request that it carries. */
  retire(): void {
    this.#retired = true
  }

  /** The request is given up: an HTTP/1 connection cannot outlive it. */
  abort(): void {
    this.close()
  }

  close(): void {
    if (this.#state === 'closed') return
    if (!this.#endedByPeer) this.#closedBy = 'local'
    this.#output.discard()
    this.#transport.destroy()
    this.#closed('local reset', '')
  }

  onConnect(): void {
    if (this.#state !== 'connecting') return
    this.#timer.stop()
    this.#state = 'open'
    const { stats, clock } = this.#config
    this.connectEnd = clock.now()
    stats.upstream_cx_connect_ms.record(Math.trunc(this.connectEnd - this.connectBegin))
    if (this.#config.maxDuration > 0) {
      this.#durationTimer = this.#config.timers.create(() => this.#onMaxDuration())
      this.#durationTimer.start(this.#config.maxDuration)
    }
    this.#owner.onConnected(this)
    this.#armIdleTimer()
  }

  onData(chunk: Buffer): void {
    if (this.#state === 'closed') return
    this.#config.stats.upstream_cx_rx_bytes_total.add(chunk.length)
    this.#setBuffered(chunk.length)
    if (this.#handler === undefined) {
      // No one asked for it: what it belongs to cannot be known.
      this.#config.stats.upstream_cx_protocol_error.add()
      this.close()
      return
    }
    this.#handler.bytes.wireReceived += chunk.length
    const clean = this.#decoder.execute(chunk)
    if (clean) return
    this.#config.stats.upstream_cx_protocol_error.add()
    this.close()
  }

  get held(): number {
    return this.#decoder.held
  }

  onDrain(): void {
    this.#output.drained()
  }

  onEnd(): void {
    if (this.#state === 'closed') return
    this.#keepAlive = false
    this.#endedByPeer = true
    if (!this.#decoder.end()) this.onClose(undefined)
    else if (!this.#isClosed()) this.close()
  }

  onClose(error: NodeJS.ErrnoException | undefined): void {
    if (this.#state === 'closed') return
    this.#transport.destroy()
    if (this.#state === 'connecting') {
      const { connectOptions, stats } = this.#config
      const from = connectOptions?.from
      if (from !== undefined && error?.syscall === 'bind') {
        this.#closedBy = 'local'
        stats.bind_errors.add()
        const at = formatAddress(from.address, from.port)
        this.#closed('local connection failure', `failed to bind to ${at}: ${errorText(error)}`)
        return
      }
      const reason = this.#timedOut ? 'connection timeout' : 'remote connection failure'
      this.#closed(reason, this.#timedOut || error === undefined ? '' : this.#connectFailure(error))
    } else {
      // Envoy's codec: an end inside a message is the message's fault, an end before it the connection's.
      const inside = this.#decoder.insideHead || this.#decoder.insideBody
      if (inside) this.#config.stats.upstream_cx_protocol_error.add()
      this.#closed(inside ? 'protocol error' : 'connection termination', '')
    }
  }

  /** What Unix sockets refuse they refuse at once. */
  #connectFailure(error: NodeJS.ErrnoException): string {
    const { isPipe, address } = this.#config.host
    const text = errorText(error)
    return isPipe ? `immediate connect error: ${text}|remote address:${address}` : `delayed connect error: ${text}`
  }

  #onHead(head: ResponseHead): void {
    if (!head.keepAlive) this.#keepAlive = false
    if (head.closeAsked) this.#config.stats.upstream_cx_close_notify.add()
    this.#handler?.onHead(head)
  }

  #onProtocolError(): void {
    this.#config.stats.upstream_cx_protocol_error.add()
    if (this.#state === 'closed') return
    this.#closedBy = 'local'
    this.#transport.destroy()
    this.#closed('protocol error', '')
  }

  #onResponseEnd(): void {
    this.#responseEnded = true
    if (this.#requestEnded) this.#finish()
    else this.#handler?.onEnd(this.#config.clock.now())
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #finish(): void {
    const handler = this.#handler
    if (handler === undefined) return
    this.#requestDone()
    const { maxRequests, stats } = this.#config
    if (maxRequests > 0 && this.#requests >= maxRequests) {
      stats.upstream_cx_max_requests.add()
      this.#keepAlive = false
    }
    if (this.#retired) this.#keepAlive = false
    const now = this.#config.clock.now()
    if (this.#keepAlive) {
      // A slow client's last bytes may have ended its response in a pause: the next request is to hear its own. (Not counted, as in Envoy.)
      if (this.#readingPaused) {
        this.#readingPaused = false
        this.#transport.resume()
      }
      this.#armIdleTimer(now)
      this.#owner.onFree(this)
    }
    handler.onEnd(now)
    if (!this.#keepAlive) this.close()
  }

  #requestDone(): void {
    this.#handler = undefined
    this.#config.stats.upstream_rq_active.sub()
    this.#config.host.stats.rq_active.sub()
    this.#owner.onRequestDone(this)
  }

  #armIdleTimer(now?: Instant): void {
    if (this.#handler === undefined) this.#timer.start(this.#config.idleTimeout, now)
  }

  #onMaxDuration(): void {
    this.#config.stats.upstream_cx_max_duration_reached.add()
    this.retire()
    if (this.#handler === undefined) this.close()
  }

  #onTimeout(): void {
    if (this.#state === 'connecting') {
      this.#config.stats.upstream_cx_connect_timeout.add()
      this.#timedOut = true
      this.#closedBy = 'local'
      this.onClose(undefined)
    } else {
      this.#config.stats.upstream_cx_idle_timeout.add()
      this.close()
    }
  }

  /** What the last read brought, until the next one or the end (as Envoy's gauge). */
  #setBuffered(bytes: number): void {
    this.#config.stats.upstream_cx_rx_bytes_buffered.add(bytes - this.#rxBuffered)
    this.#rxBuffered = bytes
  }

  #closed(reason: ResetReason, transportFailure: string): void {
    const wasConnecting = this.#state === 'connecting'
    const handler = this.#handler
    this.#state = 'closed'
    this.#timer.stop()
    this.#durationTimer?.stop()
    this.#setBuffered(0)
    const { stats, host, clock } = this.#config
    stats.upstream_cx_active.sub()
    host.stats.cx_active.sub()
    stats.upstream_cx_destroy.add()
    const local = this.#closedBy === 'local'
    if (local) stats.upstream_cx_destroy_local.add()
    else stats.upstream_cx_destroy_remote.add()
    stats.upstream_cx_length_ms.record(Math.trunc(clock.now() - this.connectBegin))
    if (handler !== undefined) {
      stats.upstream_cx_destroy_with_active_rq.add()
      if (local) stats.upstream_cx_destroy_local_with_active_rq.add()
      else stats.upstream_cx_destroy_remote_with_active_rq.add()
      this.#requestDone()
    }
    if (wasConnecting) {
      stats.upstream_cx_connect_fail.add()
      host.stats.cx_connect_fail.add()
      this.#owner.onConnectFailed(this, reason, transportFailure)
    } else {
      stats.upstream_rq_per_cx.record(this.#requests)
      this.#owner.onClosed(this)
    }
    handler?.onReset(reason, transportFailure)
  }
}

/** As strerror words it. */
function errorText(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'Connection refused'
    case 'ECONNRESET':
      return 'Connection reset by peer'
    case 'ENOENT':
      return 'No such file or directory'
    case 'EACCES':
      return 'Permission denied'
    case 'EHOSTUNREACH':
      return 'No route to host'
    case 'ENETUNREACH':
      return 'Network is unreachable'
    case 'ETIMEDOUT':
      return 'Connection timed out'
    case 'EADDRNOTAVAIL':
      return 'Cannot assign requested address'
    case 'EADDRINUSE':
      return 'Address already in use'
    case 'EAFNOSUPPORT':
      return 'Address family not supported by protocol'
    case 'EINVAL':
      return 'Invalid argument'
    default:
      return error.code ?? error.message
  }
}
