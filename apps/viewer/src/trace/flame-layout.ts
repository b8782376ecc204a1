import type { RowColumns } from './columns.ts'

/** Blocks beside which a parallel one is looked for; more than this many at once are drawn over one another. */
const MAX_SHELVES = 64

/**
 * The line of each row in a flame graph. Work below a row is on the lines below it; what runs at the same time as an
 * earlier sibling, with all that is below that one, goes below it too:
 *
 *     a ──────────────────     0
 *     b ─────── d ────         1
 *     c ──                     2
 *         e ───────            3     began while b was at work
 */
export function flameLines({ count, parent, start, duration, subtreeEnd }: RowColumns): {
  line: Int32Array
  lines: number
} {
  const height = new Int32Array(count).fill(1)
  const end = new Float64Array(count)
  const offset = new Int32Array(count)
  for (let row = 0; row < count; row++) end[row] = start[row]! + duration[row]!
  // Backwards: when a row is met, all below it are laid out.
  for (let row = count - 1; row >= 0; row--) {
    const shelves: { until: number; top: number; bottom: number }[] = []
    let bottom = 0
    for (let child = row + 1; child < subtreeEnd[row]!; child = subtreeEnd[child]!) {
      offset[child] = place(shelves, start[child]!, end[child]!, height[child]!)
      bottom = Math.max(bottom, offset[child]! + height[child]!)
      end[row] = Math.max(end[row]!, end[child]!)
    }
    height[row] = 1 + bottom
  }
  const line = new Int32Array(count)
  const tops: { until: number; top: number; bottom: number }[] = []
  let lines = 0
  for (let row = 0; row < count; row++) {
    const above = parent[row]!
    line[row] = above >= 0 ? line[above]! + 1 + offset[row]! : place(tops, start[row]!, end[row]!, height[row]!)
    lines = Math.max(lines, line[row]! + 1)
  }
  return { line, lines }
}

/** The first line with room for a block; siblings come in order of time. */
function place(
  shelves: { until: number; top: number; bottom: number }[],
  from: number,
  until: number,
  height: number,
): number {
  let kept = 0
  for (const shelf of shelves) if (shelf.until > from) shelves[kept++] = shelf
  shelves.length = kept
  let top = 0
  for (let i = 0; i < shelves.length; i++) {
    const { top: other, bottom } = shelves[i]!
    if (other < top + height && bottom > top) {
      top = bottom
      i = -1
    }
  }
  if (shelves.length < MAX_SHELVES) shelves.push({ until, top, bottom: top + height })
  return top
}

/** The row at a line and a time, the one that is on top; -1 for none. */
export function rowAt(
  { count, start, duration }: RowColumns,
  line: Int32Array,
  at: number,
  time: number,
  slack: number,
) {
  let found = -1
  for (let row = 0; row < count; row++) {
    if (line[row] !== at || start[row]! - slack > time) continue
    if (start[row]! + duration[row]! + slack >= time) found = row
  }
  return found
}
