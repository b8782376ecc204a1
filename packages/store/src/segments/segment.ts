import type { Endpoint, Span } from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { BUCKET_BITS, CHUNK_ENTRIES } from './build-segment.ts'
import { BytesReader } from './bytes.ts'
import { PIECES_PER_SEGMENT, SEGMENTS_PER_BUCKET, type SegmentRow } from './database.ts'
import { ENDPOINT, STRING } from './dictionary.ts'
import { hexOf } from './head.ts'
import { decodeNames, type StoredNames } from './names.ts'
import { type Entries, readTrace } from './page-rows.ts'
import { DamageError, unpackPiece } from './piece.ts'
import { decodeLinks, type SegmentLinks } from './segment-links.ts'
import type { Postings } from './term-index.ts'
import type { TraceColumns } from './trace-columns.ts'

export interface SegmentMeta {
  id: number
  /** The last log in it. */
  last: number
  spans: number
  traces: number
  /** null: no span has a start. */
  minMs: number | null
  maxMs: number | null
  untimed: boolean
  sealedMs: number
  bytes: number
}

/** Of each trace where its rows are. */
interface Places {
  page: Uint32Array
  offset: Uint32Array
}

/** What is read often, kept while there is room. */
export interface PieceCache {
  get<T>(key: string): T | undefined
  set(key: string, value: unknown, bytes: number): void
}

/** A sealed segment, read piece by piece. What is damaged throws a DamageError that names it. */
export class Segment {
  readonly meta: SegmentMeta
  readonly #name: string
  readonly #read: PieceReader
  readonly #cache: PieceCache

  private constructor(read: PieceReader, meta: SegmentMeta, cache: PieceCache) {
    this.#read = read
    this.meta = meta
    this.#name = `segment ${meta.id}`
    this.#cache = cache
  }

  static open(database: Database, id: number, cache: PieceCache): Segment {
    return new PieceReader(database).open(id, cache)
  }

  static of(read: PieceReader, meta: SegmentMeta, cache: PieceCache): Segment {
    return new Segment(read, meta, cache)
  }

  get spanCount(): number {
    return this.meta.spans
  }

  get traceCount(): number {
    return this.meta.traces
  }

  get minMs(): number {
    return this.meta.minMs ?? Number.POSITIVE_INFINITY
  }

  get maxMs(): number {
    return this.meta.maxMs ?? Number.NEGATIVE_INFINITY
  }

  get hasUntimed(): boolean {
    return this.meta.untimed
  }

  /** Only the ids: the rest of the columns is empty. */
  ids(): Pick<TraceColumns, 'lowHigh' | 'lowLow' | 'highHigh' | 'highLow' | 'wide'> {
    const piece = this.#ids()
    const { traces } = this.meta
    const low = lowIdsOf(piece, traces)
    const lowHigh = new Uint32Array(traces)
    const lowLow = new Uint32Array(traces)
    for (let trace = 0; trace < traces; trace++) {
      lowHigh[trace] = low[2 * trace]!
      lowLow[trace] = low[2 * trace + 1]!
    }
    const from = new BytesReader(piece, traces * 8)
    const bits = from.raw((traces + 7) >> 3)
    const wide = new Uint8Array(traces)
    const highHigh = new Uint32Array(traces)
    const highLow = new Uint32Array(traces)
    for (let trace = 0; trace < traces; trace++) {
      if ((bits[trace >> 3]! & (1 << (trace & 7))) === 0) continue
      wide[trace] = 1
      highHigh[trace] = from.u32()
      highLow[trace] = from.u32()
    }
    return { lowHigh, lowLow, highHigh, highLow, wide }
  }

