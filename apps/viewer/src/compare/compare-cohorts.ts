import type { Microseconds } from '@hopscope/model'
import { type OutlinedHop, pairOf, type TraceOutline } from './hop-outline.ts'
import { ascending, type Interval, medianDifference, quantile, shareLarger } from './statistics.ts'

/** All calls on one way through the mesh, of one cohort. The unit is the trace: calls in one are not independent. */
export interface PathSample {
  /** Traces that have a call on this way. */
  traces: number
  calls: number
  attempts: number
  failed: number
  /** A value a trace: the mean duration of its calls on this way. */
  durations: Microseconds[]
  median: Microseconds
  p95: Microseconds
}

export interface ComparedPath {
  /** Pairs of services from the entry on: `edge→shop`, `shop→price`. */
  path: readonly string[]
  caller: string
  callee: string
  a: PathSample
  b: PathSample
  /** Of the medians, b less a; absent when a side has fewer than five traces. */
  difference?: Interval
  /** How often a call of b takes longer than one of a. */
  slower?: number
}

export interface ComparedCohorts {
  /** Of whole traces. */
  total: ComparedPath
  /** Callers before whom they call, as they follow each other in most traces. */
  paths: ComparedPath[]
}

export type Verdict = 'slower' | 'faster' | 'same' | 'unknown'

/** The word for a difference: `same` where the interval holds zero. */
export function verdictOf({ difference }: Pick<ComparedPath, 'difference'>): Verdict {
  if (!difference) return 'unknown'
  if (difference.low > 0) return 'slower'
  return difference.high < 0 ? 'faster' : 'same'
}

/** Two sets of traces, path by path. */
export function compareCohorts(a: readonly TraceOutline[], b: readonly TraceOutline[]): ComparedCohorts {
  const gathered = new Map<string, Gathered>()
  gather(a, 'a', gathered)
  gather(b, 'b', gathered)
  const paths = [...gathered.values()].map(({ path, hop, a, b }) => compared(path, hop, a, b))
  const whole = (traces: readonly TraceOutline[]) => ({
    ...emptySide(),
    values: traces.map(({ duration }) => duration),
    calls: traces.length,
    attempts: traces.length,
  })
  return { total: compared([], { caller: '', callee: '' }, whole(a), whole(b)), paths: inPathOrder(paths) }
}

interface Side {
  values: number[]
  calls: number
  attempts: number
  failed: number
}

interface Gathered {
  path: string[]
  hop: Pick<OutlinedHop, 'caller' | 'callee'>
  a: Side
  b: Side
}

function emptySide(): Side {
  return { values: [], calls: 0, attempts: 0, failed: 0 }
}

function gather(traces: readonly TraceOutline[], side: 'a' | 'b', into: Map<string, Gathered>): void {
  for (const trace of traces) {
    const sums = new Map<Side, { sum: number; calls: number }>()
    const stack = trace.heads.map(hop => ({ hop, path: [pairOf(hop)] }))
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { hop, path } = next
      const key = path.join('\n')
      let entry = into.get(key)
      if (!entry) {
        entry = { path, hop, a: emptySide(), b: emptySide() }
        into.set(key, entry)
      }
      const own = entry[side]
      own.calls++
      own.attempts += hop.attempts
      if (hop.isFailed) own.failed++
      const sum = sums.get(own) ?? { sum: 0, calls: 0 }
      sum.sum += hop.duration
      sum.calls++
      sums.set(own, sum)
      // A circle of calls a hundred thousand deep has as many ways: a way ends where nobody would read on.
      if (path.length < 50) for (const child of hop.children) stack.push({ hop: child, path: [...path, pairOf(child)] })
    }
    for (const [own, { sum, calls }] of sums) own.values.push(sum / calls)
  }
}

function compared(path: readonly string[], hop: Gathered['hop'], a: Side, b: Side): ComparedPath {
  const difference = medianDifference(a.values, b.values)
  return {
    path,
    caller: hop.caller,
    callee: hop.callee,
    a: sampleOf(a),
    b: sampleOf(b),
    ...(difference ? { difference, slower: shareLarger(a.values, b.values) } : {}),
  }
}

function sampleOf({ values, ...counts }: Side): PathSample {
  const sorted = ascending(values)
  return {
    ...counts,
    traces: values.length,
    durations: values,
    median: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
  }
}

/** Each below its caller; siblings with more calls first. */
function inPathOrder(paths: readonly ComparedPath[]): ComparedPath[] {
  const below = new Map<string, ComparedPath[]>()
  for (const entry of paths) {
    const parent = entry.path.slice(0, -1).join('\n')
    below.set(parent, [...(below.get(parent) ?? []), entry])
  }
  const calls = ({ a, b }: ComparedPath) => a.calls + b.calls
  const ordered: ComparedPath[] = []
  const stack: ComparedPath[] = []
  const push = (parent: string) => {
    for (const entry of (below.get(parent) ?? []).sort((x, y) => calls(x) - calls(y))) stack.push(entry)
  }
  push('')
  for (let next = stack.pop(); next; next = stack.pop()) {
    ordered.push(next)
    push(next.path.join('\n'))
  }
  return ordered
}
