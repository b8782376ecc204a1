import { type Milliseconds, newestInWindow, type Span } from '@hopscope/model'
import type { Pause } from '../pause.ts'
import { spread } from '../spread.ts'
import { collapseEqual } from '../trace-group.ts'
import { type Part, SegmentPart } from './part.ts'
import type { View } from './view.ts'

/** Traces that are read together: they lie side by side, so that the second costs a tenth of the first. */
const NEIGHBOURS = 4

/**
 * Hands out traces with a span in the window, evenly spread over all of them, until `visit` says false or there are no more. Returns
 * how many there are: exactly when all were handed out, else by what share of those looked at counted.
 */
export async function sampleTraces(
  view: View,
  endTs: Milliseconds,
  lookback: Milliseconds,
  visit: (spans: Span[]) => boolean,
  pause: Pause,
): Promise<number> {
  const from = endTs - lookback
  const candidates: Candidates[] = []
  let count = 0
  for (const part of view.parts) {
    if (part.minMs > endTs || part.maxMs < from) continue
    await pause()
    const isInside = part instanceof SegmentPart && part.minMs >= from && part.maxMs <= endTs
    const traces = isInside ? undefined : tracesNear(view, part, from, endTs)
    const length = traces?.length ?? part.traceCount
    if (length > 0) candidates.push({ part, traces, first: count })
    count += length
  }
  let looked = 0
  let visited = 0
  for (const group of spread(Math.ceil(count / NEIGHBOURS))) {
    const last = Math.min((group + 1) * NEIGHBOURS, count)
    for (let at = group * NEIGHBOURS; at < last; at++) {
      await pause()
      looked++
      const spans = read(view, ...placeOf(candidates, at), from, endTs)
      if (spans === undefined || newestInWindow({ endTs, lookback }, spans) === undefined) continue
      visited++
      if (!visit(spans)) return looked === count ? visited : Math.max(visited, Math.round((count * visited) / looked))
    }
  }
  return visited
}

interface Candidates {
  part: Part
  /** undefined: all. */
  traces: Uint32Array | undefined
  /** The number of the first, counted over all parts. */
  first: number
}

function tracesNear(view: View, part: Part, from: Milliseconds, to: Milliseconds): Uint32Array {
  const traces: number[] = []
  for (let trace = 0; trace < part.traceCount; trace++) if (isNear(view, part, trace, from, to)) traces.push(trace)
  return Uint32Array.from(traces)
}

function isNear(view: View, part: Part, trace: number, from: Milliseconds, to: Milliseconds): boolean {
  const columns = view.attempt(() => part.traceColumns())
  return columns !== undefined && columns.minMs[trace]! <= to && columns.maxMs[trace]! >= from
}

function placeOf(candidates: readonly Candidates[], at: number): [part: Part, trace: number] {
  let [low, high] = [0, candidates.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (candidates[middle]!.first <= at) low = middle
    else high = middle - 1
  }
  const { part, traces, first } = candidates[low]!
  return [part, traces === undefined ? at - first : traces[at - first]!]
}

/** The whole trace; undefined when it counts where its newest spans of the window are, or cannot be read. */
function read(view: View, part: Part, trace: number, from: Milliseconds, to: Milliseconds): Span[] | undefined {
  if (!part.isShared(trace)) return view.attempt(() => part.spans(trace))
  const low = view.lowId(part, trace)
  const entries = low === undefined ? [] : view.entriesOfId(low)
  const counts = entries.findLast(entry => isNear(view, entry.part, entry.trace, from, to))
  if (counts?.part !== part || counts.trace !== trace) return undefined
  return collapseEqual(view.spansOf(entries))
}
