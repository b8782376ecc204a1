import type { Database } from 'better-sqlite3'
import type { Names } from './names.ts'

/** Traces looked at in one step when room is made for bytes: the smallest share of the store that goes at once. */
const BYTES_STEP = 100

export interface RetentionLimits {
  maxSpans: number
  /** Pages in use, indexes included. The file itself stays near this: SQLite fills freed pages before it grows. */
  maxBytes: number
}

export interface Gone {
  spans: number
  traces: number
  /** The highest number among them; 0: none went. */
  lastTrace: number
}

/**
 * Deletes whole traces, first come first gone, until the store is within its limits.
 * Arrival, not start time, is the order: a clock that is wrong by a year can neither pin its spans nor lose them at once.
 */
export class Retention {
  #limits: RetentionLimits
  #oldest
  #partsByService
  #deleteParts
  #deleteTraces
  #bytes

  constructor(database: Database, limits: RetentionLimits) {
    this.#limits = limits
    this.#oldest = database.prepare<[number], { id: number; spans: number }>(
      'select id, spans from trace order by id limit ?',
    )
    this.#partsByService = database.prepare<[number], { service: number; parts: number }>(
      'select service, count(*) as parts from part where trace <= ? group by service',
    )
    this.#deleteParts = database.prepare<[number]>('delete from part where trace <= ?')
    this.#deleteTraces = database.prepare<[number]>('delete from trace where id <= ?')
    this.#bytes = database
      .prepare<[], number>(
        `select (page_count - freelist_count) * page_size
         from pragma_page_count, pragma_freelist_count, pragma_page_size`,
      )
      .pluck()
  }

  bytes(): number {
    return this.#bytes.get()!
  }

  /** What went; the caller has a transaction open. */
  enforce(spanCount: number, names: Names): Gone {
    const gone: Gone = { spans: 0, traces: 0, lastTrace: 0 }
    while (spanCount - gone.spans > this.#limits.maxSpans) {
      if (!this.#evict(gone, spanCount - this.#limits.maxSpans, names)) break
    }
    while (spanCount > gone.spans && this.bytes() > this.#limits.maxBytes) {
      if (!this.#evict(gone, Number.POSITIVE_INFINITY, names)) break
    }
    return gone
  }

  /** Evicts up to BYTES_STEP traces, no more than are needed for `wanted` spans to be gone in all. */
  #evict(gone: Gone, wanted: number, names: Names): boolean {
    let last: number | undefined
    for (const { id, spans } of this.#oldest.all(BYTES_STEP)) {
      if (gone.spans >= wanted) break
      last = id
      gone.spans += spans
      gone.traces++
    }
    if (last === undefined) return false
    gone.lastTrace = last
    for (const { service, parts } of this.#partsByService.all(last)) names.release(service, parts)
    this.#deleteParts.run(last)
    this.#deleteTraces.run(last)
    return true
  }
}
