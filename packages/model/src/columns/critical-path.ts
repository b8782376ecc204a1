import type { Microseconds } from '../span.ts'
import type { Placement } from './place-spans.ts'
import { endOf, type SpanTable } from './span-table.ts'

/**
 * Which span had the word at each moment of the root's time, going back from its end: the child that ended last, until it
 * began, then the child that ended last before that. The segments are in order of time and sum to the root's duration.
 *
 *     root    0────────────────100         root 90..100, b 40..90, root 30..40, a 10..30, root 0..10
 *       a        10──30
 *       b                40──90
 */
export interface CriticalPath {
  count: number
  span: Int32Array
  from: Float64Array
  to: Float64Array
}

/** A child may be off by so much, µs, and still be part of its parent: two clocks, or one that was read twice. */
const CLOCK_ERROR = 1_000

/** `shifts`: what clock correction adds to each start. Times are µs since the epoch. A stack instead of recursion. */
export function findCriticalPath(table: SpanTable, placement: Placement, shifts: Float64Array): CriticalPath {
  const spans: number[] = []
  const from: Microseconds[] = []
  const to: Microseconds[] = []
  const put = (span: number, begin: number, end: number) => {
    if (!(end > begin)) return
    spans.push(span)
    from.push(begin)
    to.push(end)
  }
  const startOf = (span: number) => table.start[span]! + shifts[span]!
  const root = placement.tops.find(top => !Number.isNaN(table.start[top]! + table.duration[top]!))
  if (root !== undefined) {
    const byEnd = childrenByEnd(table, placement, shifts)
    /** A span, the part of its time that is looked at, and the next of its children, latest first. */
    const stack: { span: number; begin: number; until: number; next: number }[] = []
    const enter = (span: number, begin: number, until: number) =>
      stack.push({ span, begin, until, next: placement.childAt[span]! })
    enter(root, startOf(root), startOf(root) + table.duration[root]!)
    while (stack.length > 0) {
      const step = stack[stack.length - 1]!
      const { span, begin } = step
      let child = -1
      let from = 0
      let end = 0
      for (; child < 0 && step.next < placement.childAt[span + 1]!; step.next++) {
        const candidate = byEnd[step.next]!
        from = startOf(candidate)
        end = endOf(table, candidate) + shifts[candidate]!
        // What outlives the span, or is still under way when the word has passed on, is not waited for.
        if (!(end <= step.until + CLOCK_ERROR && from >= begin - CLOCK_ERROR)) continue
        from = Math.max(from, begin)
        end = Math.min(end, step.until)
        if (end > from) child = candidate
      }
      if (child < 0) {
        put(span, begin, step.until)
        stack.pop()
        continue
      }
      put(span, end, step.until)
      step.until = from
      enter(child, from, end)
    }
  }
  // Found from the end to the beginning.
  return {
    count: spans.length,
    span: Int32Array.from(spans.reverse()),
    from: Float64Array.from(from.reverse()),
    to: Float64Array.from(to.reverse()),
  }
}

/** The children of each span, in the same places as in the placement, latest end first. */
function childrenByEnd(table: SpanTable, { childAt, children }: Placement, shifts: Float64Array): Int32Array {
  const byEnd = children.slice()
  const end = (span: number) => (endOf(table, span) || 0) + shifts[span]!
  for (let span = 0; span < table.count; span++) {
    const from = childAt[span]!
    const to = childAt[span + 1]!
    if (to - from > 1) byEnd.subarray(from, to).sort((a, b) => end(b) - end(a))
  }
  return byEnd
}
