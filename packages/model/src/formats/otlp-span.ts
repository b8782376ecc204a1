/** OTLP as both of its encodings carry it, read but not yet mapped. Times are nanoseconds, ids bytes in hex. */

export type OtlpValue = string | number | boolean | bigint | null | OtlpValue[] | Map<string, OtlpValue>
export type OtlpAttributes = Map<string, OtlpValue>

export interface OtlpEvent {
  timeUnixNano: bigint
  name: string
  attributes: OtlpAttributes
  droppedAttributesCount: number
}

/** Another span, of this trace or of another, that this one has to do with. */
export interface OtlpLink {
  /** Hex, as that of a span. */
  traceId: string
  spanId: string
  traceState: string
  attributes: OtlpAttributes
  droppedAttributesCount: number
}

export interface OtlpSpan {
  /** 32 lower-hex characters when valid; whatever came otherwise. */
  traceId: string
  /** 16 lower-hex characters when valid. */
  spanId: string
  /** Empty on a root. */
  parentSpanId: string
  /** W3C's tracestate, as the headers had it. Empty: none. */
  traceState: string
  name: string
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number
  startTimeUnixNano: bigint
  endTimeUnixNano: bigint
  attributes: OtlpAttributes
  events: OtlpEvent[]
  /** Few spans have any. */
  links: OtlpLink[] | undefined
  /** 0 unset, 1 ok, 2 error. */
  statusCode: number
  statusMessage: string
  droppedAttributesCount: number
  droppedEventsCount: number
  droppedLinksCount: number
}

export interface OtlpScopeSpans {
  scopeName: string
  scopeVersion: string
  scopeAttributes: OtlpAttributes
  spans: OtlpSpan[]
}

export interface OtlpResourceSpans {
  attributes: OtlpAttributes
  scopes: OtlpScopeSpans[]
}

export function emptyOtlpSpan(): OtlpSpan {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    traceState: '',
    name: '',
    kind: 0,
    startTimeUnixNano: 0n,
    endTimeUnixNano: 0n,
    attributes: new Map(),
    events: [],
    links: undefined,
    statusCode: 0,
    statusMessage: '',
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}
