import { type DependencyLink, DependencyLinker, type Milliseconds, newestInWindow } from '@hopscope/model'
import type { Pause } from '../pause.ts'
import { hexOf } from './head.ts'
import { HeadPart, type Part, SegmentPart } from './part.ts'
import type { Entry } from './trace-directory.ts'
import type { View } from './view.ts'

/** Traces in several parts whose links are remembered: some 40 MB when each has a dozen. */
const MAX_REMEMBERED = 200_000

interface Remembered {
  /** Parts and counts of spans that the links are of. */
  state: string
  links: readonly DependencyLink[]
}

/**
 * Who calls whom in a window: the links of single traces (made when a segment was sealed), added up. A segment wholly
 * inside the window adds the sums it keeps. A trace that lies in several parts is linked as one, by the low half of its
 * id, and remembered until more of it comes.
 */
export class Dependencies {
  #remembered = new Map<string, Remembered>()
  /** Of the last window: the sum over traces that lie in several segments, all of them wholly inside. */
  #inside: { state: string; sum: LinkSum; others: string[] } = { state: '', sum: new LinkSum(), others: [] }

  async link(view: View, endTs: Milliseconds, lookback: Milliseconds, pause: Pause): Promise<DependencyLink[]> {
    const from = endTs - lookback
    const sum = new LinkSum()
    const inside: SegmentPart[] = []
    const shared = new Set<string>()
    for (const part of view.parts) {
      const isNear = part.minMs <= endTs && part.maxMs >= from
      if (!isNear && !(part.hasUntimed && from <= 0)) continue
      await pause()
      if (part instanceof HeadPart) {
        for (const trace of tracesIn(view, part, from, endTs, shared)) {
          await pause()
          sum.addList(part.linksOf(trace), part.linkedPairs)
        }
      } else if (part instanceof SegmentPart) {
        const isInside = part.minMs >= from && part.maxMs <= endTs && (!part.hasUntimed || from <= 0)
        if (!isInside) addByTrace(view, part, from, endTs, sum, shared)
        else {
          const unshared = view.attempt(() => part.unshared())
          if (unshared === undefined) continue
          inside.push(part)
          for (const [i, { parent, child }] of unshared.pairs.entries()) {
            sum.add(parent, child, unshared.calls[i]!, unshared.errors[i]!)
          }
        }
      }
    }
    for (const low of await this.#addInside(view, inside, sum, pause)) shared.add(low)
    for (const low of shared) {
      await pause()
      const entries = view.entriesOfId(low)
      if (isInWindow(view, entries, from, endTs)) sum.addAll(this.#linksOf(view, low, entries))
    }
    return sum.links()
  }

  /** Adds traces that lie in several of these segments and nowhere else; returns the low ids of those that lie elsewhere, too. */
  async #addInside(view: View, inside: readonly SegmentPart[], sum: LinkSum, pause: Pause): Promise<readonly string[]> {
    const state = inside.map(part => `${part.number}:${part.sharedCount}`).join()
    if (this.#inside.state !== state) {
      const next = { state, sum: new LinkSum(), others: [] as string[] }
      const parts = new Set<Part>(inside)
      const seen = new Set<string>()
      for (const part of inside) {
        const columns = view.attempt(() => part.traceColumns())
        if (columns === undefined) continue
        for (const trace of part.unshared().shared) {
          const low = hexOf(columns.lowHigh[trace]!, columns.lowLow[trace]!)
          if (seen.has(low)) continue
          seen.add(low)
          await pause()
          const entries = view.entriesOfId(low)
          if (entries.every(entry => parts.has(entry.part))) next.sum.addAll(this.#linksOf(view, low, entries))
          else next.others.push(low)
        }
      }
      this.#inside = next
    }
    sum.addAll(this.#inside.sum.links())
    return this.#inside.others
  }

  #linksOf(view: View, low: string, entries: readonly Entry[]): readonly DependencyLink[] {
    const state = entries.map(({ part, trace }) => `${part.number}:${part.traceColumns().count[trace]}`).join()
    const known = this.#remembered.get(low)
    if (known?.state === state) return known.links
    const linker = new DependencyLinker()
    linker.putTrace(view.spansOf(entries))
    const links = linker.links()
    this.#remembered.delete(low)
    this.#remembered.set(low, { state, links })
    if (this.#remembered.size > MAX_REMEMBERED) {
      for (const oldest of this.#remembered.keys()) {
        this.#remembered.delete(oldest)
        break
      }
    }
    return links
  }
}

function addByTrace(
  view: View,
  part: SegmentPart,
  from: Milliseconds,
  to: Milliseconds,
  sum: LinkSum,
  shared: Set<string>,
): void {
  const links = view.attempt(() => {
    const { pairs, byTrace } = part.links()
    return { pairs, ...byTrace() }
  })
  if (links === undefined) return
  const { pairs, starts, list } = links
  for (const trace of tracesIn(view, part, from, to, shared)) {
    sum.addList(list.subarray(starts[trace]!, starts[trace + 1]!), pairs)
  }
}

/** Traces with a span in the window that lie in this part alone; the low ids of the others go to `shared`. */
function tracesIn(view: View, part: Part, from: Milliseconds, to: Milliseconds, shared: Set<string>): number[] {
  const columns = view.attempt(() => part.traceColumns())
  if (columns === undefined) return []
  const { minMs, maxMs, untimed, lowHigh, lowLow } = columns
  const traces: number[] = []
  for (let trace = 0; trace < part.traceCount; trace++) {
    const isNear = (minMs[trace]! <= to && maxMs[trace]! >= from) || (from <= 0 && untimed[trace] === 1)
    if (!isNear) continue
    if (part.isShared(trace)) shared.add(hexOf(lowHigh[trace]!, lowLow[trace]!))
    else if (isInWindow(view, [{ part, trace }], from, to)) traces.push(trace)
  }
  return traces
}

/** A trace may begin before the window and end after it, with nothing inside. */
function isInWindow(view: View, entries: readonly Entry[], from: Milliseconds, to: Milliseconds): boolean {
  let isAround = false
  for (const { part, trace } of entries) {
    const columns = view.attempt(() => part.traceColumns())
    if (columns === undefined) continue
    // To zipkin-server a span without start stands at 0.
    if (from <= 0 && columns.untimed[trace] === 1) return true
    const min = columns.minMs[trace]!
    const max = columns.maxMs[trace]!
    if ((min >= from && min <= to) || (max >= from && max <= to)) return true
    if (min < from && max > to) isAround = true
  }
  return isAround && newestInWindow({ endTs: to, lookback: to - from }, view.spansOf(entries)) !== undefined
}

/** Calls and errors by pair, in order of first appearance. */
class LinkSum {
  /** By parent, then child: a name may hold any character, so no text joins the two. */
  #counts = new Map<string, Map<string, DependencyLink>>()
  #links: DependencyLink[] = []

  add(parent: string, child: string, calls: number, errors: number): void {
    if (calls === 0) return
    let children = this.#counts.get(parent)
    if (children === undefined) {
      children = new Map()
      this.#counts.set(parent, children)
    }
    let link = children.get(child)
    if (link === undefined) {
      link = { parent, child, callCount: 0 }
      children.set(child, link)
      this.#links.push(link)
    }
    link.callCount += calls
    if (errors > 0) link.errorCount = (link.errorCount ?? 0) + errors
  }

  /** Pair, calls, errors; and so on. */
  addList(list: ArrayLike<number>, pairs: readonly { parent: string; child: string }[]): void {
    for (let at = 0; at < list.length; at += 3) {
      const { parent, child } = pairs[list[at]!]!
      this.add(parent, child, list[at + 1]!, list[at + 2]!)
    }
  }

  addAll(links: readonly DependencyLink[]): void {
    for (const { parent, child, callCount, errorCount = 0 } of links) this.add(parent, child, callCount, errorCount)
  }

  links(): DependencyLink[] {
    return this.#links
  }
}
