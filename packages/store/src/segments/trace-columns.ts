/** The traces of a part, by number. A trace is what shares the whole trace id; its spans in other parts are not counted. */
export interface TraceColumns {
  /** The right-most 16 characters of the id. */
  lowHigh: Uint32Array
  lowLow: Uint32Array
  /** The left half of an id of 32 characters (`wide` is 1). */
  highHigh: Uint32Array
  highLow: Uint32Array
  wide: Uint8Array
  /** Earliest and latest start, whole ms; Infinity and -Infinity when no span has one. */
  minMs: Float64Array
  maxMs: Float64Array
  /** 1: some span has no start. */
  untimed: Uint8Array
  /** durationCode of the longest span. */
  duration: Uint8Array
  /** Its spans. */
  count: Uint32Array
}
