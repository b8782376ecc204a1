import type { Microseconds } from '@hopscope/model'
import type { PackedIds } from './packed-ids.ts'
import type { Reason } from './why-slow.ts'

/**
 * A trace as the main thread has it: columns, one entry a row, in reading order (a row, then all below it). No object per
 * span: 100,000 rows are a dozen typed arrays that a worker hands over without copying.
 *
 *     row      0        1        2        3
 *     text     shop     stock    db       price
 *     parent  -1        0        1        0
 *     depth    0        1        2        1
 *     end      4        3        3        4        subtreeEnd: the first row that is not below this one
 */
export interface RowColumns {
  count: number
  /** µs from the trace's start, clock skew taken out. */
  start: Float64Array
  /** µs; 0 where {@link FLAG.noDuration}. */
  duration: Float64Array
  /** Adjusted minus reported start, µs; 0 where the clock was trusted. */
  shift: Float64Array
  parent: Int32Array
  depth: Int32Array
  subtreeEnd: Int32Array
  /** Into `strings`. */
  service: Int32Array
  name: Int32Array
  /** Into `strings`: who is called, in a row that is a call; -1 without. */
  peer: Int32Array
  /** Into `strings`: a short remark (`503`, `2 attempts`); -1 without. */
  note: Int32Array
  flags: Uint32Array
  /** µs from the trace's start: until when somebody waits for the row; Infinity where nobody said. */
  deadline: Float64Array
  /** Segments of row i: `segmentAt[i]` to `segmentAt[i + 1]`. */
  segmentAt: Int32Array
  segmentFrom: Float64Array
  segmentTo: Float64Array
  segmentKind: Uint8Array
  /** Where row i is the one that the trace waits for: `criticalAt[i]` to `criticalAt[i + 1]`. */
  criticalAt: Int32Array
  criticalFrom: Float64Array
  criticalTo: Float64Array
  /** Spans behind row i, indices into the worker's span list: `spanAt[i]` to `spanAt[i + 1]`. */
  spanAt: Int32Array
  spanIndex: Int32Array
}

export const FLAG = {
  error: 1,
  /** Its times were moved: the clock of its host was off. */
  moved: 2,
  /** Names a parent that is not in the trace. */
  missingParent: 4,
  /** The called side sent no span. */
  untraced: 8,
  noDuration: 16,
  /** No time of its own: drawn where its parent begins. */
  noTime: 32,
  /** Its parents form a circle; cut where it begins. */
  cycle: 64,
  /** More than one attempt. */
  retried: 128,
  client: 256,
  server: 512,
  producer: 1_024,
  consumer: 2_048,
  /** A call between services, folded out of its spans. */
  hop: 4_096,
  /** Some of the trace's time is its own: the trace would be shorter without it. */
  critical: 8_192,
  /** Works on when nobody waits any more. */
  late: 16_384,
  /** Says it would wait longer than the one who asked it does. */
  overBudget: 32_768,
  /** A part of it came out negative: the measurement's error. */
  inexact: 65_536,
  /** Put here by inference, not by what its spans say. */
  inferred: 131_072,
} as const

export const SEGMENT = {
  span: 0,
  app: 1,
  egressProxy: 2,
  wire: 3,
  ingressProxy: 4,
  /** Time inside a service that sent no spans. */
  unknown: 5,
  failedAttempt: 6,
  backOff: 7,
  /** The app waits for calls of its own. */
  below: 8,
  /** Work that nobody waits for. */
  late: 9,
} as const
export type SegmentKind = (typeof SEGMENT)[keyof typeof SEGMENT]

export interface TraceColumns {
  traceId: string
  /** µs since the epoch. */
  start: Microseconds
  duration: Microseconds
  strings: string[]
  /** Ids of the spans that rows point to, for links; in the worker's order. */
  spanIds: PackedIds
  spans: RowColumns
  hops?: RowColumns
  /** Why some spans, or all, are not folded into hops; in words for the user. */
  noHops?: string
  counts: {
    spans: number
    services: number
    hops: number
    depth: number
    errors: number
    missingParents: number
    cycles: number
    moved: number
    untraced: number
    retried: number
    /** Rows that work on when nobody waits any more. */
    late: number
    /** Spans that came more than once and were merged, or could not be read. */
    merged: number
    unreadable: number
    /** Traces of the same file, of which the largest is shown. */
    otherTraces: number
  }
  /** Ids that spans name as parent and that are not here; the first few. */
  missingParents: string[]
  /** Why it took so long, the weightiest first. */
  reasons: Reason[]
}

/** Rows without content yet: `count` of them, which have `spans` spans and `segments` segments. */
export function emptyColumns(count: number, spans: number, segments: number): RowColumns {
  return {
    count,
    start: new Float64Array(count),
    duration: new Float64Array(count),
    shift: new Float64Array(count),
    parent: new Int32Array(count).fill(-1),
    depth: new Int32Array(count),
    subtreeEnd: new Int32Array(count),
    service: new Int32Array(count),
    name: new Int32Array(count),
    peer: new Int32Array(count).fill(-1),
    note: new Int32Array(count).fill(-1),
    flags: new Uint32Array(count),
    deadline: new Float64Array(count).fill(Number.POSITIVE_INFINITY),
    segmentAt: new Int32Array(count + 1),
    segmentFrom: new Float64Array(segments),
    segmentTo: new Float64Array(segments),
    segmentKind: new Uint8Array(segments),
    criticalAt: new Int32Array(count + 1),
    criticalFrom: new Float64Array(0),
    criticalTo: new Float64Array(0),
    spanAt: new Int32Array(count + 1),
    spanIndex: new Int32Array(spans),
  }
}

/** Depth and subtree ends follow from the parents, which come before their children. */
export function finishTree(columns: RowColumns): void {
  const { count, parent, depth, subtreeEnd } = columns
  for (let i = 0; i < count; i++) depth[i] = parent[i]! < 0 ? 0 : depth[parent[i]!]! + 1
  // Backwards: when a row is met, all below it are known.
  for (let i = count - 1; i >= 0; i--) {
    if (subtreeEnd[i] === 0) subtreeEnd[i] = i + 1
    const above = parent[i]!
    if (above >= 0 && subtreeEnd[above]! < subtreeEnd[i]!) subtreeEnd[above] = subtreeEnd[i]!
  }
}

/** What can be handed over to another thread without a copy. */
export function buffersOf(columns: RowColumns | undefined): ArrayBuffer[] {
  if (!columns) return []
  return Object.values(columns).flatMap(column =>
    typeof column === 'number' ? [] : [(column as Float64Array<ArrayBuffer>).buffer],
  )
}
