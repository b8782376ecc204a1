import type { BodyFormat, IsSampled } from '../store.ts'
import { DEBUG, Head, KIND_MASK, SHARED } from './head.ts'
import { Row } from './row.ts'
import { Scanners } from './scanners.ts'

/** Spans, and entries of a dictionary, after which the head aside is made anew. */
const MAX_ROWS = 16_384
const MAX_ENTRIES = 65_536

/**
 * Takes the sampled spans of a body. It is read into a head aside, and what is kept of it moves into the real one: so what is left
 * out leaves no text in that, nor in its log.
 */
export class Sieve {
  readonly #head: Head
  readonly #row = new Row()
  #aside: { head: Head; scanners: Scanners } | undefined
  /** Of entries aside: what they are in the real head; 0: not known. */
  #entries = new Int32Array(MAX_ENTRIES)
  #rollbacks = 0

  constructor(head: Head) {
    this.#head = head
  }

  /** As the `scan` of a scanner; debug spans are always kept. Returns how many spans were, and how many were left out. */
  scan(
    format: BodyFormat,
    body: Uint8Array,
    maxSpans: number,
    isSampled: IsSampled,
  ): { kept: number; leftOut: number } | undefined {
    const { head: aside, scanners } = this.#open()
    const first = aside.rows.length
    const spans = scanners.of(format).scan(body, maxSpans)
    if (spans === undefined) return undefined
    const { trace: traces, flags } = aside.rows.columns
    const { lowHigh, lowLow } = aside.traces.columns
    let kept = 0
    for (let row = first; row < first + spans; row++) {
      const trace = traces[row]!
      if ((flags[row]! & DEBUG) === 0 && !isSampled(lowHigh[trace]!, lowLow[trace]!)) continue
      this.#move(aside, row)
      kept++
    }
    return { kept, leftOut: spans - kept }
  }

  #open(): { head: Head; scanners: Scanners } {
    const { head } = this.#aside ?? {}
    const isFull = head !== undefined && (head.spanCount > MAX_ROWS || head.dictionary.entries.length > MAX_ENTRIES)
    if (isFull) {
      head.free()
      this.#aside = undefined
    }
    if (this.#aside === undefined) {
      const head = new Head()
      this.#aside = { head, scanners: new Scanners(head) }
      this.#entries.fill(0)
    }
    if (this.#rollbacks !== this.#head.rollbacks) {
      this.#rollbacks = this.#head.rollbacks
      this.#entries.fill(0)
    }
    return this.#aside
  }

  #move(aside: Head, from: number): void {
    const head = this.#head
    const row = this.#row
    const { columns } = aside.rows
    const trace = columns.trace[from]!
    const { lowHigh, lowLow, highHigh, highLow } = aside.traces.columns
    row.traceLowHigh = lowHigh[trace]!
    row.traceLowLow = lowLow[trace]!
    row.traceHighHigh = highHigh[trace]!
    row.traceHighLow = highLow[trace]!
    row.idHigh = columns.idHigh[from]!
    row.idLow = columns.idLow[from]!
    row.parentHigh = columns.parentHigh[from]!
    row.parentLow = columns.parentLow[from]!
    const flags = columns.flags[from]!
    row.kind = flags & KIND_MASK
    row.isDebug = (flags & DEBUG) !== 0
    row.isShared = (flags & SHARED) !== 0
    row.timestamp = columns.timestamp[from]!
    row.duration = columns.duration[from]!
    row.name = this.#entry(aside, columns.name[from]!)
    row.local = this.#entry(aside, columns.local[from]!)
    row.remote = this.#entry(aside, columns.remote[from]!)
    for (let at = from === 0 ? 0 : columns.tagEnd[from - 1]!; at < columns.tagEnd[from]!; at++) {
      head.tag(this.#entry(aside, aside.tags.columns.pair[at]!))
    }
    const { timestamp, value } = aside.annotations.columns
    for (let at = from === 0 ? 0 : columns.annotationEnd[from - 1]!; at < columns.annotationEnd[from]!; at++) {
      head.annotate(timestamp[at]!, this.#entry(aside, value[at]!))
    }
    head.append(row)
  }

  /** The number in the real head of an entry aside. */
  #entry({ dictionary }: Head, entry: number): number {
    if (entry === 0) return 0
    if (entry >= this.#entries.length) {
      const grown = new Int32Array(Math.max(entry + 1, this.#entries.length * 2))
      grown.set(this.#entries)
      this.#entries = grown
    }
    this.#entries[entry] ||= this.#head.dictionary.internOf(dictionary, entry)
    return this.#entries[entry]!
  }
}
