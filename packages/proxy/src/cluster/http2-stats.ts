import type { Counter, Gauge, Stats } from '../stats/stats.ts'

/** Of Envoy's codec; those of its own library's ways stay 0. */
const COUNTERS = [
  'cookies_total_bytes_too_large',
  'dropped_headers_with_underscores',
  'goaway_sent',
  'header_list_size_too_large',
  'header_overflow',
  'headers_cb_no_stream',
  'inbound_empty_frames_flood',
  'inbound_priority_frames_flood',
  'inbound_window_update_frames_flood',
  'keepalive_timeout',
  'metadata_empty_frames',
  'nghttp2_downstream_connections',
  'nghttp2_upstream_connections',
  'oghttp2_downstream_connections',
  'oghttp2_upstream_connections',
  'outbound_control_flood',
  'outbound_flood',
  'requests_rejected_with_underscores_in_headers',
  'rx_messaging_error',
  'rx_reset',
  'stream_refused_errors',
  'trailers',
  'tx_flush_timeout',
  'tx_reset',
] as const

const GAUGES = [
  'deferred_stream_close',
  'outbound_control_frames_active',
  'outbound_frames_active',
  'pending_send_bytes',
  'streams_active',
] as const

/** `cluster.<name>.http2.*`, there from the first connection on. */
export type Http2Stats = { readonly [name in (typeof COUNTERS)[number]]: Counter } & {
  readonly [name in (typeof GAUGES)[number]]: Gauge
}

export function createHttp2Stats(stats: Stats, observabilityName: string): Http2Stats {
  const prefix = `cluster.${observabilityName}.http2.`
  const all: Record<string, Counter | Gauge> = {}
  for (const name of COUNTERS) all[name] = stats.counter(prefix + name)
  for (const name of GAUGES) all[name] = stats.gauge(prefix + name)
  return all as unknown as Http2Stats
}
