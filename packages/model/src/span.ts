export type Microseconds = number
/** Timers and queries are in ms. */
export type Milliseconds = number

/** The side of a call that a span is; local work has none. (Zipkin v2 `kind`) */
export type Kind = 'CLIENT' | 'SERVER' | 'PRODUCER' | 'CONSUMER'

/** A Zipkin v2 span, normalised. Fields that do not apply are absent, never null. */
export interface Span {
  /** 16 or 32 lower-hex characters: `463ac35c9f6413ad48485a3953bb6124`. */
  traceId: string
  /** 16 lower-hex characters. Absent on a root. */
  parentId?: string
  /** 16 lower-hex characters. Both halves of a call share it when `shared` is set on the SERVER's. */
  id: string
  /** Absent: local work. */
  kind?: Kind
  /** Lower case. */
  name?: string
  /** Start, in µs since the epoch; > 0. Absent when only the server's half of a shared span has arrived. */
  timestamp?: Microseconds
  /** > 0. Absent while unfinished. */
  duration?: Microseconds
  localEndpoint?: Endpoint
  remoteEndpoint?: Endpoint
  /** Sorted by timestamp, then value; no exact duplicates. */
  annotations?: Annotation[]
  /** A null-prototype object, so that any key is just a key. */
  tags?: Record<string, string>
  /** Only ever true. Stored even where sampling would drop it. */
  debug?: true
  /** Only ever true. This (server) span continues an id that the client started. */
  shared?: true
}

/** Who is at one end of a span. (Zipkin v2 `localEndpoint`, `remoteEndpoint`) */
export interface Endpoint {
  /** Lower case. */
  serviceName?: string
  ipv4?: string
  ipv6?: string
  /** 1..65535 */
  port?: number
}

/** Something that happened at one moment of a span. (Zipkin v2 `annotations`) */
export interface Annotation {
  timestamp: Microseconds
  value: string
}

/** Calls from one service to another. `errorCount` is absent when 0, as zipkin-server writes it. */
export interface DependencyLink {
  parent: string
  child: string
  callCount: number
  errorCount?: number
}
