import type { Microseconds } from '../span.ts'
import type { Placement } from './place-spans.ts'
import { endOf, type SpanTable } from './span-table.ts'

/**
 * What the whole gains from a faster span: as many µs as the span is faster by, up to `most`. Then something else is waited
 * for: `heldBy`, which goes on at the same time; -1 when nobody waits for the span at all.
 */
export interface WhatIf {
  most: Microseconds
  heldBy: number
  /** The topmost span above, whose duration gains. */
  top: number
}

/** A child may outlive its parent by so much, µs, and still have been waited for. */
const CLOCK_ERROR = 1_000

/**
 * Lets a span take no time at all, and everything behind it come forward: a span begins as long after the last of its
 * siblings that had ended before as it did, and ends as long after the last of its children. So calls at the same time
 * stay so, and pauses keep their length (CRISP's what-if, with retries and back-off as siblings like any other).
 *
 *     root  0────────────────100     b takes nothing: d comes forward to where c ends, and root with it:
 *       b     10────────60           most 20, heldBy c
 *       c     10────40
 *       d                60──90
 */
export function whatIfFaster(table: SpanTable, placement: Placement, shifts: Float64Array, span: number): WhatIf {
  const startOf = (of: number) => table.start[of]! + shifts[of]!
  const doneAt = (of: number) => endOf(table, of) + shifts[of]!
  let gain = table.duration[span]! || 0
  let heldBy = -1
  let changed = span
  for (let above = placement.parent[span]!; above >= 0; above = placement.parent[changed]!) {
    const siblings = placement.children.subarray(placement.childAt[above]!, placement.childAt[above + 1]!)
    const { gained, holder } = gainOfParent(siblings, changed, gain, doneAt(above) + CLOCK_ERROR, startOf, doneAt)
    if (gained < gain) heldBy = holder
    gain = gained
    changed = above
  }
  return { most: gain, heldBy: gain > 0 || heldBy >= 0 ? heldBy : -1, top: changed }
}

/** How much sooner a parent ends when one of its children takes `gain` less, and which child it waits for then. */
function gainOfParent(
  siblings: Int32Array,
  changed: number,
  gain: Microseconds,
  until: Microseconds,
  startOf: (span: number) => Microseconds,
  doneAt: (span: number) => Microseconds,
): { gained: Microseconds; holder: number } {
  const known = siblings.filter(child => !Number.isNaN(startOf(child)) && !Number.isNaN(doneAt(child)))
  const byStart = known.toSorted((a, b) => startOf(a) - startOf(b) || a - b)
  const byEnd = known.toSorted((a, b) => doneAt(a) - doneAt(b) || a - b)
  /** By child that is behind the changed one: how much sooner it ends. Who is not in it, not at all. */
  const sooner = new Map<number, Microseconds>([[changed, gain]])
  /** By child behind it: what keeps it from coming further forward. */
  const keptBy = new Map<number, number>()
  let last = -1
  let lastEnd = Number.NEGATIVE_INFINITY
  const take = (child: number) => {
    const end = doneAt(child) - (sooner.get(child) ?? 0)
    if (end < lastEnd) return
    last = child
    lastEnd = end
  }
  let next = 0
  let before = Number.NEGATIVE_INFINITY
  for (const child of byStart) {
    for (; next < byEnd.length && doneAt(byEnd[next]!) <= startOf(child); next++) {
      before = doneAt(byEnd[next]!)
      take(byEnd[next]!)
    }
    // Not behind it: nothing of this is felt there.
    if (child === changed || doneAt(changed) > startOf(child)) continue
    const forward = before - lastEnd
    sooner.set(child, forward)
    if (forward < gain) keptBy.set(child, sooner.has(last) ? (keptBy.get(last) ?? last) : last)
  }
  for (; next < byEnd.length && doneAt(byEnd[next]!) <= until; next++) {
    before = doneAt(byEnd[next]!)
    take(byEnd[next]!)
  }
  if (last < 0) return { gained: 0, holder: -1 }
  return { gained: Math.max(0, before - lastEnd), holder: sooner.has(last) ? (keptBy.get(last) ?? -1) : last }
}
