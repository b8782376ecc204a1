import { BytesWriter, putVarint } from './bytes.ts'
import { ENDPOINT } from './dictionary.ts'
import type { Head } from './head.ts'
import { encodeNames, namesOf } from './names.ts'
import { writeTrace } from './page-rows.ts'
import { packPiece } from './piece.ts'
import { encodeLinks } from './segment-links.ts'
import { TermIndex } from './term-index.ts'
import { TraceLinker } from './trace-linker.ts'

/** A page of rows is closed when it has grown to this: what one trace read must decompress. */
const PAGE_BYTES = 48 * 1024
/** Entries of a dictionary that lie together. */
export const CHUNK_ENTRIES = 1024
/** Terms lie by the top bits of their hash: what one look-up must decompress. */
export const BUCKET_BITS = 6

/** A segment before it is written. All pieces are packed. */
export interface SegmentImage {
  spans: number
  traces: number
  minMs: number | null
  maxMs: number | null
  untimed: boolean
  pages: Buffer[]
  dictionary: Buffer[]
  /** By bucket. */
  terms: (Buffer | undefined)[]
  /** Trace ids: of each trace eight bytes, a bit for those of 32 characters, and eight more of these. */
  ids: Buffer
  /** Times, place and size of each trace. */
  table: Buffer
  names: Buffer
  links: Buffer
}

/** Lays out one head after the other. What it needs for that is kept for the next. */
export class SegmentBuilder {
  readonly #autocompleteKeys: readonly string[]
  #index: TermIndex | undefined
  readonly #out = new BytesWriter(PAGE_BYTES * 2)
  readonly #body = new BytesWriter(PAGE_BYTES)

  constructor(autocompleteKeys: readonly string[]) {
    this.#autocompleteKeys = autocompleteKeys
  }

