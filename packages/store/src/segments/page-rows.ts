import type { Endpoint, Span } from '@hopscope/model'
import { type BytesReader, type BytesWriter, MAX_EXACT_DELTA, putU32, putVarint } from './bytes.ts'
import { DEBUG, type Head, hexOf, KIND_MASK, KINDS, SHARED } from './head.ts'

/*
 * The rows of one trace, in order of arrival, as a page has them:
 *
 *   base       µs that times are counted from                                          varint
 *   per row    flags: kind (3 bits), then one bit each as below                        varint
 *              id, and parent id when it has one                                       see writeId
 *              name, local and remote endpoint: dictionary entries                     varint each
 *              start - base (zigzag), duration                                         varint each, or f64 with RAW_TIMES
 *              tags: count, entries                                                    varint each
 *              annotations: count, then of each time - base (zigzag) and its entry     varint each, or f64 and varint
 */
const HAS_PARENT = 32
const HAS_NAME = 64
const HAS_LOCAL = 128
const HAS_REMOTE = 256
const HAS_TIMESTAMP = 512
const HAS_DURATION = 1024
const HAS_TAGS = 2048
const HAS_ANNOTATIONS = 4096
const RAW_TIMES = 8192

/** Rows back that an id is looked for in. */
const LOOK_BACK = 48

/** Ids of the trace that is being written, by the order of its rows; one thread writes one trace at a time. */
let ids = {
  high: new Uint32Array(64),
  low: new Uint32Array(64),
  parentHigh: new Uint32Array(64),
  parentLow: new Uint32Array(64),
}

/** The most that a row takes without its tags and annotations, a tag, and an annotation. */
const ROW_BYTES = 64
const TAG_BYTES = 5
const ANNOTATION_BYTES = 13

export function writeTrace(out: BytesWriter, head: Head, rows: Uint32Array): void {
  const { columns } = head.rows
  const {
    flags,
    idHigh,
    idLow,
    parentHigh,
    parentLow,
    name,
    local,
    remote,
    timestamp,
    duration,
    tagEnd,
    annotationEnd,
  } = columns
  const { pair } = head.tags.columns
  const { timestamp: times, value } = head.annotations.columns
  const base = baseOf(timestamp, rows)
  out.varint(base)
  gatherIds(columns, rows)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const tagStart = row === 0 ? 0 : tagEnd[row - 1]!
    const tagCount = tagEnd[row]! - tagStart
    const annotationStart = row === 0 ? 0 : annotationEnd[row - 1]!
    const annotationCount = annotationEnd[row]! - annotationStart
    const start = timestamp[row]!
    const length = duration[row]!
    let raw = !isExact(start) || !isExact(length)
    for (let at = annotationStart; at < annotationStart + annotationCount && !raw; at++) raw = !isExact(times[at]!)
    const hasParent = parentHigh[row] !== 0 || parentLow[row] !== 0
    out.reserve(ROW_BYTES + tagCount * TAG_BYTES + annotationCount * ANNOTATION_BYTES)
    const { bytes } = out
    let end = putVarint(
      bytes,
      out.length,
      (flags[row]! & (KIND_MASK | DEBUG | SHARED)) |
        (hasParent ? HAS_PARENT : 0) |
        (name[row] !== 0 ? HAS_NAME : 0) |
        (local[row] !== 0 ? HAS_LOCAL : 0) |
        (remote[row] !== 0 ? HAS_REMOTE : 0) |
        (start !== 0 ? HAS_TIMESTAMP : 0) |
        (length !== 0 ? HAS_DURATION : 0) |
        (tagCount > 0 ? HAS_TAGS : 0) |
        (annotationCount > 0 ? HAS_ANNOTATIONS : 0) |
        (raw ? RAW_TIMES : 0),
    )
    end = putId(bytes, end, i, idHigh[row]!, idLow[row]!)
    if (hasParent) end = putId(bytes, end, i, parentHigh[row]!, parentLow[row]!)
    if (name[row] !== 0) end = putVarint(bytes, end, name[row]!)
    if (local[row] !== 0) end = putVarint(bytes, end, local[row]!)
    if (remote[row] !== 0) end = putVarint(bytes, end, remote[row]!)
    out.length = end
    if (start !== 0) {
      if (raw) out.f64(start)
      else out.zigzag(start - base)
    }
    if (length !== 0) {
      if (raw) out.f64(length)
      else out.varint(length)
    }
    if (tagCount > 0) {
      end = putVarint(bytes, out.length, tagCount)
      for (let at = tagStart; at < tagStart + tagCount; at++) end = putVarint(bytes, end, pair[at]!)
      out.length = end
    }
    if (annotationCount > 0) {
      out.varint(annotationCount)
      for (let at = annotationStart; at < annotationStart + annotationCount; at++) {
        if (raw) out.f64(times[at]!)
        else out.zigzag(times[at]! - base)
        out.varint(value[at]!)
      }
    }
  }
}

