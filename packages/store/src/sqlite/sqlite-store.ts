import {
  type DependencyLink,
  lowTraceId,
  type Milliseconds,
  matches,
  newestInWindow,
  type QueryRequest,
  type Span,
} from '@hopscope/model'
import type { Database } from 'better-sqlite3'
import { pacer } from '../pause.ts'
import { type SpanStore, StoreError, type StoreOptions, type StoreStats } from '../store.ts'
import { splitByTraceId } from '../trace-group.ts'
import { LinkCache, LinkSum } from './link-cache.ts'
import { Names } from './names.ts'
import { openDatabase } from './open-database.ts'
import { Reader } from './reader.ts'
import { Retention } from './retention.ts'
import { storeError } from './sqlite-error.ts'
import { Writer } from './writer.ts'

export interface SqliteStoreOptions extends StoreOptions {
  /** The database file; made, with its folder, when missing. */
  file: string
  /** Oldest traces go when the data and its indexes would take more than this; no limit by default. */
  maxBytes?: number
  /** Tests open a file that cannot grow. */
  open?: (file: string) => Database
}

/** What was accepted and is not committed yet. */
interface Pending {
  spans: readonly Span[]
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Spans in one SQLite file, on the caller's thread.
 *
 *   accept(a) ┐
 *   accept(b) ├─ same turn of the event loop ─► one transaction ─► fdatasync ─► a, b, c resolve
 *   accept(c) ┘
 *
 * Under load a turn reads what all connections have sent meanwhile, so transactions grow with the load by themselves.
 */
export class SqliteStore implements SpanStore {
  readonly name: string
  #file: string
  #database: Database
  #options: Required<Omit<StoreOptions, 'maxSpans'>>
  #writer: Writer
  #reader: Reader
  #retention: Retention
  #names: Names
  #stats: { spans: number; traces: number }
  #links = new LinkCache()
  #pending: Pending[] = []
  #flushing: Promise<void> | undefined
  #commitError: unknown
  #closed = false
  #begin
  #commit
  #rollback

  /** Throws StoreError when the file is not ours, broken, in use or cannot be written; it is not changed then. */
  constructor(options: SqliteStoreOptions) {
    const { file, strictTraceId = true, searchEnabled = true, autocompleteKeys = [] } = options
    const { maxSpans = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY, open = openDatabase } = options
    this.name = `SqliteStorage{file=${file}}`
    this.#file = file
    this.#options = { strictTraceId, searchEnabled, autocompleteKeys }
    this.#database = open(file)
    this.#begin = this.#database.prepare('begin immediate')
    this.#commit = this.#database.prepare('commit')
    this.#rollback = this.#database.prepare('rollback')
    this.#writer = new Writer(this.#database, searchEnabled)
    this.#reader = new Reader(this.#database)
    this.#retention = new Retention(this.#database, { maxSpans, maxBytes })
    this.#names = new Names(this.#database, autocompleteKeys)
    this.#stats = this.#database
      .prepare<[], { spans: number; traces: number }>(
        'select coalesce(sum(spans), 0) as spans, count(*) as traces from trace',
      )
      .get()!
  }

  accept(spans: readonly Span[]): Promise<void> {
    if (this.#closed) return Promise.reject(new StoreError('closed', `${this.#file} is closed`))
    if (spans.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#pending.push({ spans, resolve, reject })
      this.#flushing ??= new Promise(flushed =>
        setImmediate(() => {
          this.#flushing = undefined
          this.#flush()
          flushed()
        }),
      )
    })
  }

