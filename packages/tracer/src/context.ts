/** Where a process is in a trace: what it hands on to those it calls. */
export interface TraceContext {
  /** 16 or 32 lower-hex characters; the width it came with is kept. */
  traceId: string
  /** 16 lower-hex characters. */
  spanId: string
  /** 16 lower-hex characters. Absent on a root. */
  parentId?: string
  /** Absent: not decided yet. */
  sampled?: boolean
  /** Sampled whatever anyone says (B3 `d`, `x-b3-flags: 1`). */
  debug?: boolean
  /** The span id came from the caller, whose CLIENT half reports it too. */
  shared?: boolean
}
