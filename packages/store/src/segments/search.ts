import { type Milliseconds, matches, newestInWindow, type QueryRequest, type Span } from '@hopscope/model'
import type { Pause } from '../pause.ts'
import { TooManySpansError } from '../store.ts'
import { collapseEqual, splitByTraceId } from '../trace-group.ts'
import { meetConditions } from './meet-conditions.ts'
import type { Part } from './part.ts'
import { type Condition, conditionsOf } from './terms.ts'
import type { View } from './view.ts'

interface Found {
  latest: Milliseconds
  low: string
  traces: Span[][]
}

/** A trace that may match, by the latest start that it may have inside the window. */
interface Candidate {
  at: Milliseconds
  part: Part
  trace: number
  /** `at` takes its spans in all parts into account. */
  isExact: boolean
}

/**
 * Traces that match, newest first.
 *
 * Parts are opened from the newest on. In each, the index gives the traces that have all terms, and of those whose spans
 * lie in several parts the ones that have the first term: it must be somewhere, the others may be in another part. They are
 * read newest first until the limit is met and none that is left can be newer; `matches` decides.
 */
export async function searchTraces(
  view: View,
  request: QueryRequest,
  strictTraceId: boolean,
  pause: Pause,
  maxSpans = Number.POSITIVE_INFINITY,
): Promise<Span[][]> {
  const from = request.endTs - request.lookback
  const conditions = conditionsOf(request)
  const unopened = view.parts
    .filter(part => part.lowestMs <= request.endTs && part.highestMs >= from)
    .sort((a, b) => a.highestMs - b.highestMs)
  const queue = new CandidateQueue()
  const seen = new Set<string>()
  const found: Found[] = []
  let count = 0
  let spanCount = 0
  for (;;) {
    for (let part = unopened.at(-1); part !== undefined; part = unopened.at(-1)) {
      const newest = Math.min(part.highestMs, request.endTs)
      const next = queue.newest()
      if (next !== undefined && next > newest) break
      if (count >= request.limit && newest < found.at(-1)!.latest) break
      unopened.pop()
      await pause()
      queue.open(candidatesOf(view, part, conditions, from, request.endTs))
    }
    const candidate = queue.pop()
    if (candidate === undefined) break
    // Once the limit is met, only traces of that same millisecond can still come before.
    if (count >= request.limit && candidate.at < found.at(-1)!.latest) break
    const { part, trace } = candidate
    const low = view.lowId(part, trace)
    if (low === undefined || seen.has(low)) continue
    await pause()
    const entries = part.isShared(trace) ? view.entriesOfId(low) : [{ part, trace }]
    if (!candidate.isExact && entries.length > 1) {
      let at = Number.NEGATIVE_INFINITY
      for (const entry of entries) {
        const columns = view.attempt(() => entry.part.traceColumns())
        const max = columns?.maxMs[entry.trace] ?? Number.NEGATIVE_INFINITY
        if (max > at) at = max
      }
      at = Math.min(at, request.endTs)
      if (at < candidate.at) {
        queue.push({ at, part, trace, isExact: true })
        continue
      }
    }
    seen.add(low)
    const spans = collapseEqual(view.spansOf(entries))
    const latest = newestInWindow(request, spans)
    if (latest === undefined) continue
    const traces = (strictTraceId ? splitByTraceId(spans) : [spans]).filter(one => matches(request, one))
    if (traces.length === 0) continue
    count += traces.length
    spanCount += spansIn(traces)
    insert(found, { latest, low, traces })
    while (found.length > 1 && count - found.at(-1)!.traces.length >= request.limit) {
      const oldest = found.pop()!.traces
      count -= oldest.length
      spanCount -= spansIn(oldest)
    }
    // Traces that are found later may take the place of others, yet no more than there are of these.
    if (spanCount > maxSpans) throw new TooManySpansError(maxSpans)
  }
  return found.flatMap(({ traces }) => traces).slice(0, request.limit)
}

/** Newest first, then by low id, descending. Nearly all come in that order: sorting all each time took a minute for 40,000. */
function insert(found: Found[], one: Found): void {
  let at = found.length
  for (; at > 0; at--) {
    const before = found[at - 1]!
    if (before.latest > one.latest || (before.latest === one.latest && before.low > one.low)) break
  }
  found.splice(at, 0, one)
}

function spansIn(traces: readonly Span[][]): number {
  let count = 0
  for (const trace of traces) count += trace.length
  return count
}

/** Of one part, sorted by time, oldest first. */
function candidatesOf(
  view: View,
  part: Part,
  conditions: readonly Condition[],
  from: Milliseconds,
  to: Milliseconds,
): Candidate[] {
  return (
    view.attempt(() => {
      const columns = part.traceColumns()
      const { minMs, maxMs } = columns
      const newest = Math.min(part.highestMs, to)
      const candidates: Candidate[] = []
      const mayMatch = meetConditions(part, conditions, columns)
      if (mayMatch === undefined) return candidates
      for (let trace = 0; trace < part.traceCount; trace++) {
        if (!mayMatch(trace)) continue
        if (part.isShared(trace)) candidates.push({ at: newest, part, trace, isExact: false })
        else if (minMs[trace]! <= to && maxMs[trace]! >= from) {
          candidates.push({ at: Math.min(maxMs[trace]!, to), part, trace, isExact: true })
        }
      }
      return candidates.sort((a, b) => a.at - b.at)
    }) ?? []
  )
}

/** The candidates of all opened parts, the newest first. */
class CandidateQueue {
  /** Each oldest first; taken from the end. */
  #lists: Candidate[][] = []

  open(candidates: Candidate[]): void {
    if (candidates.length > 0) this.#lists.push(candidates)
  }

  push(candidate: Candidate): void {
    const list = this.#lists.find(one => one.at(-1)!.at <= candidate.at)
    if (list === undefined) this.#lists.push([candidate])
    else list.push(candidate)
  }

  newest(): Milliseconds | undefined {
    let newest: Milliseconds | undefined
    for (const list of this.#lists) if (newest === undefined || list.at(-1)!.at > newest) newest = list.at(-1)!.at
    return newest
  }

  pop(): Candidate | undefined {
    let best = -1
    for (const [i, list] of this.#lists.entries()) {
      if (best === -1 || list.at(-1)!.at > this.#lists[best]!.at(-1)!.at) best = i
    }
    if (best === -1) return undefined
    const candidate = this.#lists[best]!.pop()!
    if (this.#lists[best]!.length === 0) this.#lists.splice(best, 1)
    return candidate
  }
}
