import { type DependencyLink, DependencyLinker, type Milliseconds, newestInWindow } from '@hopscope/model'
import type { Pause } from '../pause.ts'
import { hexOf } from './head.ts'
import { JointLinker } from './joint-linker.ts'
import { LinkSum, ServicePairs } from './link-counts.ts'
import type { KeptLinks, LinkedSegment } from './linked-segment.ts'
import { HeadPart, type Part, SegmentPart } from './part.ts'
import type { Entry } from './trace-directory.ts'
import type { View } from './view.ts'

/** Traces in several parts whose links are remembered: some 10 MB when each has a dozen. */
const MAX_REMEMBERED = 50_000
/** Pairs of services that were ever seen, above which all is forgotten and begun anew. */
const MAX_PAIRS = 200_000

/** What was linked, with pairs by number. */
class Memory {
  readonly pairs = new ServicePairs()
  readonly known = new WeakMap<SegmentPart, { state: number; linked: LinkedSegment }>()
}

interface Remembered {
  /** Parts and counts of spans that the links are of. */
  state: string
  links: readonly DependencyLink[]
}

/**
 * Who calls whom in a window: the links of single traces (made when a segment was sealed), added up. A trace that lies in several
 * parts is linked as one, by the low half of its id. Of each segment it is kept what its own traces come to, and those that
 * it shares with others, so a window adds up sums, and looks at single traces only at its ends and in heads.
 */
export class Dependencies {
  readonly #kept: KeptLinks
  #memory = new Memory()
  #joint = new JointLinker()
  #remembered = new Map<string, Remembered>()

  constructor(kept: KeptLinks) {
    this.#kept = kept
  }

