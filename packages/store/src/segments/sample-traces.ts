import type { Milliseconds, Span } from '@hopscope/model'
import { isInSample } from '../is-in-sample.ts'
import type { Pause } from '../pause.ts'
import { spread } from '../spread.ts'
import type { SampleRequest } from '../store.ts'
import { collapseEqual } from '../trace-group.ts'
import { meetConditions } from './meet-conditions.ts'
import { type Part, SegmentPart } from './part.ts'
import { type Condition, conditionsOf } from './terms.ts'
import type { Entry } from './trace-directory.ts'
import type { View } from './view.ts'

/** Traces that are read together: they lie side by side, so that the second costs a tenth of the first. */
const NEIGHBOURS = 4

/**
 * Hands out the traces that a sample is of, evenly spread over all of them, until `visit` says false or there are no more. Returns
 * how many there are: exactly when all were handed out, else by what share of those looked at counted.
 */
export async function sampleTraces(
  view: View,
  request: SampleRequest,
  visit: (spans: Span[]) => boolean,
  pause: Pause,
): Promise<number> {
  const { endTs } = request
  const from = endTs - request.lookback
  const conditions = conditionsOf({ ...request, limit: 1 })
  const candidates: Candidates[] = []
  let count = 0
  for (const part of view.parts) {
    if (part.minMs > endTs || part.maxMs < from) continue
    await pause()
    const isInside = part instanceof SegmentPart && part.minMs >= from && part.maxMs <= endTs
    const isAll = isInside && conditions.length === 0
    const traces = isAll ? undefined : tracesNear(view, part, from, endTs, conditions)
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
      const spans = read(view, ...placeOf(candidates, at), candidates)
      if (spans === undefined || !isInSample(request, spans)) continue
      visited++
      if (!visit(spans)) return looked === count ? visited : Math.max(visited, Math.round((count * visited) / looked))
    }
  }
  return visited
}

interface Candidates {
  part: Part
  /** Ascending; undefined: all. */
  traces: Uint32Array | undefined
  /** The number of the first, counted over all parts. */
  first: number
}

function tracesNear(
  view: View,
  part: Part,
  from: Milliseconds,
  to: Milliseconds,
  conditions: readonly Condition[],
): Uint32Array {
  const traces: number[] = []
  view.attempt(() => {
    const columns = part.traceColumns()
    const { minMs, maxMs } = columns
    const mayMatch = meetConditions(part, conditions, columns)
    for (let trace = 0; trace < part.traceCount; trace++) {
      if (minMs[trace]! > to || maxMs[trace]! < from) continue
      // What is asked for may be in another part.
      if (mayMatch?.(trace) || part.isShared(trace)) traces.push(trace)
    }
  })
  return Uint32Array.from(traces)
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

/** The whole trace; undefined when another of its places counts, the newest that is a candidate, or it cannot be read. */
function read(view: View, part: Part, trace: number, candidates: readonly Candidates[]): Span[] | undefined {
  if (!part.isShared(trace)) return view.attempt(() => part.spans(trace))
  const low = view.lowId(part, trace)
  const entries = low === undefined ? [] : view.entriesOfId(low)
  const counts = entries.findLast(entry => isCandidate(candidates, entry))
  if (counts?.part !== part || counts.trace !== trace) return undefined
  return collapseEqual(view.spansOf(entries))
}

function isCandidate(candidates: readonly Candidates[], { part, trace }: Entry): boolean {
  const ofPart = candidates.find(one => one.part === part)
  if (ofPart?.traces === undefined) return ofPart !== undefined
  let [low, high] = [0, ofPart.traces.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (ofPart.traces[middle]! < trace) low = middle + 1
    else high = middle
  }
  return ofPart.traces[low] === trace
}
