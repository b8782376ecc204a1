import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { connect, type Socket } from 'node:net'
import type { Milliseconds } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import type { CircuitBreaker } from '../cluster/circuit-breaker.ts'
import type { ClusterStats } from '../cluster/cluster-stats.ts'
import type { Host } from '../cluster/host.ts'
import type { Http2Stats } from '../cluster/http2-stats.ts'
import type { Timer, Timers } from '../timers.ts'
import { setKeepAlive } from '../transport/keep-alive.ts'
import { pipePath } from '../transport/socket-transport.ts'
import type { ConnectOptions } from '../transport/transports.ts'
import type { ResetReason } from './reset-reason.ts'

/** One unary call: a message there, a status back. */
export interface GrpcCall {
  headers: OutgoingHttpHeaders
  /** With the five bytes before it. */
  message: Uint8Array
  /** The HTTP status; `grpcStatus` undefined: the answer had none. Either this or `onReset` comes, once. */
  onAnswer(status: number, grpcStatus: number | undefined): void
  onReset(reason: ResetReason): void
}

export interface GrpcConnectionConfig {
  host: Host
  stats: ClusterStats
  http2: Http2Stats
  breaker: CircuitBreaker
  clock: Clock
  timers: Timers
  connectTimeout: Milliseconds
  idleTimeout: Milliseconds
  /** 0: unlimited. */
  maxRequests: number
  /** Not of Unix sockets. */
  connectOptions: ConnectOptions
  /** No new call may be made on it. */
  onRetired(): void
}

/**
 * One HTTP/2 connection to a host, counted as Envoy counts those of its own client; the protocol is Node's. What arrives before it is
 * there waits; it ends when it has been idle, when the host goes away, or when one of the two sides says that it is time.
 */
export class GrpcConnection {
  readonly #config: GrpcConnectionConfig
  readonly #socket: Socket
  readonly #session: ClientHttp2Session
  readonly #createdAt: number
  readonly #timer: Timer
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  #timedOut = false
  #bindFailed = false
  #closedBy: 'local' | 'remote' = 'remote'
  #retired = false
  readonly #pending: GrpcCall[] = []
  readonly #active = new Set<GrpcCall>()
  #requests = 0
  #read = 0
  #written = 0

