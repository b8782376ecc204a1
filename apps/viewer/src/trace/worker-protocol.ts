import type { TraceColumns } from './columns.ts'
import type { LostCalls } from './find-lost-calls.ts'
import type { HopAnatomy } from './hop-anatomy.ts'
import type { SpanDetail } from './loaded-trace.ts'

/** What the page asks its worker. Answers carry the request's number. */
export type WorkerRequest =
  | { type: 'load'; number: number; source: TraceSource }
  | { type: 'detail'; number: number; spans: readonly number[] }
  | { type: 'find'; number: number; text: string }
  /** Calls in other traces that may belong to this one; `api` is the address of Zipkin's API. */
  | { type: 'lost'; number: number; api: string }
  /** The same rows with times as they were reported. */
  | { type: 'raw'; number: number }
  /** From now on, `grown` whenever spans come. `stream`: address of the events. */
  | { type: 'follow'; number: number; stream: string }
  | { type: 'export'; number: number; format: ExportFormat }

export type TraceSource = StoredTrace | { bytes: ArrayBuffer }

export interface StoredTrace {
  /** Zipkin's: the spans as JSON. */
  url: string
  /** Ours: `columns` and single spans are below it. Absent where there is no collector of ours. */
  own?: string
  /** Addresses of other traces, and the spans of this one below which they belong. */
  joins?: readonly { url: string; parentId: string }[]
}

/** Zipkin JSON v2, or OTLP JSON. */
export type ExportFormat = 'zipkin' | 'otlp'

export type WorkerAnswer =
  | { type: 'loaded'; number: number; trace: TraceColumns }
  | { type: 'detail'; number: number; details: SpanDetail[]; anatomy?: HopAnatomy }
  /** Some of the spans found; more come until it is done. */
  | { type: 'found'; number: number; spans: Int32Array; isDone: boolean }
  /** Spans have come; unasked, with the number 0. */
  | { type: 'grown'; number: number; trace: TraceColumns }
  | { type: 'lost'; number: number; lost: LostCalls }
  | { type: 'raw'; number: number; trace: TraceColumns }
  | { type: 'exported'; number: number; json: string }
  | { type: 'failed'; number: number; problem: Problem }

/** A failure in words for the user. `status` when a server said so; neither: what came cannot be read. */
export interface Problem {
  message: string
  status?: number
  /** Nobody answered. */
  isDown?: true
}

/** The other end, wherever it runs. */
export interface Connection {
  send(request: WorkerRequest): void
  close(): void
}
