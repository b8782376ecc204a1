import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { DependencyLink, Milliseconds, QueryRequest, Span } from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { pacer } from '../pause.ts'
import {
  type AcceptedBody,
  type BodyFormat,
  type SpanStore,
  StoreError,
  type StoreOptions,
  type StoreStats,
} from '../store.ts'
import { collapseEqual } from '../trace-group.ts'
import { inspectDatabase, openDatabase } from './database.ts'
import { Dependencies } from './dependencies.ts'
import { Expiry } from './expiry.ts'
import { EMPTY, Head } from './head.ts'
import { logFiles, recoverLog } from './log-files.ts'
import { encodeHeader, encodeRecord } from './log-record.ts'
import { LogWriter } from './log-writer.ts'
import { NameCounts, type Names } from './names.ts'
import { HeadPart, type Part, SegmentPart } from './part.ts'
import { DamageError } from './piece.ts'
import { RecentPieces } from './piece-cache.ts'
import { lockStore } from './process-lock.ts'
import { Scanners } from './scanners.ts'
import { Sealer } from './sealer.ts'
import { searchTraces } from './search.ts'
import { PieceReader, Segment, type SegmentMeta } from './segment.ts'
import { SegmentWriter } from './segment-writer.ts'
import { storeError } from './sqlite-error.ts'
import { TraceDirectory } from './trace-directory.ts'
import { View } from './view.ts'

export interface SegmentStoreOptions extends StoreOptions {
  /** The database file; made, with its folder, when missing. Logs stand beside it. */
  file: string
  /** Oldest segments go when data and indexes would take more than this; no limit by default. */
  maxBytes?: number
  /** ms; segments that were sealed longer ago go. No limit by default. */
  maxAge?: Milliseconds
  /** Spans after which a segment is sealed. */
  segmentSpans?: number
  /** ms that opening may take before it returns; reads wait for what is left of it. */
  openingMs?: Milliseconds
  /** One line for whoever runs the store: what is damaged, what was left aside. */
  warn?: (line: string) => void
}

/** Larger segments find more in one read and split fewer traces; smaller ones are sealed and recovered faster. */
const SEGMENT_SPANS = 65_536
/** Entries and bytes of a dictionary after which a segment is sealed, too: what a flood of unique values may take. */
const SEGMENT_ENTRIES = 200_000
const SEGMENT_DICTIONARY_BYTES = 24 * 1024 * 1024
/** A log is durable, but has to be read at the next start. */
const SEGMENT_AGE_MS = 15 * 60_000
/** Retention by spans and bytes goes in steps of a segment: so many of them make the limit, at least. */
const SEGMENTS_IN_LIMIT = 8
/** So many small segments in a row are merged. */
const MERGE_COUNT = 8
/** Spans accepted and not yet durable, and bytes of logs not yet sealed, above which more are refused. */
const MAX_PENDING_SPANS = 400_000
const MAX_UNSEALED_BYTES = 256 * 1024 * 1024
/** For pages, dictionaries and indexes that are read often. */
const CACHE_BYTES = 64 * 1024 * 1024
const RETRY_MS = 1000
/** Some twenty million spans are opened in this; spans are taken while the segments of more are. */
const OPENING_MS = 1000
const OPENING_SLICE_MS = 10
const AGE_CHECK_MS = 60_000

/** A head, and the log that makes it durable. */
interface LoggedHead {
  part: HeadPart
  scanners: Scanners
  log: LogWriter
  number: number
  /** `performance.now()` */
  begun: number
  /** Retention took it before it was sealed. */
  isDropped: boolean
}

/**
 * Spans in one SQLite file, in segments, and those that came last in a log beside it.
 *
 *   accept ─► head (memory) ─► log, fdatasync ─► 202
 *               │ full
 *               └─► sealed on another thread: pages, dictionary, index ─► one transaction ─► log unlinked
 *
 * Reads look at heads and segments alike. docs/storage.md has the format.
 */