  constructor(config: GrpcConnectionConfig) {
    this.#config = config
    const { stats, host, http2, breaker, clock, timers } = config
    const { from, keepAlive } = config.connectOptions
    this.#createdAt = clock.now()
    stats.upstream_cx_total.add()
    stats.upstream_cx_http2_total.add()
    stats.upstream_cx_active.add()
    host.stats.cx_total.add()
    host.stats.cx_active.add()
    http2.nghttp2_upstream_connections.add()
    breaker.pools.add()
    breaker.connections.add()
    this.#timer = timers.create(() => this.#onTimeout())
    this.#timer.start(config.connectTimeout)
    // Loaded when it is needed: a proxy that reports nothing over gRPC does not pay for it.
    const { connect: open } = process.getBuiltinModule('node:http2')
    this.#socket = connect(
      host.isPipe
        ? { path: pipePath(host.ip) }
        : {
            host: host.ip,
            port: host.port,
            noDelay: true,
            ...(from && { localAddress: from.address, localPort: from.port }),
          },
    )
    this.#session = open(`http://${host.isPipe ? 'localhost' : host.address}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false },
    })
    if (keepAlive !== undefined && !host.isPipe)
      this.#socket.once('connect', () => setKeepAlive(this.#socket, keepAlive))
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall !== 'bind') return
      this.#bindFailed = true
      this.#closedBy = 'local'
      stats.bind_errors.add()
    })
    this.#session.on('connect', () => this.#onConnect())
    this.#session.on('goaway', () => this.drain())
    // What went wrong is told by the end.
    this.#session.on('error', () => {})
    this.#session.on('close', () => this.#onClose())
  }

  call(call: GrpcCall): void {
    if (this.#state === 'open') {
      this.#begin(call)
      return
    }
    const { breaker, stats } = this.#config
    if (!breaker.pendingRequests.canCreate()) {
      stats.upstream_rq_pending_overflow.add()
      call.onReset('overflow')
      return
    }
    breaker.pendingRequests.add()
    stats.upstream_rq_pending_total.add()
    stats.upstream_rq_pending_active.add()
    this.#pending.push(call)
  }

  /** Ends when its calls have. */
  drain(): void {
    this.#retire()
    this.#restIfIdle()
  }

  close(): void {
    this.#closedBy = 'local'
    this.#session.destroy()
  }

  #onConnect(): void {
    this.#timer.stop()
    this.#state = 'open'
    const { stats, clock } = this.#config
    stats.upstream_cx_connect_ms.record(Math.trunc(clock.now() - this.#createdAt))
    for (const call of this.#takePending()) this.#begin(call)
    this.#restIfIdle()
  }

  #begin(call: GrpcCall): void {
    const { breaker, stats, host, http2, maxRequests } = this.#config
    if (!breaker.requests.canCreate()) {
      stats.upstream_rq_active_overflow.add()
      call.onReset('overflow')
      return
    }
    breaker.requests.add()
    stats.upstream_rq_total.add()
    stats.upstream_rq_active.add()
    host.stats.rq_total.add()
    host.stats.rq_active.add()
    http2.streams_active.add()
    this.#timer.stop()
    this.#active.add(call)
    this.#requests++
    const stream = this.#session.request(call.headers)
    this.#listen(stream, call)
    stream.end(call.message)
    if (maxRequests > 0 && this.#requests >= maxRequests) {
      stats.upstream_cx_max_requests.add()
      this.drain()
    }
  }

  #listen(stream: ClientHttp2Stream, call: GrpcCall): void {
    let status: number | undefined
    let grpcStatus: string | undefined
    let isWhole = false
    const statusOf = (headers: object) => {
      const value = (headers as Record<string, unknown>)['grpc-status']
      if (typeof value === 'string') grpcStatus = value
    }
    stream.on('response', headers => {
      status = headers[':status']
      statusOf(headers)
    })
    stream.on('trailers', headers => {
      statusOf(headers)
    })
    stream.on('end', () => {
      isWhole = true
    })
    stream.resume()
    // The reason is in its code.
    stream.on('error', () => {})
    stream.on('close', () => {
      if (isWhole && status !== undefined) {
        if (this.#done(call)) call.onAnswer(status, grpcStatus === undefined ? undefined : Number(grpcStatus))
        return
      }
      // The end of the connection says what is to be said of all that was on it.
      if (this.#session.destroyed || !this.#done(call)) return
      this.#config.http2.rx_reset.add()
      this.#config.stats.upstream_rq_rx_reset.add()
      call.onReset('remote reset')
    })
  }

  /** False: it had ended before. */
  #done(call: GrpcCall): boolean {
    if (!this.#active.delete(call)) return false
    const { breaker, stats, host, http2 } = this.#config
    breaker.requests.release()
    stats.upstream_rq_active.sub()
    host.stats.rq_active.sub()
    http2.streams_active.sub()
    this.#countBytes()
    this.#restIfIdle()
    return true
  }

  /** Without a call it waits for the next, or ends. */
  #restIfIdle(): void {
    if (this.#state !== 'open' || this.#active.size > 0) return
    if (this.#retired) this.close()
    else this.#timer.start(this.#config.idleTimeout)
  }

  #countBytes(): void {
    const { bytesRead, bytesWritten } = this.#socket
    const { stats } = this.#config
    stats.upstream_cx_rx_bytes_total.add(Math.max(0, bytesRead - this.#read))
    stats.upstream_cx_tx_bytes_total.add(Math.max(0, bytesWritten - this.#written))
    this.#read = Math.max(this.#read, bytesRead)
    this.#written = Math.max(this.#written, bytesWritten)
  }

  #onTimeout(): void {
    this.#closedBy = 'local'
    if (this.#state === 'connecting') {
      this.#timedOut = true
      this.#config.stats.upstream_cx_connect_timeout.add()
    } else this.#config.stats.upstream_cx_idle_timeout.add()
    this.#session.destroy()
  }

  #retire(): void {
    if (this.#retired) return
    this.#retired = true
    this.#config.onRetired()
  }

  #onClose(): void {
    if (this.#state === 'closed') return
    const wasConnecting = this.#state === 'connecting'
    this.#state = 'closed'
    this.#timer.stop()
    this.#countBytes()
    const { stats, host, breaker, clock } = this.#config
    breaker.pools.release()
    breaker.connections.release()
    stats.upstream_cx_active.sub()
    host.stats.cx_active.sub()
    stats.upstream_cx_destroy.add()
    stats[`upstream_cx_destroy_${this.#closedBy}`].add()
    stats.upstream_cx_length_ms.record(Math.trunc(clock.now() - this.#createdAt))
    this.#retire()
    if (wasConnecting) {
      stats.upstream_cx_connect_fail.add()
      host.stats.cx_connect_fail.add()
      for (const call of this.#takePending()) {
        stats.upstream_rq_pending_failure_eject.add()
        const failure = this.#bindFailed ? 'local connection failure' : 'remote connection failure'
        call.onReset(this.#timedOut ? 'connection timeout' : failure)
      }
      return
    }
    stats.upstream_rq_per_cx.record(this.#requests)
    if (this.#active.size === 0) return
    stats.upstream_cx_destroy_with_active_rq.add()
    stats[`upstream_cx_destroy_${this.#closedBy}_with_active_rq`].add()
    for (const call of [...this.#active]) {
      this.#done(call)
      call.onReset('connection termination')
    }
  }

  /** All that wait, which they do no longer. */
  #takePending(): GrpcCall[] {
    const { breaker, stats } = this.#config
    for (let i = 0; i < this.#pending.length; i++) {
      breaker.pendingRequests.release()
      stats.upstream_rq_pending_active.sub()
    }
    return this.#pending.splice(0)
  }
}