  /** Commits all that is pending, in one transaction: all of it is stored, or none. */
  #flush(): void {
    const batches = this.#pending
    this.#pending = []
    try {
      this.#begin.run()
      const spans = batches.flatMap(batch => batch.spans)
      const traces = this.#writer.write(spans, this.#names)
      const gone = this.#retention.enforce(this.#stats.spans + spans.length, this.#names)
      if (gone.lastTrace > 0) this.#writer.forget(gone.lastTrace)
      this.#names.flush()
      this.#commit.run()
      this.#stats.spans += spans.length - gone.spans
      this.#stats.traces += traces - gone.traces
      // Numbers of traces begin again when none is left.
      if (this.#stats.traces === 0) this.#links.clear()
      this.#commitError = undefined
    } catch (error) {
      this.#commitError = storeError(this.#file, error)
      this.#undo()
      for (const { reject } of batches) reject(this.#commitError)
      return
    }
    for (const { resolve } of batches) resolve()
  }

  #undo(): void {
    if (this.#database.inTransaction) this.#rollback.run()
    this.#names = new Names(this.#database, this.#options.autocompleteKeys)
    this.#writer = new Writer(this.#database, this.#options.searchEnabled)
  }

  getTraces(request: QueryRequest, signal?: AbortSignal): Promise<Span[][]> {
    return this.#read(() => this.#search(request, signal))
  }

  async #search(request: QueryRequest, signal: AbortSignal | undefined): Promise<Span[][]> {
    if (!this.#options.searchEnabled) return []
    const pause = pacer(signal)
    const from = request.endTs - request.lookback
    const isCandidate = this.#reader.candidateFilter(request, this.#names)
    const found: { latest: Milliseconds; low: string; traces: Span[][] }[] = []
    let count = 0
    for (const row of this.#reader.timeline(from, request.endTs)) {
      await pause()
      // Rows come by their latest span, which for a trace that runs past the window is later than what it is ordered
      // by. Once the limit is met inside the window, only rows of that same millisecond can still come before.
      const oldest = found.at(-1)
      if (count >= request.limit && oldest !== undefined && row.last_ms < oldest.latest) break
      if (!isCandidate(row.id)) continue
      const spans = this.#reader.spans(row.id)
      const latest = newestInWindow(request, spans)
      if (latest === undefined) continue
      const traces = (this.#options.strictTraceId ? splitByTraceId(spans) : [spans]).filter(t => matches(request, t))
      if (traces.length === 0) continue
      count += traces.length
      found.push({ latest, low: row.low, traces })
      found.sort((a, b) => b.latest - a.latest || (a.low < b.low ? 1 : -1))
      while (found.length > 1 && count - found.at(-1)!.traces.length >= request.limit) {
        count -= found.pop()!.traces.length
      }
    }
    return found.flatMap(({ traces }) => traces).slice(0, request.limit)
  }

  getTrace(traceId: string): Promise<Span[]> {
    return this.#read(async () => {
      const spans = this.#reader.spansByTraceId(traceId)
      return this.#options.strictTraceId ? spans.filter(span => span.traceId === traceId) : spans
    })
  }

  async getTracesByIds(traceIds: readonly string[]): Promise<Span[][]> {
    const wanted = new Set(this.#options.strictTraceId ? traceIds : traceIds.map(lowTraceId))
    const traces = await Promise.all([...wanted].map(id => this.getTrace(id)))
    return traces.filter(trace => trace.length > 0)
  }

  async getServiceNames(): Promise<string[]> {
    return this.#options.searchEnabled ? this.#names.services() : []
  }

  async getSpanNames(serviceName: string): Promise<string[]> {
    return this.#options.searchEnabled ? this.#names.spanNames(serviceName) : []
  }

  async getRemoteServiceNames(serviceName: string): Promise<string[]> {
    return this.#options.searchEnabled ? this.#names.remoteServices(serviceName) : []
  }

  async getAutocompleteValues(key: string): Promise<string[]> {
    return this.#options.searchEnabled ? this.#names.autocompleteValues(key) : []
  }

  getDependencies(endTs: Milliseconds, lookback: Milliseconds, signal?: AbortSignal): Promise<DependencyLink[]> {
    return this.#read(() => this.#link(endTs, lookback, signal))
  }

  async #link(endTs: Milliseconds, lookback: Milliseconds, signal: AbortSignal | undefined): Promise<DependencyLink[]> {
    const pause = pacer(signal)
    const from = endTs - lookback
    const sum = new LinkSum()
    const seen = new Set<number>()
    this.#links.trim(this.#stats.traces)
    for (const { id, first_ms, last_ms, spans } of this.#reader.timeline(from, endTs)) {
      await pause()
      // A trace may begin before the window and end after it, with nothing inside.
      if (
        first_ms < from &&
        last_ms > endTs &&
        newestInWindow({ endTs, lookback }, this.#reader.spans(id)) === undefined
      ) {
        continue
      }
      seen.add(id)
      this.#links.add(sum, id, spans, () => this.#reader.spans(id))
    }
    // To zipkin-server a span without start stands at 0: such traces show only in a window that reaches that far back.
    if (from <= 0) {
      for (const { id, spans } of this.#reader.untimed()) {
        await pause()
        if (!seen.has(id)) this.#links.add(sum, id, spans, () => this.#reader.spans(id))
      }
    }
    return sum.links()
  }

  /** A file that breaks under us is told as such. */
  async #read<T>(read: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    try {
      return await read()
    } catch (error) {
      throw storeError(this.#file, error)
    }
  }

  stats(): StoreStats {
    return { ...this.#stats, bytes: this.#closed ? 0 : this.#retention.bytes() }
  }

  async check(): Promise<void> {
    if (this.#closed) throw new StoreError('closed', `${this.#file} is closed`)
    if (this.#commitError !== undefined) throw this.#commitError
    try {
      this.#database.prepare('select 1 from trace limit 1').get()
    } catch (error) {
      throw storeError(this.#file, error)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#flushing
    this.#database.close()
  }
}