  /** Sorts the traces of a head by their start and lays them out for reading. */
  build(head: Head): SegmentImage {
    const order = byStart(head)
    const rowsByTrace = Array.from(order, number => head.rowsOf(number))
    const out = this.#out
    const { rows: pages, places } = writePages(head, rowsByTrace, out)
    const traces = head.traceColumns()
    return {
      spans: head.spanCount,
      traces: order.length,
      minMs: Number.isFinite(head.minMs) ? head.minMs : null,
      maxMs: Number.isFinite(head.maxMs) ? head.maxMs : null,
      untimed: head.hasUntimed,
      pages,
      dictionary: writeDictionary(head, out),
      terms: writeTerms(this.#indexOf(head, rowsByTrace), out, this.#body),
      ids: packPiece(writeIds(head, order)),
      table: packPiece(writeTable(traces, order, places)),
      names: packPiece(encodeNames(namesOf(head, this.#autocompleteKeys))),
      links: packPiece(writeLinks(head, rowsByTrace)),
    }
  }

  #indexOf(head: Head, rowsByTrace: readonly Uint32Array[]): TermIndex {
    this.#index?.reset(head)
    this.#index ??= new TermIndex(head)
    const index = this.#index
    for (let trace = 0; trace < rowsByTrace.length; trace++) {
      const rows = rowsByTrace[trace]!
      for (let i = 0; i < rows.length; i++) index.add(rows[i]!, trace)
    }
    return index
  }
}

function writeLinks(head: Head, rowsByTrace: readonly Uint32Array[]): Buffer {
  const linker = new TraceLinker(head)
  const links = rowsByTrace.map(rows => linker.link(rows))
  return encodeLinks(links, linker.pairs)
}

/** Trace numbers by earliest start; those without any come first. */
function byStart(head: Head): Uint32Array {
  const { minMs } = head.traceColumns()
  const start = (trace: number): number => (Number.isFinite(minMs[trace]!) ? minMs[trace]! : 0)
  const order = Uint32Array.from({ length: head.traceCount }, (_, trace) => trace)
  return order.sort((a, b) => start(a) - start(b) || a - b)
}

interface Place {
  page: number
  offset: number
}

function writePages(
  head: Head,
  rowsByTrace: readonly Uint32Array[],
  out: BytesWriter,
): { rows: Buffer[]; places: Place[] } {
  const rows: Buffer[] = []
  const places: Place[] = []
  out.length = 0
  for (const ofTrace of rowsByTrace) {
    places.push({ page: rows.length, offset: out.length })
    writeTrace(out, head, ofTrace)
    if (out.length < PAGE_BYTES) continue
    rows.push(packPiece(out.view()))
    out.length = 0
  }
  if (out.length > 0) rows.push(packPiece(out.view()))
  return { rows, places }
}

function writeIds(head: Head, order: Uint32Array): Buffer {
  const { lowHigh, lowLow, highHigh, highLow, wide } = head.traces.columns
  const out = new BytesWriter(order.length * 18)
  for (const number of order) {
    out.u32(lowHigh[number]!)
    out.u32(lowLow[number]!)
  }
  const bits = Buffer.alloc((order.length + 7) >> 3)
  for (const [trace, number] of order.entries()) if (wide[number] === 1) bits[trace >> 3]! |= 1 << (trace & 7)
  out.raw(bits)
  for (const number of order) {
    if (wide[number] !== 1) continue
    out.u32(highHigh[number]!)
    out.u32(highLow[number]!)
  }
  return out.view()
}

/** Of each trace: start - start of the one before (zigzag, ms), length (ms), longest span, flags, page, offset, spans. */
function writeTable(traces: ReturnType<Head['traceColumns']>, order: Uint32Array, places: Place[]): Buffer {
  const out = new BytesWriter(order.length * 12)
  let before = 0
  let page = 0
  for (const [trace, number] of order.entries()) {
    const isTimed = Number.isFinite(traces.minMs[number]!)
    out.byte((isTimed ? 1 : 0) | (traces.untimed[number] === 1 ? 2 : 0))
    if (isTimed) {
      out.zigzag(traces.minMs[number]! - before)
      out.varint(traces.maxMs[number]! - traces.minMs[number]!)
      before = traces.minMs[number]!
    }
    out.byte(traces.duration[number]!)
    out.varint(places[trace]!.page - page)
    page = places[trace]!.page
    out.varint(places[trace]!.offset)
    out.varint(traces.count[number]!)
  }
  return out.view()
}

/** Chunks of entries: their count; of each its kind (+ 2) and its length; then the bytes of all. */
function writeDictionary({ dictionary }: Head, out: BytesWriter): Buffer[] {
  const chunks: Buffer[] = []
  const count = dictionary.entries.length
  for (let first = 0; first < count; first += CHUNK_ENTRIES) {
    const last = Math.min(first + CHUNK_ENTRIES, count) - 1
    out.length = 0
    out.varint(last - first + 1)
    for (let entry = first; entry <= last; entry++) {
      out.varint(dictionary.kind(entry) - ENDPOINT)
      out.varint(dictionary.end(entry) - dictionary.start(entry))
    }
    out.raw(dictionary.bytes, dictionary.start(first), dictionary.end(last))
    chunks.push(packPiece(out.view()))
  }
  return chunks
}

/** Of a varint below 2^32. */
const MOST_VARINT_BYTES = 5

/**
 * A bucket: count of terms; of each, hashes ascending, hash - the one before and the length of its postings; then all
 * postings: 2 · count, + 1 with durations; trace - the one before, of each; the codes of the durations.
 */
function writeTerms(index: TermIndex, head: BytesWriter, body: BytesWriter): (Buffer | undefined)[] {
  const { terms, starts, traces, codes } = index.sorted()
  const pieces: (Buffer | undefined)[] = []
  let first = 0
  for (let bucket = 0; bucket < 1 << BUCKET_BITS; bucket++) {
    let last = first
    while (last < terms.length && index.hashes[terms[last]!]! >>> (32 - BUCKET_BITS) === bucket) last++
    if (last === first) {
      pieces.push(undefined)
      continue
    }
    head.length = 0
    body.length = 0
    head.varint(last - first)
    let before = 0
    for (let at = first; at < last; at++) {
      const hash = index.hashes[terms[at]!]!
      const from = body.length
      writePostings(body, traces, codes, starts[at]!, starts[at + 1]!, index.hasCodes(terms[at]!))
      head.varint(hash - before)
      head.varint(body.length - from)
      before = hash
    }
    head.raw(body.view())
    pieces.push(packPiece(head.view()))
    first = last
  }
  return pieces
}

function writePostings(
  out: BytesWriter,
  traces: Uint32Array,
  codes: Uint8Array,
  from: number,
  to: number,
  hasCodes: boolean,
): void {
  const count = to - from
  out.reserve((count + 1) * (MOST_VARINT_BYTES + 1))
  const { bytes } = out
  let end = putVarint(bytes, out.length, count * 2 + (hasCodes ? 1 : 0))
  let last = 0
  for (let i = from; i < to; i++) {
    const trace = traces[i]!
    end = putVarint(bytes, end, trace - last)
    last = trace
  }
  if (hasCodes) for (let i = from; i < to; i++) bytes[end++] = codes[i]!
  out.length = end
}