export class SegmentStore implements SpanStore {
  readonly name: string
  readonly #file: string
  readonly #strictTraceId: boolean
  readonly #searchEnabled: boolean
  readonly #autocompleteKeys: readonly string[]
  readonly #maxSpans: number
  readonly #maxBytes: number
  readonly #expiry: Expiry
  readonly #segmentSpans: number
  readonly #warn: (line: string) => void
  readonly #unlock: () => void
  readonly #database: Database
  readonly #reader: PieceReader
  readonly #sealer: Sealer
  readonly #cache = new RecentPieces(CACHE_BYTES)
  readonly #directory = new TraceDirectory()
  readonly #dependencies = new Dependencies()
  readonly #counts = new NameCounts()
  /** In order of arrival. */
  #segments: SegmentPart[] = []
  #names = new Map<SegmentPart, Names>()
  #frozen: LoggedHead[] = []
  #active: LoggedHead
  #nextNumber: number
  #opening: Promise<void> | undefined
  #sealing: Promise<void> | undefined
  #merging: Promise<void> | undefined
  /** Could not be read when they were to be merged. */
  #unmergeable = new Set<SegmentPart>()
  #retry: NodeJS.Timeout | undefined
  #ageTimer: NodeJS.Timeout
  #reads = new Set<object>()
  #retiring: { until: Set<object>; run: () => void }[] = []
  #told = new Set<string>()
  #commitError: unknown
  #sealError: unknown
  #closed = false

  /** Throws StoreError when the file is not ours, broken, in use or cannot be written; it is not changed then. */
  constructor(options: SegmentStoreOptions) {
    const { file, strictTraceId = true, searchEnabled = true, autocompleteKeys = [] } = options
    const { maxSpans = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = options
    const { maxAge = Number.POSITIVE_INFINITY, warn = line => console.error(`store: ${line}`) } = options
    this.name = `SqliteStorage{file=${file}}`
    this.#file = file
    this.#strictTraceId = strictTraceId
    this.#searchEnabled = searchEnabled
    this.#autocompleteKeys = searchEnabled ? autocompleteKeys : []
    this.#maxSpans = maxSpans
    this.#maxBytes = maxBytes
    this.#expiry = new Expiry(maxAge, warn)
    this.#segmentSpans = Math.max(
      1,
      Math.min(options.segmentSpans ?? SEGMENT_SPANS, Math.floor(maxSpans / SEGMENTS_IN_LIMIT)),
    )
    this.#warn = warn
    prepare(file)
    this.#unlock = lockStore(file)
    try {
      this.#database = openDatabase(file)
      try {
        this.#reader = new PieceReader(this.#database)
        this.#sealer = new Sealer({ file, autocompleteKeys: this.#autocompleteKeys })
        this.#nextNumber = this.#load(options.openingMs ?? OPENING_MS)
        this.#active = this.#recover()
      } catch (error) {
        this.#database.close()
        throw storeError(file, error)
      }
    } catch (error) {
      this.#unlock()
      throw error
    }
    this.#ageTimer = setInterval(() => this.#tick(), AGE_CHECK_MS)
    this.#ageTimer.unref()
    this.#enforce()
    this.#seal()
  }

  /** Opens all segments; returns the next free number. */
  #load(openingMs: Milliseconds): number {
    const sealed = this.#database.prepare<[], number>('select log from sealed').pluck().get() ?? 0
    let highest = sealed
    const gone: number[] = []
    for (const { meta, gone: isGone } of this.#reader.all()) {
      highest = Math.max(highest, meta.id)
      if (isGone) gone.push(meta.id)
      else this.#segments.push(new SegmentPart(Segment.of(this.#reader, meta, this.#cache)))
    }
    this.#openAll(openingMs)
    for (const { number, path } of logFiles(this.#file)) {
      if (number <= sealed) rmSync(path, { force: true })
      else highest = Math.max(highest, number)
    }
    if (gone.length > 0) void this.#sealer.delete(gone).catch(() => {})
    return highest + 1
  }

  /** Reads the logs that were not sealed; the last of them goes on. */
  #recover(): LoggedHead {
    const heads: LoggedHead[] = []
    for (const file of logFiles(this.#file)) {
      const replayed = recoverLog(file, this.#warn)
      if (replayed === undefined) continue
      const { number, path } = file
      const part = this.#openHead(replayed.head, number)
      const log = new LogWriter(path, number, replayed.head, replayed.end)
      const scanners = new Scanners(replayed.head)
      heads.push({ part, scanners, log, number, begun: performance.now(), isDropped: false })
    }
    const last = heads.at(-1)
    if (last !== undefined && !this.#isFull(last)) heads.pop()
    this.#frozen = heads
    return last === undefined || this.#frozen.includes(last) ? this.#begin() : last
  }

  #begin(): LoggedHead {
    const number = this.#nextNumber++
    const head = new Head()
    const log = new LogWriter(`${this.#file}-log-${number}`, number, head)
    const part = this.#openHead(head, number)
    return { part, scanners: new Scanners(head), log, number, begun: performance.now(), isDropped: false }
  }

  #openHead(head: Head, number: number): HeadPart {
    const part = new HeadPart(head, number, this.#autocompleteKeys)
    this.#directory.open(part)
    this.#addTraces(part, 0)
    return part
  }

  #addTraces(part: HeadPart, from: number): void {
    const { traces } = part.head
    const { lowHigh, lowLow } = traces.columns
    for (let trace = from; trace < traces.length; trace++) {
      this.#directory.add(part, trace, lowHigh[trace]!, lowLow[trace]!)
    }
  }

