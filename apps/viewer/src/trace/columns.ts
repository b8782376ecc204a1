import type { Microseconds } from '@hopscope/model'

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
  flags: Uint16Array
  /** Segments of row i: `segmentAt[i]` to `segmentAt[i + 1]`. */
  segmentAt: Int32Array
  segmentFrom: Float64Array
  segmentTo: Float64Array
  segmentKind: Uint8Array
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
} as const
export type SegmentKind = (typeof SEGMENT)[keyof typeof SEGMENT]

export interface TraceColumns {
  traceId: string
  /** µs since the epoch. */
  start: Microseconds
  duration: Microseconds
  strings: string[]
  /** Ids of the spans that rows point to, for links; in the worker's order. */
  spanIds: string[]
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
  }
  /** Ids that spans name as parent and that are not here; the first few. */
  missingParents: string[]
}

/** One row while it is gathered. */
export interface RowDraft {
  parent: number
  start: Microseconds
  duration: Microseconds
  shift?: Microseconds
  service: string
  name: string
  peer?: string
  note?: string
  flags: number
  segments: readonly (readonly [from: Microseconds, to: Microseconds, kind: SegmentKind])[]
  spans: readonly number[]
}

/** Texts by number, each once. */
export class StringTable {
  readonly strings: string[] = []
  readonly #index = new Map<string, number>()

  add(text: string): number {
    let index = this.#index.get(text)
    if (index === undefined) {
      index = this.strings.length
      this.strings.push(text)
      this.#index.set(text, index)
    }
    return index
  }
}

/** Drafts in reading order, parents first → columns. Depth and subtree ends follow from the parents. */
export function buildColumns(drafts: readonly RowDraft[], strings: StringTable): RowColumns {
  const count = drafts.length
  let segments = 0
  let spans = 0
  for (const draft of drafts) {
    segments += draft.segments.length
    spans += draft.spans.length
  }
  const columns: RowColumns = {
    count,
    start: new Float64Array(count),
    duration: new Float64Array(count),
    shift: new Float64Array(count),
    parent: new Int32Array(count),
    depth: new Int32Array(count),
    subtreeEnd: new Int32Array(count),
    service: new Int32Array(count),
    name: new Int32Array(count),
    peer: new Int32Array(count),
    note: new Int32Array(count),
    flags: new Uint16Array(count),
    segmentAt: new Int32Array(count + 1),
    segmentFrom: new Float64Array(segments),
    segmentTo: new Float64Array(segments),
    segmentKind: new Uint8Array(segments),
    spanAt: new Int32Array(count + 1),
    spanIndex: new Int32Array(spans),
  }
  let segment = 0
  let span = 0
  for (let i = 0; i < count; i++) {
    const draft = drafts[i]!
    columns.start[i] = draft.start
    columns.duration[i] = draft.duration
    columns.shift[i] = draft.shift ?? 0
    columns.parent[i] = draft.parent
    columns.depth[i] = draft.parent < 0 ? 0 : columns.depth[draft.parent]! + 1
    columns.service[i] = strings.add(draft.service)
    columns.name[i] = strings.add(draft.name)
    columns.peer[i] = draft.peer === undefined ? -1 : strings.add(draft.peer)
    columns.note[i] = draft.note === undefined ? -1 : strings.add(draft.note)
    columns.flags[i] = draft.flags
    for (const [from, to, kind] of draft.segments) {
      columns.segmentFrom[segment] = from
      columns.segmentTo[segment] = to
      columns.segmentKind[segment++] = kind
    }
    columns.segmentAt[i + 1] = segment
    for (const index of draft.spans) columns.spanIndex[span++] = index
    columns.spanAt[i + 1] = span
  }
  // Backwards: when a row is met, all below it are known.
  for (let i = count - 1; i >= 0; i--) {
    if (columns.subtreeEnd[i] === 0) columns.subtreeEnd[i] = i + 1
    const parent = columns.parent[i]!
    if (parent >= 0 && columns.subtreeEnd[parent]! < columns.subtreeEnd[i]!) {
      columns.subtreeEnd[parent] = columns.subtreeEnd[i]!
    }
  }
  return columns
}

/** What can be handed over to another thread without a copy. */
export function buffersOf(columns: RowColumns | undefined): ArrayBuffer[] {
  if (!columns) return []
  return Object.values(columns).flatMap(column =>
    typeof column === 'number' ? [] : [(column as Float64Array<ArrayBuffer>).buffer],
  )
}
