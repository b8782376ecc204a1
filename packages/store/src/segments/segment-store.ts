import { closeSync, existsSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { DependencyLink, Milliseconds, QueryRequest, Span } from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { type Pause, pacer } from '../pause.ts'
import {
  type AcceptedBody,
  type BodyFormat,
  type IsSampled,
  type SampleRequest,
  type SpanStore,
  StoreError,
  type StoreOptions,
  type StoreStats,
  TooManySpansError,
} from '../store.ts'
import { collapseEqual } from '../trace-group.ts'
import { inspectDatabase, openDatabase } from './database.ts'
import { Dependencies } from './dependencies.ts'
import { Expiry } from './expiry.ts'
import { LinkKeeper } from './kept-links.ts'
import { LinkingAhead } from './linking-ahead.ts'
import { logFiles } from './log-files.ts'
import { type LoggedHead, LoggedHeads } from './logged-heads.ts'
import { Merging } from './merging.ts'
import type { Names } from './names.ts'
import type { DamageError } from './piece.ts'
import { RecentPieces } from './piece-cache.ts'
import { lockStore } from './process-lock.ts'
import { Reads } from './reads.ts'
import { enforceRetention, type RetentionLimits, sumsOf } from './retention.ts'
import { sampleTraces } from './sample-traces.ts'
import type { SealedNames } from './sealed-names.ts'
import { Sealer } from './sealer.ts'
import { Sealing } from './sealing.ts'
import { searchTraces } from './search.ts'
import { PieceReader } from './segment.ts'
import { SegmentList } from './segment-list.ts'
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
/** Retention by spans and bytes goes in steps of a segment: so many of them make the limit, at least. */
const SEGMENTS_IN_LIMIT = 8
/** For pages, dictionaries and indexes that are read often. */
const CACHE_BYTES = 64 * 1024 * 1024
/** What is opened in this answers the first reads; spans are taken while the rest is. */
const OPENING_MS = 250
const AGE_CHECK_MS = 60_000

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
  readonly #limits: RetentionLimits
  readonly #expiry: Expiry
  readonly #warn: (line: string) => void
  readonly #unlock: () => void
  readonly #database: Database
  readonly #sealer: Sealer
  readonly #directory = new TraceDirectory()
  readonly #linkKeeper: LinkKeeper
  readonly #dependencies: Dependencies
  readonly #reads = new Reads()
  readonly #segments: SegmentList
  readonly #heads: LoggedHeads
  readonly #sealing: Sealing
  readonly #merging: Merging
  readonly #linkingAhead: LinkingAhead
  readonly #ageTimer: NodeJS.Timeout
  /** What the next read sees, until a part comes or goes. */
  #view: View | undefined
  /** All segments of this view are linked that can be. */
  #linkedView: View | undefined
  #told = new Set<string>()
  #commitError: unknown
  #closed = false

  /** Throws StoreError when the file is not ours, broken, in use or cannot be written; it is not changed then. */
  constructor(options: SegmentStoreOptions) {
    const { file, strictTraceId = true, searchEnabled = true, autocompleteKeys = [] } = options
    const { maxSpans = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = options
    const { maxAge = Number.POSITIVE_INFINITY, warn = line => console.error(`store: ${line}`) } = options
    const segmentSpans = Math.max(
      1,
      Math.min(options.segmentSpans ?? SEGMENT_SPANS, Math.floor(maxSpans / SEGMENTS_IN_LIMIT)),
    )
    this.name = `SqliteStorage{file=${file}}`
    this.#file = file
    this.#strictTraceId = strictTraceId
    this.#searchEnabled = searchEnabled
    this.#autocompleteKeys = searchEnabled ? autocompleteKeys : []
    this.#limits = { maxSpans, maxBytes }
    this.#expiry = new Expiry(maxAge, warn)
    this.#warn = warn
    prepare(file)
    this.#unlock = lockStore(file)
    try {
      this.#database = openDatabase(file)
      try {
        this.#sealer = new Sealer({ file, autocompleteKeys: this.#autocompleteKeys })
        const reader = new PieceReader(this.#database)
        this.#segments = this.#openSegments(reader)
        const nextNumber = this.#load(reader, options.openingMs ?? OPENING_MS)
        this.#heads = this.#openHeads(segmentSpans, nextNumber)
      } catch (error) {
        this.#database.close()
        throw storeError(file, error)
      }
    } catch (error) {
      this.#unlock()
      throw error
    }
    this.#linkKeeper = new LinkKeeper(this.#database, this.#sealer)
    this.#dependencies = new Dependencies(this.#linkKeeper)
    this.#merging = this.#openMerging(segmentSpans)
    this.#sealing = new Sealing(file, this.#sealer, this.#heads, this.#segments, () => {
      this.#enforce()
      this.#merge()
    })
    this.#linkingAhead = new LinkingAhead(
      (until, signal) => this.#linkAhead(until, signal),
      () => this.stats().spans,
    )
    this.#ageTimer = setInterval(() => this.#tick(), AGE_CHECK_MS)
    this.#ageTimer.unref()
    this.#enforce()
    this.#sealing.start()
  }

  #openSegments(reader: PieceReader): SegmentList {
    return new SegmentList({
      reader,
      cache: new RecentPieces(CACHE_BYTES),
      directory: this.#directory,
      reads: this.#reads,
      withNames: this.#searchEnabled,
      remove: ids => this.#remove(ids),
      changed: () => this.#changed(),
      damaged: error => this.#damaged(error),
      warn: line => this.#warn(`${this.#file}: ${line}`),
    })
  }

  /** Opens all segments, and unlinks the logs that they were made of; returns the next free number. */
  #load(reader: PieceReader, openingMs: Milliseconds): number {
    const sealed = this.#database.prepare<[], number>('select log from sealed').pluck().get() ?? 0
    const all = reader.all()
    this.#segments.open(
      all.filter(({ gone }) => !gone).map(({ meta }) => meta),
      openingMs,
    )
    let highest = all.reduce((highest, { meta }) => Math.max(highest, meta.id), sealed)
    for (const { number, path } of logFiles(this.#file)) {
      if (number <= sealed) rmSync(path, { force: true })
      else highest = Math.max(highest, number)
    }
    const gone = all.filter(({ gone }) => gone).map(({ meta }) => meta.id)
    if (gone.length > 0) this.#remove(gone)
    return highest + 1
  }

  #openHeads(maxSpans: number, nextNumber: number): LoggedHeads {
    return new LoggedHeads(
      {
        file: this.#file,
        autocompleteKeys: this.#autocompleteKeys,
        maxSpans,
        maxLogBytes: this.#limits.maxBytes / SEGMENTS_IN_LIMIT,
        directory: this.#directory,
        reads: this.#reads,
        changed: () => this.#changed(),
        warn: this.#warn,
      },
      nextNumber,
    )
  }

  #openMerging(segmentSpans: number): Merging {
    const options = {
      file: this.#file,
      segmentSpans,
      takeNumber: () => this.#heads.takeNumber(),
      merged: () => this.#enforce(),
      damaged: (error: DamageError) => this.#damaged(error),
    }
    return new Merging(options, this.#sealer, this.#segments)
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

  acceptBody(format: BodyFormat, body: Uint8Array, maxSpans: number, isSampled?: IsSampled): AcceptedBody | undefined {
    let active: LoggedHead
    try {
      active = this.#ready()
    } catch {
      // `accept` says why.
      return undefined
    }
    const { head } = active.part
    const { rows: first, traces: firstTrace } = head.mark()
    const sieved = isSampled && active.sieve.scan(format, body, maxSpans, isSampled)
    const spans = isSampled ? sieved?.kept : active.scanners.of(format).scan(body, maxSpans)
    if (spans === undefined) return undefined
    const rows = (): number[] => Array.from({ length: spans }, (_, i) => first + i)
    return {
      spans,
      leftOut: sieved?.leftOut ?? 0,
      committed: spans === 0 ? Promise.resolve() : this.#commit(firstTrace),
      traceIds: () => [...new Set(rows().map(row => head.rows.columns.trace[row]!))].map(trace => head.traceId(trace)),
      read: () => rows().map(row => head.span(row)),
    }
  }

  /** The head that takes the next spans; throws when none can be taken. */
  #ready(): LoggedHead {
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    this.#heads.checkRoom(this.#sealing.error)
    if (this.#heads.isFull) this.#rotate()
    return this.#heads.active
  }

  /** What was added to the active head becomes findable, and durable. */
  #commit(firstTrace: number): Promise<void> {
    const { log } = this.#heads.active
    return this.#heads.commit(firstTrace).then(
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
    this.#heads.rotate()
    this.#sealing.start()
  }

  #merge(): void {
    if (!this.#closed) this.#merging.start()
  }

  #enforce(): void {
    enforceRetention(this.#limits, this.#expiry, this.#segments, this.#heads, () => this.#rotate())
  }

  #tick(): void {
    if (this.#heads.isFull) this.#rotate()
    this.#enforce()
  }

  /** Deletes segments that nobody sees. What is not deleted now is marked, and goes at the next start. */
  #remove(ids: number[]): void {
    void this.#sealer.delete(ids).catch(() => {})
  }

  #changed(): void {
    this.#view = undefined
  }

  #damaged(error: DamageError): void {
    if (this.#told.has(error.message)) return
    this.#told.add(error.message)
    this.#warn(
      `${this.#file}: ${error.message}; what is in it is left out of answers ('hopscope store verify' lists all)`,
    )
  }

  getTraces(request: QueryRequest, signal?: AbortSignal, maxSpans?: number): Promise<Span[][]> {
    return this.#read(signal, (view, pause) =>
      this.#searchEnabled ? searchTraces(view, request, this.#strictTraceId, pause, maxSpans) : [],
    )
  }

  getTrace(traceId: string, signal?: AbortSignal, maxSpans?: number): Promise<Span[]> {
    return this.#read(signal, (view, pause) => this.#trace(view, traceId, pause, maxSpans))
  }

  getTracesByIds(traceIds: readonly string[], signal?: AbortSignal, maxSpans = Infinity): Promise<Span[][]> {
    return this.#read(signal, async (view, pause) => {
      const traces: Span[][] = []
      let left = maxSpans
      for (const id of new Set(this.#strictTraceId ? traceIds : traceIds.map(id => id.slice(-16)))) {
        const trace = await this.#trace(view, id, pause)
        left -= trace.length
        if (left < 0) throw new TooManySpansError(maxSpans)
        if (trace.length > 0) traces.push(trace)
      }
      return traces
    })
  }

  async #trace(view: View, traceId: string, pause: Pause, maxSpans = Infinity): Promise<Span[]> {
    let spans: Span[] = []
    for (const entry of view.entriesOfId(traceId)) {
      await pause()
      const more = view.spansOf([entry])
      spans = spans.concat(this.#strictTraceId ? more.filter(span => span.traceId === traceId) : more)
      if (spans.length <= maxSpans) continue
      // Equal spans of several parts are one.
      spans = collapseEqual(spans)
      if (spans.length > maxSpans) throw new TooManySpansError(maxSpans)
    }
    return collapseEqual(spans)
  }

  sampleTraces(request: SampleRequest, visit: (spans: Span[]) => boolean, signal?: AbortSignal): Promise<number> {
    return this.#read(signal, (view, pause) => sampleTraces(view, request, visit, pause))
  }

  getDependencies(endTs: Milliseconds, lookback: Milliseconds, signal?: AbortSignal): Promise<DependencyLink[]> {
    return this.#read(signal, (view, pause) => this.#dependencies.link(view, endTs, lookback, pause))
  }

  async #linkAhead(until: number, signal: AbortSignal): Promise<void> {
    if (this.#view !== undefined && this.#view === this.#linkedView) return
    await this.#read(signal, async (view, pause) => {
      do {
        if (await this.#dependencies.prepare(view, pause)) continue
        this.#linkedView = view
        return
      } while (performance.now() < until)
    })
  }

  /** Runs a read over the store as it is now. */
  async #read<T>(signal: AbortSignal | undefined, read: (view: View, pause: Pause) => Promise<T> | T): Promise<T> {
    signal?.throwIfAborted()
    await this.#segments.tracesOpen(signal)
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    this.#view ??= new View(
      [...this.#segments.all, ...this.#heads.all().map(({ part }) => part)],
      this.#directory,
      error => this.#damaged(error),
    )
    const view = this.#view
    try {
      return await this.#reads.run(() => read(view, pacer(signal)))
    } catch (error) {
      throw storeError(this.#file, error)
    }
  }

  getServiceNames(signal?: AbortSignal): Promise<string[]> {
    return this.#names(
      sealed => sealed.services(),
      head => head.services.keys(),
      signal,
    )
  }

  getSpanNames(serviceName: string, signal?: AbortSignal): Promise<string[]> {
    return this.#names(
      sealed => sealed.spanNames(serviceName),
      head => head.services.get(serviceName)?.spanNames,
      signal,
    )
  }

  getRemoteServiceNames(serviceName: string, signal?: AbortSignal): Promise<string[]> {
    return this.#names(
      sealed => sealed.remoteServices(serviceName),
      head => head.services.get(serviceName)?.remoteServices,
      signal,
    )
  }

  async getAutocompleteValues(key: string, signal?: AbortSignal): Promise<string[]> {
    if (!this.#autocompleteKeys.includes(key)) return []
    return this.#names(
      sealed => sealed.autocomplete(key),
      head => head.autocomplete.get(key),
      signal,
    )
  }

  /** Names of the segments, and what the heads add to them. */
  async #names(
    ofSegments: (names: SealedNames) => readonly string[],
    ofHead: (names: Names) => Iterable<string> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<string[]> {
    signal?.throwIfAborted()
    if (!this.#searchEnabled) return []
    await this.#segments.namesOpen(signal)
    const all = new Set(ofSegments(this.#segments.names))
    const { size } = all
    for (const { part } of this.#heads.all()) for (const name of ofHead(part.names()) ?? []) all.add(name)
    return all.size === size ? [...all] : [...all].sort()
  }

  stats(): StoreStats {
    return this.#closed ? { spans: 0, traces: 0, bytes: 0 } : sumsOf(this.#segments, this.#heads)
  }

  /** Resolves when nothing waits to be sealed or merged. Rejects with what keeps it from being written. */
  async settled(): Promise<void> {
    while (this.#sealing.running !== undefined || this.#merging.running !== undefined) {
      await this.#sealing.running
      await this.#merging.running
    }
    if (this.#sealing.error !== undefined) throw this.#sealing.error
  }

  /** Seals what lies in the log now, and waits for it. */
  async seal(): Promise<void> {
    const { log, part } = this.#heads.active
    await log.settled()
    if (part.spanCount > 0) this.#rotate()
    await this.settled()
  }

  async check(): Promise<void> {
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    if (this.#commitError !== undefined) throw this.#commitError
    if (this.#sealing.error !== undefined) throw this.#sealing.error
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
    await this.#linkingAhead.close()
    this.#linkKeeper.flush()
    await this.#heads.active.log.close()
    await this.#segments.close()
    await this.#merging.running
    await this.#sealing.close()
    const rest = [...this.#heads.frozen, this.#heads.active]
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
    else makeFolder(dirname(resolve(file)))
  } catch (error) {
    throw storeError(file, error)
  }
}

/** With its parents. Node's own way to do that never ends where a file system says of a new folder that it is missing, as /proc does. */
function makeFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return
  if (!existsSync(dirname(folder))) makeFolder(dirname(folder))
  mkdirSync(folder)
}
