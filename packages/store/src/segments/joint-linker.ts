import { Head } from './head.ts'
import { type Entries, readLinkRows } from './page-rows.ts'
import type { SegmentPart } from './part.ts'
import type { Entry } from './trace-directory.ts'
import { type LinkList, TraceLinker } from './trace-linker.ts'

/** Beyond, what was learnt of segments and their dictionaries is forgotten. */
const MAX_SEGMENTS = 16
const MAX_ENTRIES = 100_000

/**
 * Links of traces that lie in several segments. Of each span only what its links depend on is read, into columns, so that it costs
 * a fifth of making the spans.
 */
export class JointLinker {
  #head = new Head()
  #linker = new TraceLinker(this.#head)
  #entries = new Map<SegmentPart, KnownEntries>()

  /** What the numbers in lists mean. */
  get pairs(): TraceLinker['pairs'] {
    return this.#linker.pairs
  }

  /** The links of one trace, whose spans are at `entries`, all in segments. */
  link(entries: readonly (Entry & { part: SegmentPart })[]): LinkList {
    const head = this.#head
    if (head.traces.length === 0) head.trace(0, 1, 0, 0, 0)
    head.rows.length = 0
    head.tags.length = 0
    for (const { part, trace } of entries) {
      const rows = part.segment.rows(trace)
      readLinkRows(rows.from, rows.count, head, this.#known(part, rows.entries))
    }
    return this.#linker.link(Uint32Array.from({ length: head.rows.length }, (_, row) => row))
  }

  #known(part: SegmentPart, entries: Entries): KnownEntries {
    let known = this.#entries.get(part)
    if (known === undefined) {
      if (this.#entries.size >= MAX_SEGMENTS) this.#entries.clear()
      known = new KnownEntries(this.#head)
      this.#entries.set(part, known)
    }
    known.entries = entries
    return known
  }

  /** To be called between two lists that nobody looks at any more. */
  tidy(): void {
    if (this.#head.dictionary.entries.length < MAX_ENTRIES) return
    this.#head.free()
    this.#head = new Head()
    this.#linker = new TraceLinker(this.#head)
    this.#entries.clear()
  }
}

/** Entries of a segment's dictionary, as entries of the head's. */
class KnownEntries {
  readonly #head: Head
  entries: Entries | undefined
  /** 0: not looked at yet; -1: a tag that is not `error`. */
  #known = new Int32Array(4096)

  constructor(head: Head) {
    this.#head = head
  }

  endpoint(entry: number): number {
    return this.#known[entry] || this.#learn(entry, this.#head.endpointEntry(this.entries!.endpoint(entry)))
  }

  /** -1 unless it is an `error`. */
  errorTag(entry: number): number {
    return this.#known[entry] || this.#learn(entry, this.#errorTag(entry))
  }

  #errorTag(entry: number): number {
    const { dictionary } = this.#head
    return this.entries!.hasKey(entry, 'error') ? dictionary.pair('error', this.entries!.pair(entry)[1]) : -1
  }

  #learn(entry: number, value: number): number {
    if (entry >= this.#known.length) {
      const grown = new Int32Array(Math.max(entry + 1, this.#known.length * 2))
      grown.set(this.#known)
      this.#known = grown
    }
    this.#known[entry] = value
    return value
  }
}
