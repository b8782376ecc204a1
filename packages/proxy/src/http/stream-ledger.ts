import { type Instant, StreamInfo } from '../stream-info.ts'
import type { Transport } from '../transport/transport.ts'
import type { ConnectionManagerContext } from './connection-manager-context.ts'
import type { Exchange } from './exchange.ts'
import type { RequestHeaders } from './headers.ts'

/** The streams of one connection, one after the other: what is known of each as it begins, and its numbers, log line and span at its end. */
export class StreamLedger {
  readonly #context: ConnectionManagerContext
  readonly #transport: Transport
  readonly #connectionId: number
  readonly #acceptedAt: Instant
  /** Bytes that the next stream begins with. */
  receivedAhead = 0
  /** Of the present stream: a request that goes on elsewhere is the second of one client's request. */
  beganAt: Instant = 0

  constructor(context: ConnectionManagerContext, transport: Transport, connectionId: number, acceptedAt: Instant) {
    this.#context = context
    this.#transport = transport
    this.#connectionId = connectionId
    this.#acceptedAt = acceptedAt
  }

  /** `headers`: undefined when the head was not, and will not be, read. */
  open(headers: RequestHeaders | undefined, beganAt: Instant): StreamInfo {
    const { clock, stats, listener } = this.#context
    this.beganAt = beganAt
    const info = new StreamInfo()
    info.startInstant = beganAt
    info.startTime = clock.epochMicros(beganAt)
    info.connectionId = this.#connectionId
    info.downstreamConnectBegin = this.#acceptedAt
    info.downstreamBytes.wireReceived = this.receivedAhead
    this.receivedAhead = 0
    info.listener = listener
    info.downstreamDirectRemoteAddress = this.#transport.remoteAddress
    info.downstreamRemoteAddress = this.#transport.remoteAddress
    info.downstreamLocalAddress = this.#transport.localAddress
    info.requestHeaders = headers
    stats.downstream_rq_total.add()
    stats.downstream_rq_http1_total.add()
    stats.downstream_rq_active.add()
    return info
  }

  /** For a request that goes on elsewhere: its limits begin anew; what is told of it counts from the client's request. */
  reopen(first: StreamInfo, headers: RequestHeaders, bodyBytes: number, beganAt: Instant): StreamInfo {
    const info = this.open(headers, beganAt)
    info.startInstant = first.startInstant
    info.startTime = first.startTime
    info.protocol = first.protocol
    info.bytesReceived = first.bytesReceived + bodyBytes
    info.downstreamHeadEnd = first.downstreamHeadEnd
    info.downstreamBytes.wireReceived = first.downstreamBytes.wireReceived
    info.downstreamBytes.receiveHead(first.downstreamBytes.headerReceived)
    return info
  }

  close(exchange: Exchange): void {
    const { stats, clock, accessLogger } = this.#context
    const { info } = exchange
    info.endInstant = Number.isNaN(info.lastDownstreamTxByte) ? clock.now() : info.lastDownstreamTxByte
    stats.downstream_rq_active.sub()
    stats.downstream_rq_time.record(Math.trunc(info.endInstant - this.beganAt))
    if (info.healthCheck) stats['tracing.health_check'].add()
    accessLogger.log(info, 'DownstreamEnd')
    exchange.span?.finish(info)
  }
}
