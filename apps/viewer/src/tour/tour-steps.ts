import type { Span } from '@hopscope/model'
import { hasTrouble, type TraceItem } from '../api/trace-item.ts'
import { COMPARE } from '../compare/compare-url.ts'
import { type OutlinedHop, outlineTrace, pairOf, type TraceOutline } from '../compare/hop-outline.ts'
import { MESH } from '../mesh/mesh-url.ts'
import { formatDuration } from '../shared/duration.ts'
import { DEFAULT_TIME } from '../shared/time-range.ts'
import { traceRoute } from '../trace/trace-url.ts'
import type { Route } from '../url.ts'

/** Where a step leads, and what there is to be seen, with the numbers of the mesh that runs. */
export interface TourStop {
  route: Route
  text: string
}

export interface TourStep {
  title: string
  /** What the mesh has not shown yet; absent when the step can be taken. */
  missing(items: readonly TraceItem[]): string | undefined
  open(items: readonly TraceItem[], load: (traceId: string) => Promise<Span[]>): Promise<TourStop>
}

/** A call counts as slow part by what is its own: the time in which nothing below it was under way. */
export function slowestPair(outline: TraceOutline): { pair: string; callee: string; calls: number; hop: OutlinedHop } {
  const sums = new Map<string, { pair: string; callee: string; own: number; calls: number; hop: OutlinedHop }>()
  const stack = [...outline.heads]
  for (let hop = stack.pop(); hop; hop = stack.pop()) {
    const pair = pairOf(hop)
    const sum = sums.get(pair) ?? { pair, callee: hop.callee, own: 0, calls: 0, hop }
    sum.own += hop.own
    sum.calls++
    if (hop.own > sum.hop.own) sum.hop = hop
    sums.set(pair, sum)
    stack.push(...hop.children)
  }
  return [...sums.values()].reduce((most, sum) => (sum.own > most.own ? sum : most))
}

/** The call that was tried most often. */
export function mostRetried(outline: TraceOutline): OutlinedHop {
  let most = outline.heads[0]!
  const stack = [...outline.heads]
  for (let hop = stack.pop(); hop; hop = stack.pop()) {
    if (hop.attempts > most.attempts) most = hop
    stack.push(...hop.children)
  }
  return most
}

const longestOf = (items: readonly TraceItem[]) =>
  items.reduce((longest, item) => ((item.duration ?? 0) > (longest.duration ?? 0) ? item : longest))
const withCalls = (items: readonly TraceItem[]) => items.filter(({ hops }) => hops > 1)
const retried = (items: readonly TraceItem[]) => items.filter(item => hasTrouble(item, 'retry'))
const NO_CALLS = 'No trace of two calls yet.'
const NO_RETRY = 'Nothing was tried again yet.'

/** From a slow trace to what makes it slow, and from an error that nobody saw to what it cost. */
export const TOUR: readonly TourStep[] = [
  {
    title: 'Find the slow part',
    missing: items => (withCalls(items).length > 0 ? undefined : NO_CALLS),
    async open(items, load) {
      const item = longestOf(withCalls(items))
      const outline = outlineTrace(await load(item.traceId))
      const slow = slowestPair(outline)
      return {
        route: traceRoute(item.traceId, slow.hop.spanId),
        text: `The slowest of the last traces: ${formatDuration(outline.duration)}. Each row is a call from one service to another. Most of the time is in ${slow.pair}: ${slow.calls} ${slow.calls === 1 ? 'call' : 'calls'}, the longest ${formatDuration(slow.hop.duration)}. Its row is selected; the panel says where that time went.`,
      }
    },
  },
  {
    title: 'See who waits for it',
    missing: items => (withCalls(items).length > 0 ? undefined : NO_CALLS),
    async open(items, load) {
      const outline = outlineTrace(await load(longestOf(withCalls(items)).traceId))
      const { callee } = slowestPair(outline)
      return {
        route: { ...MESH, selected: callee },
        text: `${callee} in the mesh: whoever calls it waits for it. A line leads to its calls, and from there to their traces.`,
      }
    },
  },
  {
    title: 'Find an error that nobody saw',
    missing: items => (retried(items).length > 0 ? undefined : NO_RETRY),
    async open(items) {
      const found = retried(items)
      const fine = found.filter(({ rootFailed }) => !rootFailed).length
      return {
        route: { page: 'search', q: 'error attempt>1', time: DEFAULT_TIME, sort: 'newest' },
        text: `Something failed in each of these traces, and a proxy tried it again. Of the last ${found.length}, ${fine} ended well all the same: whoever asked did not notice.`,
      }
    },
  },
  {
    title: 'Look at the retry',
    missing: items => (retried(items).length > 0 ? undefined : NO_RETRY),
    async open(items, load) {
      const item = longestOf(retried(items))
      const hop = mostRetried(outlineTrace(await load(item.traceId)))
      return {
        route: traceRoute(item.traceId, hop.spanId),
        text: `${pairOf(hop)} took ${hop.attempts} attempts and ${formatDuration(hop.duration)}. The row has them one after the other: the failed one is time that was paid for and thrown away.`,
      }
    },
  },
  {
    title: 'Did retries make it worse?',
    missing: items => {
      if (retried(items).length < 5) return 'Waiting for five traces with a retry.'
      return items.length - retried(items).length < 5 ? 'Waiting for five traces without one.' : undefined
    },
    async open() {
      return {
        route: { ...COMPARE, a: '-attempt>1', b: 'attempt>1' },
        text: 'A: traces without a retry, B: traces with one, way by way. More attempts are more work for whom they call; where an interval lies right of zero, that is felt, where it holds zero, it may be chance.',
      }
    },
  },
]
