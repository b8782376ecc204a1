import type { StoreStats } from '../store.ts'
import type { Expiry } from './expiry.ts'
import type { LoggedHeads } from './logged-heads.ts'
import type { SegmentList } from './segment-list.ts'

export interface RetentionLimits {
  maxSpans: number
  maxBytes: number
}

/** A trace in several parts counts in each. */
export function sumsOf(segments: SegmentList, heads: LoggedHeads): StoreStats {
  let { spans, traces, bytes } = segments.sums
  for (const { part, log } of heads.all()) {
    spans += part.spanCount
    traces += part.traceCount
    bytes += log.byteLength
  }
  return { spans, traces, bytes }
}

/** Lets the oldest parts go until the store is within its limits. `rotate` begins another head. */
export function enforceRetention(
  { maxSpans, maxBytes }: RetentionLimits,
  expiry: Expiry,
  segments: SegmentList,
  heads: LoggedHeads,
  rotate: () => void,
): void {
  let { spans, bytes } = sumsOf(segments, heads)
  const sealedBefore = expiry.before()
  for (;;) {
    const { oldest } = segments
    const isTooOld = oldest !== undefined && oldest.segment.meta.sealedMs < sealedBefore
    if (spans <= maxSpans && bytes <= maxBytes && !isTooOld) return
    if (oldest !== undefined) {
      segments.drop(oldest)
      spans -= oldest.spanCount
      bytes -= oldest.segment.meta.bytes
      continue
    }
    let head = heads.frozen.find(one => !one.isDropped)
    if (head === undefined) {
      // Bytes of a log alone are no reason to forget what it holds: sealed, it is half of that.
      if (spans <= maxSpans || heads.active.part.spanCount === 0) return
      head = heads.active
      rotate()
    } else if (spans <= maxSpans) return
    head.isDropped = true
    heads.changed()
    spans -= head.part.spanCount
    bytes -= head.log.byteLength
  }
}
