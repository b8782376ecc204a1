import type { Kind, Microseconds, Span } from '../span.ts'
import type { StringTable } from './string-table.ts'

/**
 * The spans of a trace as columns, one entry a span: what orders them, corrects their clocks and folds them into hops.
 * Everything else of a span stays where the span is. Texts, ids and endpoints are numbers; -1 is "none" and NaN "no time".
 * Duplicates are merged, attempts that a reporter gave one id are not.
 */
export interface SpanTable {
  count: number
  /** By number: services, names, peers. */
  strings: readonly string[]
  /** By number, each once. */
  ids: readonly string[]
  /** Into `ids`. Both halves of a shared span have one. */
  id: Int32Array
  /** Into `ids`; -1 without a parent, {@link MISSING} when no span has the id that it names. */
  parent: Int32Array
  /** Into `strings`. */
  service: Int32Array
  name: Int32Array
  /** Into `strings`: who is called, as far as the span knows. */
  peer: Int32Array
  /** Into `strings`: method and path, `GET /cart?id=1`. */
  request: Int32Array
  /** Into `strings`: of HTTP, else of gRPC. */
  status: Int32Array
  /** Into `strings`: Envoy's response flags, without its `-`. */
  responseFlags: Int32Array
  /** Endpoints that are alike in all four fields have one number. */
  endpoint: Int32Array
  /** Numbers of addresses: of the endpoint, by `endpoint`. -1 without one. */
  ipv4OfEndpoint: readonly number[]
  ipv6OfEndpoint: readonly number[]
  kind: Uint8Array
  traits: Uint8Array
  /** µs since the epoch; NaN when not reported. */
  start: Float64Array
  /** µs; NaN when not reported. */
  duration: Float64Array
  /** The proxy's first byte to the upstream, the last byte from it, µs since the epoch; NaN without `verbose`. */
  sent: Float64Array
  received: Float64Array
  /** How long the caller said it would wait, µs (tag `expected_rq_timeout_ms`); NaN when it did not say. */
  timeout: Float64Array
  /** Attempts beyond the first that the span says it stands for (Envoy's tag `retry.count`). */
  retries: Uint16Array
}

export const MISSING = -2

export const KIND = { none: 0, client: 1, server: 2, producer: 3, consumer: 4 } as const
export const KIND_OF: Readonly<Record<Kind, number>> = {
  CLIENT: KIND.client,
  SERVER: KIND.server,
  PRODUCER: KIND.producer,
  CONSUMER: KIND.consumer,
}

export const TRAIT = {
  shared: 1,
  error: 2,
  /** A proxy made it: `component=proxy`. */
  proxy: 4,
  /** Says which node made it. Envoy's spawned spans do not. */
  node: 8,
  /** A further attempt under the id of the one before. */
  repeat: 16,
} as const

/** When the span ends, or begins where its duration is unknown; NaN without a time. */
export function endOf({ start, duration }: SpanTable, span: number): Microseconds {
  return start[span]! + (duration[span]! || 0)
}

/** A table and the spans behind its rows: of merged ones, the merged copy. */
export interface TabledSpans {
  table: SpanTable
  /** The table's strings, to which a view may add its own. */
  texts: StringTable
  spans: readonly Span[]
}
