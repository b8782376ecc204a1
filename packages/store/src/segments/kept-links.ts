import type { Database } from 'better-sqlite3'
import type { ServicePairs } from './link-counts.ts'
import { decodeLinked, encodeLinked, type KeptLinks, type LinkedSegment } from './linked-segment.ts'
import { linkedReader } from './linked-table.ts'
import type { SegmentPart } from './part.ts'
import { unpackPiece } from './piece.ts'
import type { Sealer } from './sealer.ts'
import type { KeptLink } from './sealer-protocol.ts'

/** What was linked within this is written at once, ms. */
const GATHER_MS = 200

/** Links of segments in the table `linked`, which a store has from the first that were written on. */
export class LinkKeeper implements KeptLinks {
  readonly #database: Database
  readonly #sealer: Sealer
  #read: ((segment: number) => Buffer | undefined) | undefined
  #waiting: KeptLink[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(database: Database, sealer: Sealer) {
    this.#database = database
    this.#sealer = sealer
  }

  read(part: SegmentPart, pairs: ServicePairs): LinkedSegment | undefined {
    const { id } = part.segment.meta
    this.#read ??= linkedReader(this.#database)
    const piece = this.#read?.(id)
    return piece && decodeLinked(unpackPiece(piece, `segment ${id}, kept links`), part, pairs)
  }

  write(part: SegmentPart, linked: LinkedSegment, pairs: ServicePairs): void {
    const piece = encodeLinked(part, linked, pairs)
    if (piece === undefined) return
    this.#waiting.push({ segment: part.segment.meta.id, piece })
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS).unref()
  }

  /** What cannot be written is made again when it is asked for. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) void this.#sealer.keep(waiting).catch(() => {})
  }
}
