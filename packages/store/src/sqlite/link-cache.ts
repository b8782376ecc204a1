import { type DependencyLink, DependencyLinker, type Span } from '@hopscope/model'

/** Traces whose links are remembered: some 30 MB when each has a dozen. */
const MAX_TRACES = 200_000

interface Remembered {
  /** How many spans the trace had; one more, and its links are counted anew. */
  spans: number
  /** A pair's number, calls, errors; and so on. */
  counts: Uint32Array
}

/**
 * The links of single traces. Reading and linking all spans of a day takes seconds, adding up what is known of its traces
 * takes none; and as a trace that grows is linked again as a whole, late spans and replays count as if read at once.
 */
export class LinkCache {
  #traces = new Map<number, Remembered>()
  readonly #pairs: { parent: string; child: string }[] = []
  /** By parent, then child. */
  #numbers = new Map<string, Map<string, number>>()

  /** Pairs stay: a sum that is being made knows them. */
  clear(): void {
    this.#traces.clear()
  }

  /** Forgets all when most of it is of traces that were deleted since. */
  trim(storedTraces: number): void {
    if (this.#traces.size > 2 * storedTraces) this.clear()
  }

  /** Adds the links of one trace to a sum; its spans are read only when they are news. */
  add(sum: LinkSum, trace: number, spanCount: number, read: () => readonly Span[]): void {
    let known = this.#traces.get(trace)
    if (known?.spans !== spanCount) {
      known = { spans: spanCount, counts: this.#count(read()) }
      if (this.#traces.size < MAX_TRACES || this.#traces.has(trace)) this.#traces.set(trace, known)
    }
    const { counts } = known
    for (let at = 0; at < counts.length; at += 3) {
      sum.add(this.#pairs[counts[at]!]!, counts[at + 1]!, counts[at + 2]!)
    }
  }

  #count(spans: readonly Span[]): Uint32Array {
    const linker = new DependencyLinker()
    linker.putTrace(spans)
    const links = linker.links()
    return Uint32Array.from(links.flatMap(link => [this.#number(link), link.callCount, link.errorCount ?? 0]))
  }

  #number({ parent, child }: DependencyLink): number {
    let children = this.#numbers.get(parent)
    if (children === undefined) {
      children = new Map()
      this.#numbers.set(parent, children)
    }
    let number = children.get(child)
    if (number === undefined) {
      number = this.#pairs.push({ parent, child }) - 1
      children.set(child, number)
    }
    return number
  }
}

/** Calls and errors by pair, in order of first appearance. */
export class LinkSum {
  #links = new Map<object, DependencyLink>()

  add(pair: { parent: string; child: string }, calls: number, errors: number): void {
    let link = this.#links.get(pair)
    if (link === undefined) {
      link = { ...pair, callCount: 0 }
      this.#links.set(pair, link)
    }
    link.callCount += calls
    if (errors > 0) link.errorCount = (link.errorCount ?? 0) + errors
  }

  links(): DependencyLink[] {
    return [...this.#links.values()]
  }
}