/** The earliest start that is a whole number; 0: none. */
function baseOf(timestamp: Float64Array, rows: Uint32Array): number {
  let base = 0
  for (let i = 0; i < rows.length; i++) {
    const time = timestamp[rows[i]!]!
    if (isExact(time) && time > 0 && (base === 0 || time < base)) base = time
  }
  return base
}

const isExact = (time: number): boolean => Number.isInteger(time) && time < MAX_EXACT_DELTA && time > -MAX_EXACT_DELTA

function gatherIds({ idHigh, idLow, parentHigh, parentLow }: Head['rows']['columns'], rows: Uint32Array): void {
  if (rows.length > ids.high.length) {
    const column = (): Uint32Array<ArrayBuffer> => new Uint32Array(rows.length * 2)
    ids = { high: column(), low: column(), parentHigh: column(), parentLow: column() }
  }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    ids.high[i] = idHigh[row]!
    ids.low[i] = idLow[row]!
    ids.parentHigh[i] = parentHigh[row]!
    ids.parentLow[i] = parentLow[row]!
  }
}

/** 0 and eight bytes; or 2d-1: the id of the row d back; or 2d: the parent of the row d back. Both are most of a trace. */
function putId(bytes: Uint8Array, at: number, i: number, idHigh: number, idLow: number): number {
  const { high, low, parentHigh, parentLow } = ids
  const furthest = Math.max(0, i - LOOK_BACK)
  for (let j = i - 1; j >= furthest; j--) {
    // Ids that one process has made may be alike in one half, hardly in the low one.
    if (low[j] === idLow && high[j] === idHigh) return putVarint(bytes, at, 2 * (i - j) - 1)
    if (parentLow[j] === idLow && parentHigh[j] === idHigh) return putVarint(bytes, at, 2 * (i - j))
  }
  bytes[at] = 0
  return putU32(bytes, putU32(bytes, at + 1, idHigh), idLow)
}

/** What rows refer to. */
export interface Entries {
  text(entry: number): string
  pair(entry: number): readonly [key: string, value: string]
  /** Whether a tag has this key, of ASCII. */
  hasKey(entry: number, key: string): boolean
  endpoint(entry: number): Endpoint
}

export function readTrace(from: BytesReader, count: number, traceId: string, entries: Entries): Span[] {
  const base = from.varint()
  const spans: Span[] = []
  for (let i = 0; i < count; i++) {
    const flags = from.varint()
    const span: Span = { traceId, id: readId(from, spans, i) }
    if (flags & HAS_PARENT) span.parentId = readId(from, spans, i)
    const kind = KINDS[flags & KIND_MASK]
    if (kind !== undefined) span.kind = kind
    if (flags & HAS_NAME) span.name = entries.text(from.varint())
    const local = flags & HAS_LOCAL ? from.varint() : 0
    const remote = flags & HAS_REMOTE ? from.varint() : 0
    const raw = (flags & RAW_TIMES) !== 0
    if (flags & HAS_TIMESTAMP) span.timestamp = raw ? from.f64() : from.zigzag() + base
    if (flags & HAS_DURATION) span.duration = raw ? from.f64() : from.varint()
    if (local !== 0) span.localEndpoint = { ...entries.endpoint(local) }
    if (remote !== 0) span.remoteEndpoint = { ...entries.endpoint(remote) }
    let tags: Record<string, string> | undefined
    if (flags & HAS_TAGS) {
      tags = Object.create(null) as Record<string, string>
      for (let left = from.varint(); left > 0; left--) {
        const [key, value] = entries.pair(from.varint())
        tags[key] = value
      }
    }
    if (flags & HAS_ANNOTATIONS) {
      const annotations = []
      for (let left = from.varint(); left > 0; left--) {
        const timestamp = raw ? from.f64() : from.zigzag() + base
        annotations.push({ timestamp, value: entries.text(from.varint()) })
      }
      span.annotations = annotations
    }
    if (tags !== undefined) span.tags = tags
    if (flags & DEBUG) span.debug = true
    if (flags & SHARED) span.shared = true
    spans.push(span)
  }
  return spans
}