  /** Opens what there is time for, and the rest bit by bit: the newest first. */
  #openAll(openingMs: Milliseconds): void {
    const left = [...this.#segments]
    const until = performance.now() + openingMs
    const open = (end: number): void => {
      while (left.length > 0 && performance.now() < end) this.#fill(left.pop()!)
    }
    open(until)
    if (left.length === 0) return
    this.#opening = (async () => {
      while (left.length > 0 && !this.#closed) {
        await new Promise(resolve => setImmediate(resolve))
        try {
          open(performance.now() + OPENING_SLICE_MS)
        } catch (error) {
          // SQLite's own pages: at a start this refuses the file, now the rest is served.
          this.#warn(`${this.#file}: ${(error as Error).message}; a segment is left out of answers`)
        }
      }
      this.#opening = undefined
    })()
  }

  #openSegment(meta: SegmentMeta, at: number): void {
    const part = new SegmentPart(Segment.of(this.#reader, meta, this.#cache))
    this.#segments.splice(at, 0, part)
    this.#fill(part)
  }

  /** Reads what is kept in memory of a segment: its trace ids and names. */
  #fill(part: SegmentPart): void {
    // Retention may have taken it before its turn came.
    if (!this.#segments.includes(part)) return
    const { meta } = part.segment
    try {
      const { lowHigh, lowLow } = part.segment.ids()
      this.#directory.open(part)
      for (let trace = 0; trace < meta.traces; trace++)
        this.#directory.add(part, trace, lowHigh[trace]!, lowLow[trace]!)
      if (this.#searchEnabled) {
        const names = part.segment.names()
        this.#names.set(part, names)
        this.#counts.add(names)
      }
    } catch (error) {
      if (!(error instanceof DamageError)) throw error
      this.#damaged(part, error)
    }
  }

  #damaged(_part: Part, error: DamageError): void {
    if (this.#told.has(error.message)) return
    this.#told.add(error.message)
    this.#warn(
      `${this.#file}: ${error.message}; what is in it is left out of answers ('hopscope store verify' lists all)`,
    )
  }

  accept(spans: readonly Span[]): Promise<void> {
    if (spans.length === 0 && !this.#closed) return Promise.resolve()
    try {
      const { part } = this.#ready()
      const { head } = part
      const mark = head.mark()
      try {
        for (const span of spans) head.add(span)
      } catch (error) {
        head.rollback(mark)
        throw error
      }
      return this.#commit(mark.traces)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  acceptBody(format: BodyFormat, body: Uint8Array, maxSpans: number): AcceptedBody | undefined {
    let active: LoggedHead
    try {
      active = this.#ready()
    } catch {
      // `accept` says why.
      return undefined
    }
    const { head } = active.part
    const { rows: first, traces: firstTrace } = head.mark()
    const spans = active.scanners.of(format).scan(body, maxSpans)
    if (spans === undefined) return undefined
    const rows = (): number[] => Array.from({ length: spans }, (_, i) => first + i)
    return {
      spans,
      committed: spans === 0 ? Promise.resolve() : this.#commit(firstTrace),
      traceIds: () => [...new Set(rows().map(row => head.rows.columns.trace[row]!))].map(trace => head.traceId(trace)),
      read: () => rows().map(row => head.span(row)),
    }
  }

  /** The head that takes the next spans; throws when none can be taken. */
  #ready(): LoggedHead {
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    const { part, log } = this.#active
    if (part.spanCount - log.durable.rows > MAX_PENDING_SPANS) {
      throw new StoreError('busy', `${this.#file} takes spans more slowly than they come: try again later`)
    }
    if (this.#frozen.length > 0) {
      let unsealed = 0
      for (const one of this.#frozen) unsealed += one.log.byteLength
      if (unsealed > MAX_UNSEALED_BYTES) {
        if (this.#sealError !== undefined) throw this.#sealError
        throw new StoreError('busy', `${this.#file} is written more slowly than spans come: try again later`)
      }
    }
    if (log.failed || this.#isFull(this.#active)) this.#rotate()
    return this.#active
  }

  #isFull({ part: { head }, log, begun }: LoggedHead): boolean {
    return (
      head.spanCount >= this.#segmentSpans ||
      head.dictionary.entries.length >= SEGMENT_ENTRIES ||
      head.dictionary.byteLength >= SEGMENT_DICTIONARY_BYTES ||
      log.byteLength >= this.#maxBytes / SEGMENTS_IN_LIMIT ||
      (head.spanCount > 0 && performance.now() - begun > SEGMENT_AGE_MS)
    )
  }

  /** What was added to the active head becomes durable, and findable. */
  #commit(firstTrace: number): Promise<void> {
    const { part, log } = this.#active
    this.#addTraces(part, firstTrace)
    return log.commit().then(
      () => {
        this.#commitError = undefined
        this.#enforce()
      },
      error => {
        this.#commitError = storeError(log.file, error)
        throw this.#commitError
      },
    )
  }

  #rotate(): void {
    this.#frozen.push(this.#active)
    this.#active = this.#begin()
    this.#seal()
  }

  /** Seals what is frozen, oldest first. */
  #seal(): void {
    if (this.#sealing !== undefined || this.#frozen.length === 0 || this.#retry !== undefined) return
    this.#sealing = this.#sealAll().finally(() => {
      this.#sealing = undefined
    })
  }

  async #sealAll(): Promise<void> {
    while (this.#frozen.length > 0) {
      const logged = this.#frozen[0]!
      await logged.log.close()
      if (logged.isDropped || logged.log.byteLength === 0 || logged.log.durable.rows === 0) {
        this.#frozen.shift()
        this.#leave(logged.part)
        rmSync(logged.log.file, { force: true })
        continue
      }
      try {
        const meta = await this.#sealer.seal(logged.log.file, logged.number, logged.log.byteLength)
        this.#sealError = undefined
        this.#frozen.shift()
        this.#leave(logged.part)
        this.#openSegment(meta, this.#segments.length)
        if (logged.isDropped) this.#drop(this.#segments.at(-1)!)
        this.#enforce()
        this.#merge()
      } catch (error) {
        if (error instanceof DamageError && this.#rewrite(logged)) continue
        this.#sealError = storeError(this.#file, error)
        if (this.#closed) return
        this.#retry = setTimeout(() => {
          this.#retry = undefined
          this.#seal()
        }, RETRY_MS)
        this.#retry.unref()
        return
      }
    }
  }

  /** A log that cannot be read back is written again from memory. */
  #rewrite(logged: LoggedHead): boolean {
    const { log, number, part } = logged
    try {
      this.#warn(`${log.file} could not be read back: it is written again from memory`)
      const bytes = Buffer.concat([encodeHeader(number), encodeRecord(part.head, EMPTY)])
      writeFileSync(`${log.file}.new`, bytes, { flush: true })
      renameSync(`${log.file}.new`, log.file)
      logged.log = new LogWriter(log.file, number, part.head, bytes.length)
      return true
    } catch {
      return false
    }
  }

  /** New reads do not see a part any more; when those that do have ended, `then` runs. */
  #leave(part: Part, then?: () => void): void {
    this.#directory.close(part)
    const run = (): void => {
      this.#directory.forget(part)
      if (part instanceof HeadPart) part.head.free()
      then?.()
    }
    if (this.#reads.size === 0) run()
    else this.#retiring.push({ until: new Set(this.#reads), run })
  }

  #drop(part: SegmentPart): void {
    this.#segments = this.#segments.filter(one => one !== part)
    this.#unmergeable.delete(part)
    const names = this.#names.get(part)
    if (names !== undefined) this.#counts.remove(names)
    this.#names.delete(part)
    this.#leave(part, () => void this.#sealer.delete([part.segment.meta.id]).catch(() => {}))
  }

  /** Lets the oldest parts go until the store is within its limits. */
  #enforce(): void {
    let { spans, bytes } = this.#sums()
    const sealedBefore = this.#expiry.before()
    for (;;) {
      const oldest = this.#segments[0]
      const isTooOld = oldest !== undefined && oldest.segment.meta.sealedMs < sealedBefore
      if (spans <= this.#maxSpans && bytes <= this.#maxBytes && !isTooOld) return
      if (oldest !== undefined) {
        this.#drop(oldest)
        spans -= oldest.spanCount
        bytes -= oldest.segment.meta.bytes
        continue
      }
      let head = this.#frozen.find(one => !one.isDropped)
      if (head === undefined) {
        // Bytes of a log alone are no reason to forget what it holds: sealed, it is half of that.
        if (spans <= this.#maxSpans || this.#active.part.spanCount === 0) return
        head = this.#active
        this.#rotate()
      } else if (spans <= this.#maxSpans) return
      head.isDropped = true
      spans -= head.part.spanCount
      bytes -= head.log.byteLength
    }
  }

  #sums(): { spans: number; traces: number; bytes: number } {
    let spans = 0
    let traces = 0
    let bytes = 0
    for (const { segment } of this.#segments) {
      spans += segment.meta.spans
      traces += segment.meta.traces
      bytes += segment.meta.bytes
    }
    for (const { part, log } of this.#heads()) {
      spans += part.spanCount
      traces += part.traceCount
      bytes += log.byteLength
    }
    return { spans, traces, bytes }
  }

  #heads(): LoggedHead[] {
    return [...this.#frozen, this.#active].filter(head => !head.isDropped)
  }

  /** Small segments, of quiet times and of restarts, become larger ones. */
  #merge(): void {
    if (this.#merging !== undefined || this.#opening !== undefined || this.#closed) return
    let first = this.#segments.length
    let spans = 0
    while (first > 0 && this.#segments[first - 1]!.spanCount < this.#segmentSpans / 2) {
      if (this.#unmergeable.has(this.#segments[first - 1]!)) break
      spans += this.#segments[--first]!.spanCount
      if (spans >= this.#segmentSpans) break
    }
    const olds = this.#segments.slice(first)
    if (olds.length < 2 || (olds.length < MERGE_COUNT && spans < this.#segmentSpans)) return
    this.#merging = this.#mergeSegments(olds).finally(() => {
      this.#merging = undefined
    })
  }

  async #mergeSegments(olds: readonly SegmentPart[]): Promise<void> {
    let meta: SegmentMeta
    try {
      meta = await this.#sealer.merge(
        olds.map(old => old.segment.meta.id),
        this.#nextNumber++,
      )
    } catch (error) {
      const told = storeError(this.#file, error)
      if (error instanceof DamageError) this.#damaged(olds[0]!, error)
      // Room on a disk comes back, what is damaged does not.
      if (error instanceof DamageError || (told instanceof StoreError && told.code === 'broken')) {
        for (const old of olds) this.#unmergeable.add(old)
      }
      return
    }
    const still = olds.filter(old => this.#segments.includes(old))
    const at = still.length === 0 ? 0 : this.#segments.indexOf(still[0]!)
    for (const old of still) this.#drop(old)
    this.#openSegment(meta, at)
    this.#enforce()
  }

  #tick(): void {
    if (this.#isFull(this.#active)) this.#rotate()
    this.#enforce()
  }

  /** Runs a read over the store as it is now. */
  async #read<T>(read: (view: View) => Promise<T> | T): Promise<T> {
    await this.#opening
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    const token = {}
    this.#reads.add(token)
    try {
      const parts: Part[] = [...this.#segments, ...this.#heads().map(({ part }) => part)]
      return await read(new View(parts, this.#directory, (part, error) => this.#damaged(part, error)))
    } catch (error) {
      throw storeError(this.#file, error)
    } finally {
      this.#reads.delete(token)
      for (const waiting of this.#retiring) waiting.until.delete(token)
      const ready = this.#retiring.filter(({ until }) => until.size === 0)
      if (ready.length > 0) this.#retiring = this.#retiring.filter(({ until }) => until.size > 0)
      for (const { run } of ready) run()
    }
  }

  getTraces(request: QueryRequest, signal?: AbortSignal): Promise<Span[][]> {
    return this.#read(view =>
      this.#searchEnabled ? searchTraces(view, request, this.#strictTraceId, pacer(signal)) : [],
    )
  }

  getTrace(traceId: string): Promise<Span[]> {
    return this.#read(view => this.#trace(view, traceId))
  }

  #trace(view: View, traceId: string): Span[] {
    const spans = collapseEqual(view.spansOf(view.entriesOfId(traceId)))
    return this.#strictTraceId ? spans.filter(span => span.traceId === traceId) : spans
  }

  getTracesByIds(traceIds: readonly string[]): Promise<Span[][]> {
    return this.#read(view => {
      const wanted = new Set(this.#strictTraceId ? traceIds : traceIds.map(id => id.slice(-16)))
      return Array.from(wanted, id => this.#trace(view, id)).filter(trace => trace.length > 0)
    })
  }

  async getServiceNames(): Promise<string[]> {
    await this.#opening
    if (!this.#searchEnabled) return []
    return this.#union(this.#counts.services(), names => names.services.keys())
  }

  async getSpanNames(serviceName: string): Promise<string[]> {
    await this.#opening
    if (!this.#searchEnabled) return []
    return this.#union(this.#counts.spanNames(serviceName), names => names.services.get(serviceName)?.spanNames ?? [])
  }

  async getRemoteServiceNames(serviceName: string): Promise<string[]> {
    await this.#opening
    if (!this.#searchEnabled) return []
    return this.#union(
      this.#counts.remoteServices(serviceName),
      names => names.services.get(serviceName)?.remoteServices ?? [],
    )
  }

  async getAutocompleteValues(key: string): Promise<string[]> {
    await this.#opening
    if (!this.#autocompleteKeys.includes(key)) return []
    return this.#union(this.#counts.autocomplete(key), names => names.autocomplete.get(key) ?? [])
  }

  #union(sealed: Iterable<string>, ofHead: (names: Names) => Iterable<string>): string[] {
    const all = new Set(sealed)
    for (const { part } of this.#heads()) for (const name of ofHead(part.names())) all.add(name)
    return [...all].sort()
  }

  getDependencies(endTs: Milliseconds, lookback: Milliseconds, signal?: AbortSignal): Promise<DependencyLink[]> {
    return this.#read(view => this.#dependencies.link(view, endTs, lookback, pacer(signal)))
  }

  stats(): StoreStats {
    return this.#closed ? { spans: 0, traces: 0, bytes: 0 } : this.#sums()
  }

  /** Resolves when nothing waits to be sealed or merged. Rejects with what keeps it from being written. */
  async settled(): Promise<void> {
    while (this.#sealing !== undefined || this.#merging !== undefined) {
      await this.#sealing
      await this.#merging
    }
    if (this.#sealError !== undefined) throw this.#sealError
  }

  /** Seals what lies in the log now, and waits for it. */
  async seal(): Promise<void> {
    await this.#active.log.settled()
    if (this.#active.part.spanCount > 0) this.#rotate()
    await this.settled()
  }

  async check(): Promise<void> {
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    if (this.#commitError !== undefined) throw this.#commitError
    if (this.#sealError !== undefined) throw this.#sealError
    try {
      this.#database.prepare('select log from sealed').get()
    } catch (error) {
      throw storeError(this.#file, error)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#ageTimer)
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#frozen.push(this.#active)
    await this.#active.log.close()
    await this.#opening
    await this.#merging
    await this.#sealing
    const rest = this.#frozen
    await Promise.all(rest.map(({ log }) => log.close()))
    await this.#sealer.close().catch(() => {})
    try {
      this.#sealHere(rest)
      this.#database.pragma('wal_checkpoint(truncate)')
    } catch (error) {
      this.#warn(`${this.#file}: ${(error as Error).message}; spans stay in their logs, which the next start reads`)
    } finally {
      this.#database.close()
      this.#unlock()
    }
  }

  /** What is left at the end: a log that stays behind would be read at the next start, a segment is there already. */
  #sealHere(heads: readonly LoggedHead[]): void {
    const writer = new SegmentWriter(this.#database, this.#autocompleteKeys)
    for (const { log, number, isDropped } of heads) {
      if (isDropped || log.durable.rows === 0) rmSync(log.file, { force: true })
      else writer.seal(log.file, number, log.byteLength)
    }
  }
}

/** Makes the folder of a new store; refuses what is no store, or cannot be written. */
function prepare(file: string): void {
  const exists = inspectDatabase(file)
  try {
    if (exists) closeSync(openSync(file, 'r+'))
    else mkdirSync(dirname(resolve(file)), { recursive: true })
  } catch (error) {
    throw storeError(file, error)
  }
}
