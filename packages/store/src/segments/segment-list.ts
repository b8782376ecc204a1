import type { Milliseconds } from '@hopscope/model'
import { untilAborted } from '../pause.ts'
import type { StoreStats } from '../store.ts'
import { SegmentPart } from './part.ts'
import { DamageError } from './piece.ts'
import type { RecentPieces } from './piece-cache.ts'
import type { Reads } from './reads.ts'
import { SealedNames } from './sealed-names.ts'
import { type PieceReader, Segment, type SegmentMeta } from './segment.ts'
import type { TraceDirectory } from './trace-directory.ts'

/** How long opening in the background holds the thread at a time. */
const SLICE_MS: Milliseconds = 10

export interface SegmentListOptions {
  reader: PieceReader
  cache: RecentPieces
  directory: TraceDirectory
  reads: Reads
  /** false: names are left on the disk. */
  withNames: boolean
  /** Deletes the pieces of segments that no read sees any more. */
  remove: (ids: number[]) => void
  /** A segment came or went. */
  changed: () => void
  damaged: (error: DamageError) => void
  warn: (line: string) => void
}

/**
 * The segments of a store. Of each, its trace ids and its names are kept in memory: first the ids of all are read, as no
 * read can do without them, then the names. What is not read when `open` returns is read bit by bit while spans are taken.
 */
export class SegmentList {
  readonly #options: SegmentListOptions
  readonly names = new SealedNames(() => this.oldest?.order ?? Number.POSITIVE_INFINITY)
  /** In order of arrival. */
  #segments: SegmentPart[] = []
  #live = new Set<SegmentPart>()
  #sums: StoreStats = { spans: 0, traces: 0, bytes: 0 }
  #opening: { traces: Promise<void>; names: Promise<void> } | undefined
  #closed = false

  constructor(options: SegmentListOptions) {
    this.#options = options
  }

  get all(): readonly SegmentPart[] {
    return this.#segments
  }

  get oldest(): SegmentPart | undefined {
    return this.#segments[0]
  }

  get sums(): StoreStats {
    return this.#sums
  }

  get isOpening(): boolean {
    return this.#opening !== undefined
  }

  has(part: SegmentPart): boolean {
    return this.#live.has(part)
  }

  /** Resolves when all traces can be found. Rejects with the signal's reason when that takes too long. */
  async tracesOpen(signal?: AbortSignal): Promise<void> {
    if (this.#opening !== undefined) await untilAborted(this.#opening.traces, signal)
  }

  async namesOpen(signal?: AbortSignal): Promise<void> {
    if (this.#opening !== undefined) await untilAborted(this.#opening.names, signal)
  }

  /** Ends what `open` has begun. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.names
  }

  /** Takes all segments of the database, in order of arrival; reads the newest for `openingMs`, and the rest after it has returned. */
  open(metas: readonly SegmentMeta[], openingMs: Milliseconds): void {
    for (const meta of metas) this.#insert(meta, this.#segments.length)
    this.#options.directory.reserve(this.#sums.traces)
    const withoutTraces = [...this.#segments]
    const withoutNames = this.#options.withNames ? [...this.#segments] : []
    const until = performance.now() + openingMs
    this.#readFor(until, withoutTraces, part => this.#readTraces(part))
    this.#readFor(until, withoutNames, part => this.#readNames(part))
    if (withoutTraces.length + withoutNames.length === 0) return
    const traces = this.#readAll(withoutTraces, part => this.#readTraces(part))
    const names = traces.then(() => this.#readAll(withoutNames, part => this.#readNames(part)))
    this.#opening = { traces, names }
    void names.then(() => {
      this.#opening = undefined
    })
  }

  async #readAll(left: SegmentPart[], read: (part: SegmentPart) => void): Promise<void> {
    while (left.length > 0 && !this.#closed) {
      await new Promise(resolve => setImmediate(resolve))
      try {
        this.#readFor(performance.now() + SLICE_MS, left, read)
      } catch (error) {
        // SQLite's own pages: at a start this refuses the file, now the rest is served.
        this.#options.warn(`${(error as Error).message}; a segment is left out of answers`)
      }
    }
  }

  #readFor(until: number, left: SegmentPart[], read: (part: SegmentPart) => void): void {
    while (left.length > 0 && performance.now() < until) {
      const part = left.pop()!
      // Retention may have taken it before its turn came.
      if (!this.#live.has(part)) continue
      try {
        read(part)
      } catch (error) {
        if (!(error instanceof DamageError)) throw error
        this.#options.damaged(error)
      }
    }
  }

  #readTraces(part: SegmentPart): void {
    this.#options.directory.openSealed(part, part.segment.lowIds())
  }

  #readNames(part: SegmentPart): void {
    this.names.add(part.segment.names(), part.order)
  }

  /** A segment that was just sealed: it came last. */
  append(meta: SegmentMeta): void {
    this.#add(meta, this.#segments.length)
  }

  /** One segment in the place of several that follow each other, of which retention may have taken some. */
  replace(olds: readonly SegmentPart[], meta: SegmentMeta): void {
    const still = olds.filter(old => this.#live.has(old))
    const at = still.length === 0 ? 0 : this.#segments.indexOf(still[0]!)
    for (const old of still) this.drop(old)
    this.#add(meta, at)
  }

  #add(meta: SegmentMeta, at: number): void {
    const part = this.#insert(meta, at)
    this.#readFor(Number.POSITIVE_INFINITY, [part], () => this.#readTraces(part))
    if (this.#options.withNames) this.#readFor(Number.POSITIVE_INFINITY, [part], () => this.#readNames(part))
    this.#options.changed()
  }

  #insert(meta: SegmentMeta, at: number): SegmentPart {
    const part = new SegmentPart(Segment.of(this.#options.reader, meta, this.#options.cache))
    this.#segments.splice(at, 0, part)
    this.#live.add(part)
    this.#count(meta, 1)
    return part
  }

  #count({ spans, traces, bytes }: SegmentMeta, by: 1 | -1): void {
    this.#sums = {
      spans: this.#sums.spans + by * spans,
      traces: this.#sums.traces + by * traces,
      bytes: this.#sums.bytes + by * bytes,
    }
  }

  /** New reads do not see it any more; its pieces go when those that do have ended. */
  drop(part: SegmentPart): void {
    const { directory, reads, remove, changed } = this.#options
    this.#segments = this.#segments.filter(one => one !== part)
    this.#live.delete(part)
    this.#count(part.segment.meta, -1)
    directory.close(part)
    reads.afterThese(() => {
      directory.forget(part)
      remove([part.segment.meta.id])
    })
    changed()
  }
}
