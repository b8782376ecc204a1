import { type Annotation, type Endpoint, type Kind, type Span, sortAnnotations } from '@hopscope/model'
import { Dictionary } from './dictionary.ts'
import type { Row } from './row.ts'
import { Table } from './table.ts'
import { durationCode } from './terms.ts'
import type { TraceColumns } from './trace-columns.ts'

/** `flags` of a row: its kind (0 is none), and what is only ever true. */
export const KINDS: readonly (Kind | undefined)[] = [undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER']
export const CLIENT = KINDS.indexOf('CLIENT')
export const KIND_MASK = 7
export const DEBUG = 8
export const SHARED = 16

/** The year 37,648: what is later counts as then, so that differences of times stay exact in a segment's table. */
const MAX_MS = 2 ** 50

/** How much a head held at some moment; rows after it can be written to a log, or taken back. */
export interface Mark {
  rows: number
  traces: number
  entries: number
  bytes: number
  tags: number
  annotations: number
}

export const EMPTY: Mark = { rows: 0, traces: 0, entries: 1, bytes: 0, tags: 0, annotations: 0 }

const ROWS = {
  trace: Uint32Array,
  idHigh: Uint32Array,
  idLow: Uint32Array,
  /** Both halves 0: no parent. */
  parentHigh: Uint32Array,
  parentLow: Uint32Array,
  flags: Uint8Array,
  name: Uint32Array,
  local: Uint32Array,
  remote: Uint32Array,
  /** µs; 0: none */
  timestamp: Float64Array,
  duration: Float64Array,
  /** Where its tags end in `tags`; they begin where those of the row before end. */
  tagEnd: Uint32Array,
  annotationEnd: Uint32Array,
}
const TRACES = {
  lowHigh: Uint32Array,
  lowLow: Uint32Array,
  highHigh: Uint32Array,
  highLow: Uint32Array,
  wide: Uint8Array,
}
const TAGS = { pair: Uint32Array }
const ANNOTATIONS = { timestamp: Float64Array, value: Uint32Array }
const CHAIN = { previous: Int32Array }
const TIMES = {
  last: Int32Array,
  count: Uint32Array,
  minMs: Float64Array,
  maxMs: Float64Array,
  untimed: Uint8Array,
  duration: Uint8Array,
}

/**
 * Spans that were accepted last, in columns: what the log is written from, what a segment is made of, and until then what
 * reads look at. Every text, tag and endpoint is an entry of the dictionary.
 *
 * A trace here is what shares the whole trace id. Its number says nothing of time.
 */
export class Head {
  readonly dictionary: Dictionary
  readonly rows: Table<typeof ROWS>
  readonly traces: Table<typeof TRACES>
  readonly tags: Table<typeof TAGS>
  readonly annotations: Table<typeof ANNOTATIONS>

  // Follows from the rows, and is not in the log.
  readonly #chain: Table<typeof CHAIN>
  readonly #times: Table<typeof TIMES>
  #slots: Int32Array<ArrayBuffer>
  minMs = Number.POSITIVE_INFINITY
  maxMs = Number.NEGATIVE_INFINITY
  hasUntimed = false
  /** Counts what was taken back: entries may have another meaning since. */
  rollbacks = 0
  /** Counts what was taken back of rows that were read: whoever derives something from rows begins again. */
  readRollbacks = 0
  /** Whoever derives something from rows says how far. */
  readRows = 0

  /** `old`: one that nobody reads any more; its memory is this one's from now on. */
  constructor(old?: Head) {
    this.dictionary = new Dictionary(old?.dictionary)
    this.rows = new Table(ROWS, 2048, old?.rows)
    this.traces = new Table(TRACES, 1024, old?.traces)
    this.tags = new Table(TAGS, 16_384, old?.tags)
    this.annotations = new Table(ANNOTATIONS, 2048, old?.annotations)
    this.#chain = new Table(CHAIN, 2048, old === undefined ? undefined : old.#chain)
    this.#times = new Table(TIMES, 1024, old === undefined ? undefined : old.#times)
    this.#slots = (old === undefined ? new Int32Array(4096) : new Int32Array(old.#slots.buffer.transfer())).fill(-1)
  }

  get spanCount(): number {
    return this.rows.length
  }

  get traceCount(): number {
    return this.traces.length
  }

  /** Gives back its memory: nobody reads it any more. */
  free(): void {
    for (const table of [this.rows, this.traces, this.tags, this.annotations, this.#chain, this.#times]) table.free()
    this.dictionary.free()
    this.#slots.buffer.transfer(0)
  }

  mark(): Mark {
    return {
      rows: this.rows.length,
      traces: this.traces.length,
      entries: this.dictionary.entries.length,
      bytes: this.dictionary.byteLength,
      tags: this.tags.length,
      annotations: this.annotations.length,
    }
  }

  add(span: Span): void {
    const { dictionary, rows, tags, annotations } = this
    const trace = this.#traceOf(span.traceId)
    rows.reserve(1)
    const row = rows.length
    const to = rows.columns
    to.trace[row] = trace
    to.idHigh[row] = hex(span.id, 0)
    to.idLow[row] = hex(span.id, 8)
    to.parentHigh[row] = span.parentId === undefined ? 0 : hex(span.parentId, 0)
    to.parentLow[row] = span.parentId === undefined ? 0 : hex(span.parentId, 8)
    to.flags[row] = KINDS.indexOf(span.kind) | (span.debug ? DEBUG : 0) | (span.shared ? SHARED : 0)
    to.name[row] = span.name === undefined ? 0 : dictionary.string(span.name)
    to.local[row] = this.endpointEntry(span.localEndpoint)
    to.remote[row] = this.endpointEntry(span.remoteEndpoint)
    to.timestamp[row] = span.timestamp ?? 0
    to.duration[row] = span.duration ?? 0
    for (const key in span.tags) this.tag(dictionary.pair(key, span.tags[key]!))
    if (span.annotations !== undefined) {
      for (const { timestamp, value } of span.annotations) this.annotate(timestamp, dictionary.string(value))
    }
    to.tagEnd[row] = tags.length
    to.annotationEnd[row] = annotations.length
    rows.length++
    this.finishRow(row)
  }

  /** Adds what a scanner has read; its tags and annotations stand there already. */
  append(from: Row): void {
    const { traceLowHigh, traceLowLow, traceHighHigh, traceHighLow, idHigh, idLow, parentHigh, parentLow } = from
    const wide = traceHighHigh === 0 && traceHighLow === 0 ? 0 : 1
    const trace = this.trace(traceLowHigh, traceLowLow, traceHighHigh, traceHighLow, wide)
    const { rows } = this
    rows.reserve(1)
    const row = rows.length++
    const to = rows.columns
    const isOwnParent = parentHigh === idHigh && parentLow === idLow
    to.trace[row] = trace
    to.idHigh[row] = idHigh
    to.idLow[row] = idLow
    to.parentHigh[row] = isOwnParent ? 0 : parentHigh
    to.parentLow[row] = isOwnParent ? 0 : parentLow
    // A client does not share: it began.
    to.flags[row] = from.kind | (from.isDebug ? DEBUG : 0) | (from.isShared && from.kind !== CLIENT ? SHARED : 0)
    to.name[row] = from.name
    to.local[row] = from.local
    to.remote[row] = from.remote
    to.timestamp[row] = from.timestamp
    to.duration[row] = from.duration
    to.tagEnd[row] = this.tags.length
    to.annotationEnd[row] = this.annotations.length
    this.finishRow(row)
  }

  /** Adds a tag to the row that comes next. */
  tag(pair: number): void {
    const { tags } = this
    tags.reserve(1)
    tags.columns.pair[tags.length++] = pair
  }

  /** Adds an annotation to the row that comes next. */
  annotate(timestamp: number, value: number): void {
    const { annotations } = this
    annotations.reserve(1)
    annotations.columns.timestamp[annotations.length] = timestamp
    annotations.columns.value[annotations.length++] = value
  }

  /** Brings those from `first` on in order, and takes away what stands twice, as the model does. */
  sortAnnotations(first: number): void {
    const { annotations, dictionary } = this
    const { timestamp, value } = annotations.columns
    let at = first + 1
    while (at < annotations.length && timestamp[at - 1]! < timestamp[at]!) at++
    if (at >= annotations.length) return
    const list: Annotation[] = []
    for (let at = first; at < annotations.length; at++) {
      list.push({ timestamp: timestamp[at]!, value: dictionary.text(value[at]!) })
    }
    annotations.length = first
    for (const { timestamp, value } of sortAnnotations(list)) this.annotate(timestamp, dictionary.string(value))
  }

  /** 0 is none. */
  endpointEntry(endpoint: Endpoint | undefined): number {
    if (endpoint === undefined) return 0
    const { dictionary } = this
    const entry = (text: string | undefined): number => (text === undefined ? 0 : dictionary.string(text))
    const { serviceName, ipv4, ipv6, port = 0 } = endpoint
    return dictionary.endpoint(entry(serviceName), entry(ipv4), entry(ipv6), port)
  }

  #traceOf(traceId: string): number {
    const wide = traceId.length === 32 ? 1 : 0
    const at = wide === 1 ? 16 : 0
    return this.trace(
      hex(traceId, at),
      hex(traceId, at + 8),
      wide === 1 ? hex(traceId, 0) : 0,
      wide === 1 ? hex(traceId, 8) : 0,
      wide,
    )
  }

  /** The number of the trace with this id; added when it is new. */
  trace(lowHigh: number, lowLow: number, highHigh: number, highLow: number, wide: number): number {
    const mask = this.#slots.length - 1
    let slot = slotOf(lowHigh, lowLow) & mask
    const { columns } = this.traces
    for (let trace = this.#slots[slot]!; trace !== -1; trace = this.#slots[slot]!) {
      if (
        columns.lowLow[trace] === lowLow &&
        columns.lowHigh[trace] === lowHigh &&
        columns.highLow[trace] === highLow &&
        columns.highHigh[trace] === highHigh &&
        columns.wide[trace] === wide
      ) {
        return trace
      }
      slot = (slot + 1) & mask
    }
    this.traces.reserve(1)
    const trace = this.traces.length++
    const to = this.traces.columns
    to.lowHigh[trace] = lowHigh
    to.lowLow[trace] = lowLow
    to.highHigh[trace] = highHigh
    to.highLow[trace] = highLow
    to.wide[trace] = wide
    this.#startTrace()
    this.#slots[slot] = trace
    if (trace * 2 > this.#slots.length) this.#rehash()
    return trace
  }

  #startTrace(): void {
    this.#times.reserve(1)
    const trace = this.#times.length++
    const { last, count, minMs, maxMs, untimed, duration } = this.#times.columns
    last[trace] = -1
    count[trace] = 0
    minMs[trace] = Number.POSITIVE_INFINITY
    maxMs[trace] = Number.NEGATIVE_INFINITY
    untimed[trace] = 0
    duration[trace] = 0
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.buffer.transfer(this.#slots.byteLength * 2)).fill(-1)
    const mask = slots.length - 1
    const { lowHigh, lowLow } = this.traces.columns
    for (let trace = 0; trace < this.traces.length; trace++) {
      let slot = slotOf(lowHigh[trace]!, lowLow[trace]!) & mask
      while (slots[slot] !== -1) slot = (slot + 1) & mask
      slots[slot] = trace
    }
    this.#slots = slots
  }

  /** Whoever has filled the columns of a row and counted it makes it part of its trace with this. */
  finishRow(row: number): void {
    this.#chain.reserve(1)
    this.#chain.length++
    const { trace: traces, timestamp, duration } = this.rows.columns
    const trace = traces[row]!
    const times = this.#times.columns
    this.#chain.columns.previous[row] = times.last[trace]!
    times.last[trace] = row
    times.count[trace]!++
    this.#time(times, trace, timestamp[row]!, duration[row]!)
  }

  #time(
    times: Pick<TraceColumns, 'minMs' | 'maxMs' | 'untimed' | 'duration'>,
    trace: number,
    timestamp: number,
    duration: number,
  ): void {
    if (timestamp === 0) {
      times.untimed[trace] = 1
      this.hasUntimed = true
    } else {
      const ms = Math.min(Math.floor(timestamp / 1000), MAX_MS)
      if (ms < times.minMs[trace]!) times.minMs[trace] = ms
      if (ms > times.maxMs[trace]!) times.maxMs[trace] = ms
      if (ms < this.minMs) this.minMs = ms
      if (ms > this.maxMs) this.maxMs = ms
    }
    const code = durationCode(duration)
    if (code > times.duration[trace]!) times.duration[trace] = code
  }

  /** Takes back what came after the mark. The bounds of the head may stay wider than they need be, those of traces do not. */
  rollback(mark: Mark): void {
    this.rollbacks++
    if (mark.rows < this.readRows) {
      this.readRollbacks++
      this.readRows = 0
    }
    const { trace: traces } = this.rows.columns
    const times = this.#times.columns
    const touched = new Set<number>()
    for (let row = this.#chain.length - 1; row >= mark.rows; row--) {
      const trace = traces[row]!
      times.last[trace] = this.#chain.columns.previous[row]!
      times.count[trace]!--
      if (trace < mark.traces) touched.add(trace)
    }
    const mask = this.#slots.length - 1
    const { lowHigh, lowLow } = this.traces.columns
    for (let trace = this.traces.length - 1; trace >= mark.traces; trace--) {
      let slot = slotOf(lowHigh[trace]!, lowLow[trace]!) & mask
      while (this.#slots[slot] !== trace) slot = (slot + 1) & mask
      this.#slots[slot] = -1
    }
    for (const trace of touched) {
      times.minMs[trace] = Number.POSITIVE_INFINITY
      times.maxMs[trace] = Number.NEGATIVE_INFINITY
      times.untimed[trace] = 0
      times.duration[trace] = 0
      const { timestamp, duration } = this.rows.columns
      for (const row of this.rowsOf(trace)) this.#time(times, trace, timestamp[row]!, duration[row]!)
    }
    this.rows.length = mark.rows
    this.#chain.length = mark.rows
    this.traces.length = mark.traces
    this.#times.length = mark.traces
    this.tags.length = mark.tags
    this.annotations.length = mark.annotations
    this.dictionary.truncate(mark.entries)
  }

  /** The rows of a trace in order of arrival. */
  rowsOf(trace: number): Uint32Array {
    if (trace >= this.traces.length) return new Uint32Array(0)
    const rows = new Uint32Array(this.#times.columns.count[trace]!)
    let at = rows.length
    for (let row = this.#times.columns.last[trace]!; row >= 0 && at > 0; row = this.#chain.columns.previous[row]!) {
      rows[--at] = row
    }
    return rows
  }

  /** Appends `count` traces, or rows, as a log has them; returns where they end. */
  appendTraces(count: number, source: Buffer, at: number): number {
    const first = this.traces.length
    const end = this.traces.append(count, source, at)
    this.traces.length = first
    const { lowHigh, lowLow, highHigh, highLow, wide } = this.traces.columns
    for (let trace = first; trace < first + count; trace++) {
      const number = this.trace(lowHigh[trace]!, lowLow[trace]!, highHigh[trace]!, highLow[trace]!, wide[trace]!)
      if (number !== trace) throw new RangeError('a trace stands twice')
    }
    return end
  }

  appendRows(count: number, source: Buffer, at: number): number {
    const first = this.rows.length
    const end = this.rows.append(count, source, at)
    for (let row = first; row < first + count; row++) {
      if (this.rows.columns.trace[row]! >= this.traces.length) throw new RangeError('a row of no trace')
      this.finishRow(row)
    }
    return end
  }

  traceColumns(): TraceColumns {
    return { ...this.traces.columns, ...this.#times.columns }
  }

  span(row: number): Span {
    const { dictionary } = this
    const { columns } = this.rows
    const trace = columns.trace[row]!
    const span: Span = { traceId: this.traceId(trace), id: hexOf(columns.idHigh[row]!, columns.idLow[row]!) }
    if (columns.parentHigh[row] !== 0 || columns.parentLow[row] !== 0) {
      span.parentId = hexOf(columns.parentHigh[row]!, columns.parentLow[row]!)
    }
    const flags = columns.flags[row]!
    const kind = KINDS[flags & KIND_MASK]
    if (kind !== undefined) span.kind = kind
    if (columns.name[row] !== 0) span.name = dictionary.text(columns.name[row]!)
    if (columns.timestamp[row] !== 0) span.timestamp = columns.timestamp[row]!
    if (columns.duration[row] !== 0) span.duration = columns.duration[row]!
    if (columns.local[row] !== 0) span.localEndpoint = this.endpoint(columns.local[row]!)
    if (columns.remote[row] !== 0) span.remoteEndpoint = this.endpoint(columns.remote[row]!)
    const annotations = this.#annotations(row)
    if (annotations.length > 0) span.annotations = annotations
    const tagEnd = columns.tagEnd[row]!
    const tagStart = row === 0 ? 0 : columns.tagEnd[row - 1]!
    if (tagEnd > tagStart) {
      const tags: Record<string, string> = Object.create(null)
      for (let at = tagStart; at < tagEnd; at++) {
        const pair = this.tags.columns.pair[at]!
        tags[dictionary.key(pair)] = dictionary.value(pair)
      }
      span.tags = tags
    }
    if (flags & DEBUG) span.debug = true
    if (flags & SHARED) span.shared = true
    return span
  }

  traceId(trace: number): string {
    const { lowHigh, lowLow, highHigh, highLow, wide } = this.traces.columns
    const low = hexOf(lowHigh[trace]!, lowLow[trace]!)
    return wide[trace] === 1 ? hexOf(highHigh[trace]!, highLow[trace]!) + low : low
  }

  endpoint(entry: number): Endpoint {
    const { dictionary } = this
    const endpoint: Endpoint = {}
    const service = dictionary.field(entry, 0)
    const ipv4 = dictionary.field(entry, 1)
    const ipv6 = dictionary.field(entry, 2)
    const port = dictionary.field(entry, 3)
    if (service !== 0) endpoint.serviceName = dictionary.text(service)
    if (ipv4 !== 0) endpoint.ipv4 = dictionary.text(ipv4)
    if (ipv6 !== 0) endpoint.ipv6 = dictionary.text(ipv6)
    if (port !== 0) endpoint.port = port
    return endpoint
  }

  #annotations(row: number): Annotation[] {
    const { annotationEnd } = this.rows.columns
    const { timestamp, value } = this.annotations.columns
    const annotations: Annotation[] = []
    for (let at = row === 0 ? 0 : annotationEnd[row - 1]!; at < annotationEnd[row]!; at++) {
      annotations.push({ timestamp: timestamp[at]!, value: this.dictionary.text(value[at]!) })
    }
    return annotations
  }
}

/** Eight lower-hex characters from `at`. */
export function hex(text: string, at: number): number {
  let value = 0
  for (let i = at; i < at + 8; i++) {
    const code = text.charCodeAt(i)
    value = (value << 4) | (code < 58 ? code - 48 : code - 87)
  }
  return value >>> 0
}

export function hexOf(high: number, low: number): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

function slotOf(high: number, low: number): number {
  const hash = Math.imul(high ^ (low >>> 15), 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35)
  return (hash ^ (hash >>> 15)) >>> 0
}
