import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import { BUCKET_BITS, SegmentBuilder, type SegmentImage } from './build-segment.ts'
import { PIECES_PER_SEGMENT, SEGMENTS_PER_BUCKET } from './database.ts'
import { pass } from './fault-point.ts'
import { Head } from './head.ts'
import { LinkedTable } from './linked-table.ts'
import { replay } from './log-record.ts'
import { DamageError, free } from './piece.ts'
import { RecentPieces } from './piece-cache.ts'
import type { KeptLink } from './sealer-protocol.ts'
import { Segment, type SegmentMeta } from './segment.ts'

/** Traces are read in order of their pages, and refer to all of the dictionary. */
const MERGE_CACHE_BYTES = 64 * 1024 * 1024

/** Of a log, up to which the memory that it took is kept for the next: four times what they usually have. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024

/** Writes, merges and deletes segments. What it does is on the disk when it returns. */
export class SegmentWriter {
  readonly #database: Database
  readonly #builder: SegmentBuilder
  /** A log is read into the memory of the one before, and so is what it holds. */
  #log = Buffer.alloc(0)
  #head: Head | undefined
  #insertSegment
  #insertPage
  #insertChunk
  #insertTerm
  #markGone
  #markSealed
  #deletePages
  #deleteChunks
  #deleteTerm
  #deleteSegment
  #linkedTable: LinkedTable | undefined

  constructor(database: Database, autocompleteKeys: readonly string[]) {
    this.#database = database
    this.#builder = new SegmentBuilder(autocompleteKeys)
    this.#insertSegment = database.prepare(
      `insert into segment (id, last, spans, traces, min_ms, max_ms, untimed, sealed_ms, bytes, ids, traces_at, names, links)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#insertPage = database.prepare('insert into page (id, piece) values (?, ?)')
    this.#insertChunk = database.prepare('insert into dictionary (id, piece) values (?, ?)')
    this.#insertTerm = database.prepare('insert into term (id, piece) values (?, ?)')
    this.#markGone = database.prepare('update segment set gone = 1 where id = ?')
    this.#markSealed = database.prepare('update sealed set log = ? where log < ?')
    this.#deletePages = database.prepare('delete from page where id >= ? and id < ?')
    this.#deleteChunks = database.prepare('delete from dictionary where id >= ? and id < ?')
    this.#deleteTerm = database.prepare('delete from term where id = ?')
    this.#deleteSegment = database.prepare('delete from segment where id = ?')
  }

  /**
   * Makes a segment of what a log holds up to `end`, then unlinks the log. The log is read back rather than the spans
   * passed on: what cannot be read again is found while it still lies in memory.
   */
  seal(log: string, number: number, end: number): SegmentMeta {
    const old = this.#head
    this.#head = undefined
    const replayed = replay(this.#readLog(log, end), number, old)
    if (replayed === undefined || replayed.end !== end) {
      throw new DamageError(`${log} cannot be read back: it ends at byte ${replayed?.end ?? 0}, ${end} was expected`)
    }
    const { head } = replayed
    const meta = this.sealHead(head, log, number)
    if (end <= MOST_KEPT_BYTES) this.#head = head
    else head.free()
    return meta
  }

  #readLog(log: string, end: number): Buffer {
    if (this.#log.length < end || this.#log.length > MOST_KEPT_BYTES * 2) {
      free(this.#log)
      this.#log = Buffer.from(new ArrayBuffer(end + (end >> 2)))
    }
    const descriptor = openSync(log, 'r')
    try {
      let length = 0
      for (let read = 1; read > 0 && length < end; length += read) {
        read = readSync(descriptor, this.#log, length, end - length, length)
      }
      return this.#log.subarray(0, length)
    } finally {
      closeSync(descriptor)
    }
  }

  sealHead(head: Head, log: string, number: number): SegmentMeta {
    pass('seal-begun')
    const image = this.#builder.build(head)
    const meta = this.#transaction(() => {
      const written = this.#write(image, number, number)
      this.#markSealed.run(number, number)
      pass('seal-written')
      return written
    })
    freePieces(image)
    pass('seal-committed')
    rmSync(log, { force: true })
    pass('log-unlinked')
    return meta
  }

  /** Segment `id` out of several that follow each other. The old ones stay until `delete`: reads may still be at them. */
  merge(ids: readonly number[], id: number): SegmentMeta {
    const head = new Head()
    const cache = new RecentPieces(MERGE_CACHE_BYTES)
    const olds = ids.map(id => Segment.open(this.#database, id, cache))
    for (const old of olds) {
      for (let trace = 0; trace < old.traceCount; trace++) for (const span of old.spans(trace)) head.add(span)
    }
    const image = this.#builder.build(head)
    const meta = this.#transaction(() => {
      const written = this.#write(image, id, olds.at(-1)!.meta.last)
      for (const old of ids) this.#markGone.run(old)
      pass('compaction-written')
      return written
    })
    freePieces(image)
    pass('compaction-committed')
    head.free()
    return meta
  }

  delete(ids: readonly number[]): void {
    for (const id of ids) {
      // One at a time: readers and the next seal wait for no more than this.
      this.#transaction(() => {
        this.#deletePages.run(id * PIECES_PER_SEGMENT, (id + 1) * PIECES_PER_SEGMENT)
        this.#deleteChunks.run(id * PIECES_PER_SEGMENT, (id + 1) * PIECES_PER_SEGMENT)
        for (let bucket = 0; bucket < 1 << BUCKET_BITS; bucket++)
          this.#deleteTerm.run(bucket * SEGMENTS_PER_BUCKET + id)
        this.#linked().delete(id)
        this.#deleteSegment.run(id)
      })
      pass('old-deleted')
    }
  }

  /** Links that were made of segments; of those that are gone meanwhile, none. */
  keep(links: readonly KeptLink[]): void {
    this.#transaction(() => {
      for (const link of links) this.#linked().put(link)
    })
  }

  #linked(): LinkedTable {
    this.#linkedTable ??= new LinkedTable(this.#database)
    return this.#linkedTable
  }

  #transaction<T>(work: () => T): T {
    return this.#database.transaction(work).immediate()
  }

  #write(image: SegmentImage, id: number, last: number): SegmentMeta {
    const { pages, dictionary, terms, ids, table, names, links } = image
    let bytes = ids.length + table.length + names.length + links.length
    for (const [number, piece] of pages.entries()) {
      this.#insertPage.run(id * PIECES_PER_SEGMENT + number, piece)
      bytes += piece.length
    }
    for (const [number, piece] of dictionary.entries()) {
      this.#insertChunk.run(id * PIECES_PER_SEGMENT + number, piece)
      bytes += piece.length
    }
    for (const [bucket, piece] of terms.entries()) {
      if (piece === undefined) continue
      this.#insertTerm.run(bucket * SEGMENTS_PER_BUCKET + id, piece)
      bytes += piece.length
    }
    const sealedMs = Date.now()
    const { spans, traces, minMs, maxMs, untimed } = image
    this.#insertSegment.run(
      id,
      last,
      spans,
      traces,
      minMs,
      maxMs,
      untimed ? 1 : 0,
      sealedMs,
      bytes,
      ids,
      table,
      names,
      links,
    )
    return { id, last, spans, traces, minMs, maxMs, untimed, sealedMs, bytes }
  }
}

function freePieces({ pages, dictionary, terms, ids, table, names, links }: SegmentImage): void {
  for (const piece of [...pages, ...dictionary, ...terms, ids, table, names, links])
    if (piece !== undefined) free(piece)
}
