import type { DependencyLink, Milliseconds, QueryRequest, Span } from '@hopscope/model'

/**
 * Where spans rest. Every store passes `testing/contract.ts`; `matches` of the model decides what a search finds.
 *
 * Reads give spans raw: neither merged nor corrected for skew, as they came in; only spans equal in every field are
 * one. What `accept` has resolved is seen by the next read. A read whose signal is aborted rejects with its reason.
 */
export interface SpanStore {
  /** As the health document names it: `InMemoryStorage{}`. */
  readonly name: string

  /**
   * Resolves when the spans are committed: with sqlite, they survive kill -9 and power loss from then on.
   * Rejects (StoreError) when they are not stored; no span of the call is stored then.
   */
  accept(spans: readonly Span[]): Promise<void>

  /**
   * A short way in for a body of spans, where a store has one: it reads the bytes itself, as the decoder of its format in the model
   * would. Undefined, and nothing stored, when the body is not ordinary, has more than `maxSpans`, or none can be taken now:
   * decode it then, and `accept`. With `isSampled` it keeps the spans of which that says so, and debug spans.
   */
  acceptBody?(format: BodyFormat, body: Uint8Array, maxSpans: number, isSampled?: IsSampled): AcceptedBody | undefined

  /**
   * Newest first by the latest span inside the window (ms), then by low trace id, descending; never an empty trace. Where these
   * would have more than `maxSpans`, a store that can stop reading rejects with TooManySpansError.
   */
  getTraces(request: QueryRequest, signal?: AbortSignal, maxSpans?: number): Promise<Span[][]>
  /** By normalised id, 16 or 32 lower-hex characters. Empty: not there. */
  getTrace(traceId: string, signal?: AbortSignal, maxSpans?: number): Promise<Span[]>
  /** In the order of the ids, those that are there; both widths of one trace give it once when ids are lenient. */
  getTracesByIds(traceIds: readonly string[], signal?: AbortSignal, maxSpans?: number): Promise<Span[][]>
  /**
   * Hands out traces with a span in [endTs - lookback, endTs] that have what is asked for, whole and in any order, but evenly spread
   * over all of them at any time, until `visit` says false or there are no more. Resolves to how many there are, roughly when it
   * was stopped.
   */
  sampleTraces(request: SampleRequest, visit: (spans: Span[]) => boolean, signal?: AbortSignal): Promise<number>

  /** Local service names, sorted. */
  getServiceNames(signal?: AbortSignal): Promise<string[]>
  /** Names of the spans of a local service, sorted. */
  getSpanNames(serviceName: string, signal?: AbortSignal): Promise<string[]>
  /** Services that a local service was seen to talk to, sorted. */
  getRemoteServiceNames(serviceName: string, signal?: AbortSignal): Promise<string[]>
  /** Values of a tag that was named in `autocompleteKeys`, sorted; of any other key, none. */
  getAutocompleteValues(key: string, signal?: AbortSignal): Promise<string[]>

  /** Links of all traces with any span in [endTs - lookback, endTs]; traces are grouped by low id, whatever the mode. */
  getDependencies(endTs: Milliseconds, lookback: Milliseconds, signal?: AbortSignal): Promise<DependencyLink[]>

  stats(): StoreStats
  /** Rejects (StoreError) with what is wrong when spans could not be stored or read now. */
  check(): Promise<void>
  /** Commits what was accepted, then lets go of the file. */
  close(): Promise<void>
}

/** A window that some span of a trace lies in, and what the trace must have: a span of a service, and one of that with a name. */
export type SampleRequest = Pick<QueryRequest, 'endTs' | 'lookback' | 'serviceName' | 'spanName'>

/** Zipkin v2 JSON, `zipkin.proto3.ListOfSpans`, an `ExportTraceServiceRequest`: binary, and as JSON. */
export type BodyFormat = 'json' | 'proto3' | 'otlp' | 'otlp-json'

/** Says it of a trace, by the two halves of the right-most 16 characters of its id (u32). */
export type IsSampled = (high: number, low: number) => boolean

/** What became of a message's spans. */
export interface AcceptedBody {
  /** Kept. */
  spans: number
  /** Not sampled. */
  leftOut: number
  /** As the promise of `accept`. */
  committed: Promise<void>
  /** Of its spans, each once. Both are there until the turn ends in which the body was accepted. */
  traceIds: () => string[]
  read: () => Span[]
}

/** How much a store holds at this moment. */
export interface StoreStats {
  spans: number
  traces: number
  /** In use by the data and its indexes; 0 in memory. */
  bytes: number
}

/** What every store can be told. */
export interface StoreOptions {
  /**
   * true (default): a trace is what shares the whole id. false: what shares its right-most 16 characters, for systems
   * on their way from 64-bit to 128-bit ids. (zipkin-server STRICT_TRACE_ID)
   */
  strictTraceId?: boolean
  /** false: no names and no search, only reads by id and links. (SEARCH_ENABLED) */
  searchEnabled?: boolean
  /** Tags whose values are offered. (AUTOCOMPLETE_KEYS) */
  autocompleteKeys?: readonly string[]
  /** Oldest whole traces go when there would be more spans than this. */
  maxSpans?: number
}

/** Values kept for one autocomplete key; an unbounded tag (a request id) must not fill the store. (zipkin: 20000) */
export const AUTOCOMPLETE_CARDINALITY = 20_000

/** An answer would be larger than its reader wants. */
export class TooManySpansError extends Error {
  readonly maxSpans: number

  constructor(maxSpans: number) {
    super(`more than ${maxSpans} spans`)
    this.name = 'TooManySpansError'
    this.maxSpans = maxSpans
  }
}

/** Why a store cannot be opened or written to. */
export type StoreErrorCode =
  | 'foreign'
  | 'older'
  | 'newer'
  | 'broken'
  | 'locked'
  | 'full'
  | 'readonly'
  | 'cannot-open'
  | 'busy'
  | 'closed'

/** Something that a person has to see to. The message names the file, what was found and what was expected. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
