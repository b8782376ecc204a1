import type { Kind, Microseconds } from '@hopscope/model'

/** Finished spans on their way to a collector, in the bytes in which they will leave. */
export interface SpanBatch {
  /** Spans in the batch, an open one not counted. */
  readonly count: number
  readonly byteLength: number
  /** The batch as one body, in a buffer of its own; empty afterwards. */
  take(): Uint8Array
  clear(): void
}

/** The part of a span that is known before its annotations and tags. */
export interface SpanHead {
  traceId: string
  id: string
  parentId?: string | undefined
  kind?: Kind | undefined
  name: string
  timestamp: Microseconds
  duration: Microseconds
}

/** A batch in one of Zipkin's formats. One span is `begin`, then annotations, then tags, then `end`. */
export interface ZipkinBatch extends SpanBatch {
  begin(head: SpanHead): void
  annotation(timestamp: Microseconds, value: string): void
  tag(key: string, value: string): void
  end(flags: { shared?: boolean; debug?: boolean }): void
}
