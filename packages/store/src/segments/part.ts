import type { Milliseconds, Span } from '@hopscope/model'
import type { Head } from './head.ts'
import { NameCollector, type Names } from './names.ts'
import type { Segment } from './segment.ts'
import type { SegmentLinks } from './segment-links.ts'
import { type Postings, TermIndex } from './term-index.ts'
import type { TraceColumns } from './trace-columns.ts'
import { type LinkList, TraceLinker } from './trace-linker.ts'

let parts = 0

/**
 * A piece of the store as reads see it: a head, or a segment. Each has its own numbers for traces; a trace whose spans lie
 * in several parts has an entry in each, and these are marked as shared.
 */
export abstract class Part {
  /** Unlike any other of this process. */
  readonly number = ++parts
  /** Parts in order of arrival. */
  abstract readonly order: number
  abstract readonly spanCount: number
  abstract readonly traceCount: number
  /** Earliest and latest start of its own spans. */
  abstract readonly minMs: Milliseconds
  abstract readonly maxMs: Milliseconds
  abstract readonly hasUntimed: boolean
  #shared = new Uint8Array(128)
  sharedCount = 0
  /** Parts that have spans of the same traces. */
  readonly sharedWith = new Set<Part>()
  /** Another number: other parts have spans of other traces of it than they had. */
  shareState = 0

  abstract traceColumns(): TraceColumns
  abstract postings(hash: number): Postings | undefined
  abstract spans(trace: number): Span[]

  isShared(trace: number): boolean {
    return (this.#shared[trace >> 3]! & (1 << (trace & 7))) !== 0
  }

  /** Says that another part has spans of this trace. */
  share(trace: number, other: Part): void {
    this.shareState++
    if (trace >> 3 >= this.#shared.length) {
      const grown = new Uint8Array(Math.max((trace >> 3) + 1, this.#shared.length * 2))
      grown.set(this.#shared)
      this.#shared = grown
    }
    if (!this.isShared(trace)) {
      this.#shared[trace >> 3]! |= 1 << (trace & 7)
      this.sharedCount++
    }
    if (other !== this) this.sharedWith.add(other)
  }

  /** It does not share with that part any more. */
  unshare(other: Part): void {
    if (this.sharedWith.delete(other)) this.shareState++
  }

  /** No span of any of its traces, wherever it lies, is earlier. */
  get lowestMs(): Milliseconds {
    let lowest = this.minMs
    for (const { minMs } of this.sharedWith) if (minMs < lowest) lowest = minMs
    return lowest
  }

  get highestMs(): Milliseconds {
    let highest = this.maxMs
    for (const { maxMs } of this.sharedWith) if (maxMs > highest) highest = maxMs
    return highest
  }
}

export class SegmentPart extends Part {
  readonly segment: Segment

  constructor(segment: Segment) {
    super()
    this.segment = segment
  }

  get order(): number {
    return this.segment.meta.last
  }

  get spanCount(): number {
    return this.segment.spanCount
  }

  get traceCount(): number {
    return this.segment.traceCount
  }

  get minMs(): Milliseconds {
    return this.segment.minMs
  }

  get maxMs(): Milliseconds {
    return this.segment.maxMs
  }

  get hasUntimed(): boolean {
    return this.segment.hasUntimed
  }

  traceColumns(): TraceColumns {
    return this.segment.traceColumns()
  }

  postings(hash: number): Postings | undefined {
    return this.segment.postings(hash)
  }

  spans(trace: number): Span[] {
    return this.segment.spans(trace)
  }

  links(): SegmentLinks {
    return this.segment.links()
  }
}

export class HeadPart extends Part {
  readonly head: Head
  readonly order: number
  #index: TermIndex
  #indexed = 0
  #rollbacks = 0
  #names: NameCollector
  #linker: TraceLinker
  #links = new Map<number, { count: number; links: LinkList }>()

  constructor(head: Head, order: number, autocompleteKeys: readonly string[]) {
    super()
    this.head = head
    this.order = order
    this.#index = new TermIndex(head)
    this.#linker = new TraceLinker(head)
    this.#names = new NameCollector(head, autocompleteKeys)
  }

  get spanCount(): number {
    return this.head.spanCount
  }

  get traceCount(): number {
    return this.head.traceCount
  }

  get minMs(): Milliseconds {
    return this.head.minMs
  }

  get maxMs(): Milliseconds {
    return this.head.maxMs
  }

  get hasUntimed(): boolean {
    return this.head.hasUntimed
  }

  traceColumns(): TraceColumns {
    return this.head.traceColumns()
  }

  /** Rows are indexed when they are first asked for: ingest alone never pays for it. A trace may stand several times. */
  postings(hash: number): Postings | undefined {
    const { head } = this
    this.#forgetRolledBack()
    const { trace } = head.rows.columns
    for (; this.#indexed < head.rows.length; this.#indexed++) this.#index.add(this.#indexed, trace[this.#indexed]!)
    head.readRows = head.rows.length
    return this.#index.postings(hash)
  }

  #forgetRolledBack(): void {
    const { head } = this
    if (this.#rollbacks === head.readRollbacks) return
    this.#rollbacks = head.readRollbacks
    this.#index = new TermIndex(head)
    this.#indexed = 0
    this.#linker = new TraceLinker(head)
    this.#links.clear()
  }

  spans(trace: number): Span[] {
    return Array.from(this.head.rowsOf(trace), row => this.head.span(row))
  }

  names(): Names {
    this.#names.catchUp()
    return this.#names.names
  }

  /** Linked when first asked for, and again when it has grown. */
  linksOf(trace: number): LinkList {
    this.#forgetRolledBack()
    const rows = this.head.rowsOf(trace)
    const known = this.#links.get(trace)
    if (known !== undefined && known.count === rows.length) return known.links
    const links = this.#linker.link(rows)
    this.head.readRows = this.head.rows.length
    this.#links.set(trace, { count: rows.length, links })
    return links
  }

  get linkedPairs(): readonly { parent: string; child: string }[] {
    return this.#linker.pairs
  }
}
