import type { Microseconds } from '@hopscope/model'
import type { Instant, StreamInfo } from '../stream-info.ts'
import type { AttemptOutcome } from './http-tracer.ts'
import { momentOf } from './spans.ts'

/** Puts a moment into the open span. */
export type WriteMoment<Writer> = (writer: Writer, at: Microseconds, name: string) => void

/** What `verbose` tells of an attempt, in Envoy's order: the moments that happened. */
export function writeUpstreamMoments<Writer>(
  writer: Writer,
  write: WriteMoment<Writer>,
  info: StreamInfo,
  timing: AttemptOutcome | StreamInfo,
): void {
  const put = (at: Instant, name: string) => {
    if (!Number.isNaN(at)) write(writer, momentOf(info, at), name)
  }
  put(timing.firstUpstreamTxByte, 'first_upstream_tx_byte_sent')
  put(timing.lastUpstreamTxByte, 'last_upstream_tx_byte_sent')
  put(timing.firstUpstreamRxByte, 'first_upstream_rx_byte_received')
  put(timing.lastUpstreamRxByte, 'last_upstream_rx_byte_received')
}

/** Of a request. */
export function writeDownstreamMoments<Writer>(writer: Writer, write: WriteMoment<Writer>, info: StreamInfo): void {
  const put = (at: Instant, name: string) => {
    if (!Number.isNaN(at)) write(writer, momentOf(info, at), name)
  }
  put(info.lastDownstreamRxByte, 'last_downstream_rx_byte_received')
  writeUpstreamMoments(writer, write, info, info)
  put(info.firstDownstreamTxByte, 'first_downstream_tx_byte_sent')
  put(info.lastDownstreamTxByte, 'last_downstream_tx_byte_sent')
}