  async link(view: View, endTs: Milliseconds, lookback: Milliseconds, pause: Pause): Promise<DependencyLink[]> {
    const memory = this.#remember()
    const from = endTs - lookback
    const sum = new LinkSum(memory.pairs)
    const inside = new Set<Part>()
    /** Low ids of traces that have to be looked at one by one. */
    const single = new Set<string>()
    for (const part of view.parts) {
      const isNear = part.minMs <= endTs && part.maxMs >= from
      if (!isNear && !(part.hasUntimed && from <= 0)) continue
      await pause()
      if (part instanceof HeadPart) {
        for (const trace of tracesIn(view, part, from, endTs, single)) {
          await pause()
          sum.addList(part.linksOf(trace), part.linkedPairs)
        }
      } else if (part instanceof SegmentPart) {
        const isInside = part.minMs >= from && part.maxMs <= endTs && (!part.hasUntimed || from <= 0)
        if (isInside) inside.add(part)
        else addByTrace(view, part, from, endTs, sum, single)
      }
    }
    for (const part of inside as Set<SegmentPart>) {
      await pause()
      const linked = await this.#linked(memory, view, part, pause)
      if (linked === undefined) continue
      sum.addCounts(linked.alone)
      for (const { others, traces, counts } of linked.newest) {
        if (others.every(other => inside.has(other))) sum.addCounts(counts)
        else addLowIds(view, part, traces, single)
      }
      for (const { newest, traces } of linked.older) {
        if (!inside.has(newest)) addLowIds(view, part, traces, single)
      }
    }
    for (const low of single) {
      await pause()
      const entries = view.entriesOfId(low)
      if (isInWindow(view, entries, from, endTs)) sum.addLinks(this.#linksOf(view, low, entries))
    }
    return sum.links()
  }

  /** Links one segment that was not linked yet, and shares no trace with a head; false: there is none. The newest come first. */
  async prepare(view: View, pause: Pause): Promise<boolean> {
    const memory = this.#remember()
    for (const part of view.parts.toReversed()) {
      if (!(part instanceof SegmentPart) || memory.known.get(part)?.state === part.shareState) continue
      if ([...part.sharedWith].some(other => other instanceof HeadPart)) continue
      if ((await this.#linked(memory, view, part, pause)) !== undefined) return true
    }
    return false
  }

  /** A read keeps to what it began with. */
  #remember(): Memory {
    if (this.#memory.pairs.list.length > MAX_PAIRS) this.#memory = new Memory()
    return this.#memory
  }

  /** Undefined: damaged. */
  async #linked(memory: Memory, view: View, part: SegmentPart, pause: Pause): Promise<LinkedSegment | undefined> {
    const { pairs, known } = memory
    const state = part.shareState
    const before = known.get(part)
    if (before?.state === state) return before.linked
    const kept = view.attempt(() => this.#kept.read(part, pairs))
    const linked = kept ?? (await this.#linkSegment(pairs, view, part, pause))
    // Another part may share its traces by now, or one that this read does not see.
    const isAsItWas = part.shareState === state && [...part.sharedWith].every(other => view.has(other))
    if (linked === undefined || !isAsItWas) return linked
    known.set(part, { state, linked })
    if (kept === undefined) this.#kept.write(part, linked, pairs)
    return linked
  }

  async #linkSegment(
    pairs: ServicePairs,
    view: View,
    part: SegmentPart,
    pause: Pause,
  ): Promise<LinkedSegment | undefined> {
    const made = view.attempt(() => ({ columns: part.traceColumns(), ...part.links() }))
    if (made === undefined) return undefined
    const { columns, calls, errors } = made
    const newest = new Map<string, { others: SegmentPart[]; traces: number[]; sum: LinkSum }>()
    const older = new Map<Part, number[]>()
    if (part.sharedCount > 0) {
      const { starts, list } = made.byTrace()
      for (let trace = 0; trace < part.traceCount; trace++) {
        if (!part.isShared(trace)) continue
        for (let at = starts[trace]!; at < starts[trace + 1]!; at += 3) {
          calls[list[at]!]! -= list[at + 1]!
          errors[list[at]!]! -= list[at + 2]!
        }
        const entries = view.entriesOf(columns.lowHigh[trace]!, columns.lowLow[trace]!)
        // Both widths of an id may lie in one segment.
        if (entries.find(entry => entry.part === part)?.trace !== trace) continue
        await pause()
        const last = entries.find(entry => entry.part instanceof HeadPart)?.part ?? entries.at(-1)!.part
        if (last !== part) {
          const traces = older.get(last)
          if (traces === undefined) older.set(last, [trace])
          else traces.push(trace)
          continue
        }
        const others = [...new Set(entries.map(entry => entry.part))].filter(one => one !== part) as SegmentPart[]
        const key = others.map(({ number }) => number).join()
        let group = newest.get(key)
        if (group === undefined) {
          group = { others, traces: [], sum: new LinkSum(pairs) }
          newest.set(key, group)
        }
        group.traces.push(trace)
        const links = view.attempt(() => this.#joint.link(entries as (Entry & { part: SegmentPart })[]))
        // What is damaged is left out, the rest is linked.
        if (links === undefined) group.sum.addLinks(linksOfSpans(view, entries))
        else group.sum.addList(links, this.#joint.pairs)
      }
      this.#joint.tidy()
    }
    const alone = new LinkSum(pairs)
    for (const [i, { parent, child }] of made.pairs.entries()) {
      alone.add(pairs.number(parent, child), calls[i]!, errors[i]!)
    }
    return {
      alone: alone.counts(),
      newest: Array.from(newest.values(), ({ others, traces, sum }) => ({
        others,
        traces: Uint32Array.from(traces),
        counts: sum.counts(),
      })),
      older: Array.from(older, ([newest, traces]) => ({ newest, traces: Uint32Array.from(traces) })),
    }
  }

  #linksOf(view: View, low: string, entries: readonly Entry[]): readonly DependencyLink[] {
    const state = entries.map(({ part, trace }) => `${part.number}:${part.traceColumns().count[trace]}`).join()
    const known = this.#remembered.get(low)
    if (known?.state === state) return known.links
    const links = linksOfSpans(view, entries)
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

function linksOfSpans(view: View, entries: readonly Entry[]): DependencyLink[] {
  const linker = new DependencyLinker()
  linker.putTrace(view.spansOf(entries))
  return linker.links()
}

function addLowIds(view: View, part: Part, traces: Uint32Array, to: Set<string>): void {
  const columns = view.attempt(() => part.traceColumns())
  if (columns === undefined) return
  for (const trace of traces) to.add(hexOf(columns.lowHigh[trace]!, columns.lowLow[trace]!))
}

function addByTrace(
  view: View,
  part: SegmentPart,
  from: Milliseconds,
  to: Milliseconds,
  sum: LinkSum,
  single: Set<string>,
): void {
  const links = view.attempt(() => {
    const { pairs, byTrace } = part.links()
    return { pairs, ...byTrace() }
  })
  if (links === undefined) return
  const { pairs, starts, list } = links
  for (const trace of tracesIn(view, part, from, to, single)) {
    sum.addList(list.subarray(starts[trace]!, starts[trace + 1]!), pairs)
  }
}

/** Traces with a span in the window that lie in this part alone; the low ids of the others go to `single`. */
function tracesIn(view: View, part: Part, from: Milliseconds, to: Milliseconds, single: Set<string>): number[] {
  const columns = view.attempt(() => part.traceColumns())
  if (columns === undefined) return []
  const { minMs, maxMs, untimed, lowHigh, lowLow } = columns
  const traces: number[] = []
  for (let trace = 0; trace < part.traceCount; trace++) {
    const isNear = (minMs[trace]! <= to && maxMs[trace]! >= from) || (from <= 0 && untimed[trace] === 1)
    if (!isNear) continue
    if (part.isShared(trace)) single.add(hexOf(lowHigh[trace]!, lowLow[trace]!))
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
