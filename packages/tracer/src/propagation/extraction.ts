/** In which form the caller said it. `b3` is the single header. */
export type PropagationStyle = 'b3' | 'b3-multi' | 'w3c'

/** What a message says of the trace it belongs to. */
export interface Incoming {
  style: PropagationStyle
  /** Absent: a decision came without ids, for a trace that begins here. */
  parent?: { traceId: string; spanId: string; parentId?: string }
  /** Absent: left to the receiver. */
  sampled?: boolean
  debug: boolean
}

/** `malformed`: there are headers of that kind, and they cannot be read. */
export type Extraction = 'none' | 'malformed' | Incoming

const HEX = /^[0-9a-fA-F]+$/

/** 16 lower-hex characters of 1 to 16 hex digits; undefined for anything else. */
export function hex64(text: string): string | undefined {
  if (text.length === 0 || text.length > 16 || !HEX.test(text)) return undefined
  return text.toLowerCase().padStart(16, '0')
}
