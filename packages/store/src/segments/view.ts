import type { Span } from '@hopscope/model'
import { hex, hexOf } from './head.ts'
import type { Part } from './part.ts'
import { DamageError } from './piece.ts'
import type { Entry, TraceDirectory } from './trace-directory.ts'

/** The parts of the store as one read sees them from begin to end. */
export class View {
  readonly parts: readonly Part[]
  readonly #byNumber: Map<number, Part>
  readonly #directory: TraceDirectory
  readonly #damaged: (error: DamageError) => void

  /** `damaged` hears of what could not be read; the read goes on without. */
  constructor(parts: readonly Part[], directory: TraceDirectory, damaged: (error: DamageError) => void) {
    this.parts = parts
    this.#byNumber = new Map(parts.map(part => [part.number, part]))
    this.#directory = directory
    this.#damaged = damaged
  }

  /** Where the spans of a trace are, in order of arrival; both widths of its id. */
  entriesOf(lowHigh: number, lowLow: number): Entry[] {
    const entries = this.#directory.find(lowHigh, lowLow, this.#byNumber)
    return entries
      .filter(({ part, trace }) => {
        const columns = this.attempt(() => part.traceColumns())
        return columns !== undefined && columns.lowLow[trace] === lowLow && columns.lowHigh[trace] === lowHigh
      })
      .sort((a, b) => a.part.order - b.part.order || a.trace - b.trace)
  }

  has(part: Part): boolean {
    return this.#byNumber.has(part.number)
  }

  entriesOfId(traceId: string): Entry[] {
    const at = traceId.length - 16
    return this.entriesOf(hex(traceId, at), hex(traceId, at + 8))
  }

  spansOf(entries: readonly Entry[]): Span[] {
    return entries.flatMap(({ part, trace }) => this.attempt(() => part.spans(trace)) ?? [])
  }

  lowId(part: Part, trace: number): string | undefined {
    const columns = this.attempt(() => part.traceColumns())
    return columns && hexOf(columns.lowHigh[trace]!, columns.lowLow[trace]!)
  }

  /** Undefined when what is read is damaged. */
  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      // A page of SQLite itself, rather than a piece of ours.
      const isDamage =
        error instanceof DamageError || String((error as { code?: unknown }).code).startsWith('SQLITE_CORRUPT')
      if (!isDamage) throw error
      this.#damaged(error instanceof DamageError ? error : new DamageError((error as Error).message))
      return undefined
    }
  }
}