function readId(from: BytesReader, spans: readonly Span[], i: number): string {
  const code = from.varint()
  if (code === 0) return hexOf(from.u32(), from.u32())
  const row = spans[i - ((code + 1) >> 1)]!
  return code % 2 === 1 ? row.id : row.parentId!
}

/** Entries of another dictionary that those of a page stand for. */
export interface LinkEntries {
  endpoint(entry: number): number
  /** -1 unless the tag is an `error`. */
  errorTag(entry: number): number
}

/** Appends the rows of a trace to a head, with no more than links depend on, all to its trace number 0; and finishes none. */
export function readLinkRows(from: BytesReader, count: number, head: Head, entries: LinkEntries): void {
  const base = from.varint()
  const { rows } = head
  rows.reserve(count)
  const { trace, idHigh, idLow, parentHigh, parentLow, flags: kinds, name, local, remote } = rows.columns
  const { timestamp, duration, tagEnd, annotationEnd } = rows.columns
  const first = rows.length
  for (let row = first; row < first + count; row++) {
    const flags = from.varint()
    readIdInto(from, rows.columns, row, idHigh, idLow)
    if (flags & HAS_PARENT) readIdInto(from, rows.columns, row, parentHigh, parentLow)
    else {
      parentHigh[row] = 0
      parentLow[row] = 0
    }
    trace[row] = 0
    kinds[row] = flags & (KIND_MASK | SHARED)
    name[row] = 0
    if (flags & HAS_NAME) from.varint()
    local[row] = flags & HAS_LOCAL ? entries.endpoint(from.varint()) : 0
    remote[row] = flags & HAS_REMOTE ? entries.endpoint(from.varint()) : 0
    const raw = (flags & RAW_TIMES) !== 0
    timestamp[row] = flags & HAS_TIMESTAMP ? (raw ? from.f64() : from.zigzag() + base) : 0
    duration[row] = 0
    if (flags & HAS_DURATION) {
      if (raw) from.f64()
      else from.varint()
    }
    if (flags & HAS_TAGS) {
      for (let left = from.varint(); left > 0; left--) {
        const pair = entries.errorTag(from.varint())
        if (pair !== -1) head.tag(pair)
      }
    }
    if (flags & HAS_ANNOTATIONS) {
      for (let left = from.varint(); left > 0; left--) {
        if (raw) from.f64()
        else from.varint()
        from.varint()
      }
    }
    tagEnd[row] = head.tags.length
    annotationEnd[row] = 0
  }
  rows.length += count
}

type IdColumns = Pick<Head['rows']['columns'], 'idHigh' | 'idLow' | 'parentHigh' | 'parentLow'>

function readIdInto(from: BytesReader, columns: IdColumns, row: number, high: Uint32Array, low: Uint32Array): void {
  const code = from.varint()
  if (code === 0) {
    high[row] = from.u32()
    low[row] = from.u32()
    return
  }
  const back = row - ((code + 1) >> 1)
  const isId = code % 2 === 1
  high[row] = (isId ? columns.idHigh : columns.parentHigh)[back]!
  low[row] = (isId ? columns.idLow : columns.parentLow)[back]!
}
