import { StoreError } from '../store.ts'
import type { SegmentPart } from './part.ts'
import { DamageError } from './piece.ts'
import type { Sealer } from './sealer.ts'
import type { SegmentMeta } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import { storeError } from './sqlite-error.ts'

/** So many small segments in a row are merged. */
const MERGE_COUNT = 8

export interface MergingOptions {
  file: string
  /** Spans of a full segment. */
  segmentSpans: number
  takeNumber: () => number
  /** Called after each merge. */
  merged: () => void
  damaged: (error: DamageError) => void
}

/** Small segments, of quiet times and of restarts, become larger ones. */
export class Merging {
  readonly #options: MergingOptions
  readonly #sealer: Sealer
  readonly #segments: SegmentList
  #running: Promise<void> | undefined
  /** Could not be read when they were to be merged. */
  #unmergeable = new WeakSet<SegmentPart>()

  constructor(options: MergingOptions, sealer: Sealer, segments: SegmentList) {
    this.#options = options
    this.#sealer = sealer
    this.#segments = segments
  }

  get running(): Promise<void> | undefined {
    return this.#running
  }

  /** Merges the newest segments when they are small enough and many enough, one run at a time. */
  start(): void {
    if (this.#running !== undefined || this.#segments.isOpening) return
    const olds = this.#newestSmall()
    if (olds.length === 0) return
    this.#running = this.#merge(olds).finally(() => {
      this.#running = undefined
    })
  }

  #newestSmall(): readonly SegmentPart[] {
    const { segmentSpans } = this.#options
    const { all } = this.#segments
    let first = all.length
    let spans = 0
    while (first > 0 && all[first - 1]!.spanCount < segmentSpans / 2) {
      if (this.#unmergeable.has(all[first - 1]!)) break
      spans += all[--first]!.spanCount
      if (spans >= segmentSpans) break
    }
    const olds = all.slice(first)
    const isWorthIt = olds.length >= MERGE_COUNT || (olds.length > 1 && spans >= segmentSpans)
    return isWorthIt ? olds : []
  }

  async #merge(olds: readonly SegmentPart[]): Promise<void> {
    const { file, takeNumber, merged, damaged } = this.#options
    let meta: SegmentMeta
    try {
      meta = await this.#sealer.merge(
        olds.map(old => old.segment.meta.id),
        takeNumber(),
      )
    } catch (error) {
      const told = storeError(file, error)
      if (error instanceof DamageError) damaged(error)
      // Room on a disk comes back, what is damaged does not.
      if (error instanceof DamageError || (told instanceof StoreError && told.code === 'broken')) {
        for (const old of olds) this.#unmergeable.add(old)
      }
      return
    }
    this.#segments.replace(olds, meta)
    merged()
  }
}