  /** The right-most 16 characters of each id: high, low, and so on. */
  lowIds(): Uint32Array {
    return lowIdsOf(this.#ids(), this.meta.traces)
  }

  #ids(): Buffer {
    const piece = unpackPiece(this.#read.column(this.meta.id, 'ids'), `${this.#name}, ids`)
    if (piece.length < this.meta.traces * 8) {
      throw new DamageError(`${this.#name}, ids, has ${piece.length} bytes for ${this.meta.traces} traces`)
    }
    return piece
  }

  traceColumns(): TraceColumns {
    return this.#table().columns
  }

  #table(): { columns: TraceColumns; places: Places } {
    const key = `t${this.meta.id}`
    const cached = this.#cache.get<{ columns: TraceColumns; places: Places }>(key)
    if (cached !== undefined) return cached
    const piece = unpackPiece(this.#read.column(this.meta.id, 'traces_at'), `${this.#name}, table of traces`)
    const { traces } = this.meta
    const from = new BytesReader(piece)
    const minMs = new Float64Array(traces).fill(Number.POSITIVE_INFINITY)
    const maxMs = new Float64Array(traces).fill(Number.NEGATIVE_INFINITY)
    const untimed = new Uint8Array(traces)
    const duration = new Uint8Array(traces)
    const count = new Uint32Array(traces)
    const places: Places = { page: new Uint32Array(traces), offset: new Uint32Array(traces) }
    let before = 0
    let page = 0
    for (let trace = 0; trace < traces; trace++) {
      const flags = piece[from.at++]!
      untimed[trace] = flags >> 1
      if (flags & 1) {
        before += from.zigzag()
        minMs[trace] = before
        maxMs[trace] = before + from.varint()
      }
      duration[trace] = piece[from.at++]!
      page += from.varint()
      places.page[trace] = page
      places.offset[trace] = from.varint()
      count[trace] = from.varint()
    }
    const columns: TraceColumns = { ...this.ids(), minMs, maxMs, untimed, duration, count }
    const table = { columns, places }
    this.#cache.set(key, table, traces * 48)
    return table
  }

  /** The spans of a trace in order of arrival. */
  spans(trace: number): Span[] {
    const { columns } = this.#table()
    const low = hexOf(columns.lowHigh[trace]!, columns.lowLow[trace]!)
    const traceId = columns.wide[trace] === 1 ? hexOf(columns.highHigh[trace]!, columns.highLow[trace]!) + low : low
    const { from, count, entries } = this.rows(trace)
    return readTrace(from, count, traceId, entries)
  }

  /** Where the rows of a trace begin, how many they are, and what they refer to. */
  rows(trace: number): { from: BytesReader; count: number; entries: Entries } {
    const { columns, places } = this.#table()
    const page = this.#page(places.page[trace]!)
    return {
      from: new BytesReader(page, places.offset[trace]!),
      count: columns.count[trace]!,
      entries: new ChunkedEntries(number => this.#chunk(number)),
    }
  }

  #page(number: number): Buffer {
    const key = `p${this.meta.id}/${number}`
    const cached = this.#cache.get<Buffer>(key)
    if (cached !== undefined) return cached
    const page = unpackPiece(this.#read.page(this.meta.id, number), `${this.#name}, page ${number}`)
    this.#cache.set(key, page, page.length)
    return page
  }

  #chunk(number: number): Chunk {
    const key = `d${this.meta.id}/${number}`
    const cached = this.#cache.get<Chunk>(key)
    if (cached !== undefined) return cached
    const what = `${this.#name}, dictionary ${number}`
    const piece = unpackPiece(this.#read.chunk(this.meta.id, number), what)
    const chunk = new Chunk(piece, number * CHUNK_ENTRIES)
    this.#cache.set(key, chunk, piece.length * 3)
    return chunk
  }

  /** Traces that have a term; undefined: none. */
  postings(hash: number): Postings | undefined {
    const bucket = hash >>> (32 - BUCKET_BITS)
    const key = `b${this.meta.id}/${bucket}`
    let piece = this.#cache.get<Buffer | null>(key)
    if (piece === undefined) {
      const packed = this.#read.term(this.meta.id, bucket)
      // A bucket without terms is not there.
      piece = packed === undefined ? null : unpackPiece(packed, `${this.#name}, terms ${bucket}`)
      this.#cache.set(key, piece, piece?.length ?? 64)
    }
    return piece === null ? undefined : findPostings(piece, hash)
  }

  names(): StoredNames {
    return decodeNames(unpackPiece(this.#read.column(this.meta.id, 'names'), `${this.#name}, names`))
  }

  links(): SegmentLinks {
    return decodeLinks(unpackPiece(this.#read.column(this.meta.id, 'links'), `${this.#name}, links`))
  }

  /** Reads every piece. Returns what is damaged. */
  verify(): string[] {
    const problems: string[] = []
    const attempt = (read: () => void): void => {
      try {
        read()
      } catch (error) {
        if (error instanceof DamageError) problems.push(error.message)
        else problems.push(`${this.#name}: ${(error as Error).message}`)
      }
    }
    attempt(() => this.names())
    attempt(() => this.links().byTrace())
    attempt(() => {
      let spans = 0
      for (const count of this.traceColumns().count) spans += count
      if (spans !== this.meta.spans) {
        throw new DamageError(`${this.#name} has ${spans} spans in its table, ${this.meta.spans} were expected`)
      }
    })
    for (let trace = 0; trace < this.meta.traces; trace++) {
      attempt(() => this.spans(trace))
      // One damaged page would be told for each of its traces.
      if (problems.length > 0 && problems.at(-1) === problems.at(-2)) problems.pop()
    }
    for (let bucket = 0; bucket < 1 << BUCKET_BITS; bucket++) {
      attempt(() => this.postings((bucket << (32 - BUCKET_BITS)) >>> 0))
    }
    return [...new Set(problems)]
  }
}

/** A piece lies anywhere in memory, numbers must not. */
function lowIdsOf(piece: Buffer, traces: number): Uint32Array {
  const ids = new Uint32Array(traces * 2)
  new Uint8Array(ids.buffer).set(piece.subarray(0, traces * 8))
  return ids
}

function findPostings(piece: Buffer, hash: number): Postings | undefined {
  const from = new BytesReader(piece)
  const terms = from.varint()
  let at = 0
  let current = 0
  let found = -1
  for (let term = 0; term < terms; term++) {
    current += from.varint()
    const length = from.varint()
    if (current === hash) found = at
    at += length
  }
  if (found === -1) return undefined
  const list = new BytesReader(piece, from.at + found)
  const header = list.varint()
  const count = Math.floor(header / 2)
  const traces = new Uint32Array(count)
  let trace = 0
  for (let i = 0; i < count; i++) {
    trace += list.varint()
    traces[i] = trace
  }
  return { traces, codes: header % 2 === 1 ? list.raw(count) : undefined }
}

/** The dictionary during one read: most entries of a trace lie in two or three chunks. */
class ChunkedEntries implements Entries {
  readonly #read: (number: number) => Chunk
  #chunks = new Map<number, Chunk>()
  #last = -1
  #lastChunk: Chunk | undefined

  constructor(read: (number: number) => Chunk) {
    this.#read = read
  }

  #chunk(entry: number): Chunk {
    const number = Math.floor(entry / CHUNK_ENTRIES)
    if (number === this.#last) return this.#lastChunk!
    let chunk = this.#chunks.get(number)
    if (chunk === undefined) {
      chunk = this.#read(number)
      this.#chunks.set(number, chunk)
    }
    this.#last = number
    this.#lastChunk = chunk
    return chunk
  }

  text(entry: number): string {
    return this.#chunk(entry).text(entry)
  }

  pair(entry: number): readonly [key: string, value: string] {
    return this.#chunk(entry).pair(entry)
  }

  hasKey(entry: number, key: string): boolean {
    return this.#chunk(entry).hasKey(entry, key)
  }

  endpoint(entry: number): Endpoint {
    return this.#chunk(entry).endpoint(entry, this)
  }
}

/** Entries of a dictionary that lie together; texts are made when they are first asked for. */
class Chunk {
  readonly #first: number
  readonly #kinds: Int32Array
  readonly #ends: Uint32Array
  readonly #bytes: Buffer
  #values: unknown[] = []

  constructor(piece: Buffer, first: number) {
    this.#first = first
    const from = new BytesReader(piece)
    const count = from.varint()
    this.#kinds = new Int32Array(count)
    this.#ends = new Uint32Array(count)
    let end = 0
    for (let i = 0; i < count; i++) {
      this.#kinds[i] = from.varint() + ENDPOINT
      end += from.varint()
      this.#ends[i] = end
    }
    this.#bytes = piece.subarray(from.at)
  }

  #start(i: number): number {
    return i === 0 ? 0 : this.#ends[i - 1]!
  }

  text(entry: number): string {
    const i = entry - this.#first
    let text = this.#values[i] as string | undefined
    if (text === undefined) {
      if (this.#kinds[i] !== STRING) throw new DamageError(`entry ${entry} is no text`)
      text = this.#bytes.toString('utf8', this.#start(i), this.#ends[i])
      this.#values[i] = text
    }
    return text
  }

  pair(entry: number): readonly [string, string] {
    const i = entry - this.#first
    let pair = this.#values[i] as [string, string] | undefined
    if (pair === undefined) {
      const kind = this.#kinds[i]
      if (kind === undefined || kind < 0) throw new DamageError(`entry ${entry} is no tag`)
      const start = this.#start(i)
      pair = [
        this.#bytes.toString('utf8', start, start + kind),
        this.#bytes.toString('utf8', start + kind, this.#ends[i]),
      ]
      this.#values[i] = pair
    }
    return pair
  }

  hasKey(entry: number, key: string): boolean {
    const i = entry - this.#first
    if (this.#kinds[i] !== key.length) return false
    const start = this.#start(i)
    for (let at = 0; at < key.length; at++) if (this.#bytes[start + at] !== key.charCodeAt(at)) return false
    return true
  }

  endpoint(entry: number, entries: Entries): Endpoint {
    const i = entry - this.#first
    let endpoint = this.#values[i] as Endpoint | undefined
    if (endpoint === undefined) {
      if (this.#kinds[i] !== ENDPOINT) throw new DamageError(`entry ${entry} is no endpoint`)
      const start = this.#start(i)
      const field = (n: number): number => this.#bytes.readUInt32LE(start + 4 * n)
      endpoint = {}
      if (field(0) !== 0) endpoint.serviceName = entries.text(field(0))
      if (field(1) !== 0) endpoint.ipv4 = entries.text(field(1))
      if (field(2) !== 0) endpoint.ipv6 = entries.text(field(2))
      if (field(3) !== 0) endpoint.port = field(3)
      this.#values[i] = endpoint
    }
    return endpoint
  }
}

type ColumnName = 'ids' | 'traces_at' | 'names' | 'links'

/** The statements that pieces are read with. Each is read whole: none is left open, or SQLite's log could not be reset. */
export class PieceReader {
  #columns
  #page
  #chunk
  #term
  #meta
  #all

  constructor(database: Database) {
    const column = (name: ColumnName) =>
      database.prepare<[number], Buffer>(`select ${name} from segment where id = ?`).pluck()
    this.#columns = {
      ids: column('ids'),
      traces_at: column('traces_at'),
      names: column('names'),
      links: column('links'),
    }
    this.#page = database.prepare<[number], Buffer>('select piece from page where id = ?').pluck()
    this.#chunk = database.prepare<[number], Buffer>('select piece from dictionary where id = ?').pluck()
    this.#term = database.prepare<[number], Buffer>('select piece from term where id = ?').pluck()
    const meta = 'select id, last, spans, traces, min_ms, max_ms, untimed, sealed_ms, bytes, gone from segment'
    this.#meta = database.prepare<[number], SegmentRow>(`${meta} where id = ?`)
    this.#all = database.prepare<[], SegmentRow>(`${meta} order by last, id`)
  }

  column(segment: number, name: ColumnName): Buffer | undefined {
    return this.#columns[name].get(segment)
  }

  page(segment: number, number: number): Buffer | undefined {
    return this.#page.get(segment * PIECES_PER_SEGMENT + number)
  }

  chunk(segment: number, number: number): Buffer | undefined {
    return this.#chunk.get(segment * PIECES_PER_SEGMENT + number)
  }

  term(segment: number, bucket: number): Buffer | undefined {
    return this.#term.get(bucket * SEGMENTS_PER_BUCKET + segment)
  }

  open(id: number, cache: PieceCache): Segment {
    const row = this.#meta.get(id)
    if (row === undefined) throw new DamageError(`segment ${id} is missing`)
    return Segment.of(this, metaOf(row), cache)
  }

  /** In order of arrival. */
  all(): { meta: SegmentMeta; gone: boolean }[] {
    return this.#all.all().map(row => ({ meta: metaOf(row), gone: row.gone === 1 }))
  }
}

function metaOf(row: SegmentRow): SegmentMeta {
  const { id, last, spans, traces, sealed_ms, bytes } = row
  return {
    id,
    last,
    spans,
    traces,
    minMs: row.min_ms,
    maxMs: row.max_ms,
    untimed: row.untimed === 1,
    sealedMs: sealed_ms,
    bytes,
  }
}
