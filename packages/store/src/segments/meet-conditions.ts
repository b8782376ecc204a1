import type { Part } from './part.ts'
import type { Condition } from './terms.ts'
import type { TraceColumns } from './trace-columns.ts'

/**
 * Which traces of a part may be what is asked for: they have every term, or the first and lie in other parts, too, which may have the
 * others. undefined: none.
 */
export function meetConditions(
  part: Part,
  [first, ...others]: readonly Condition[],
  { duration }: Pick<TraceColumns, 'duration'>,
): ((trace: number) => boolean) | undefined {
  if (first === undefined) return () => true
  // How many conditions, in their order, each trace has met.
  const met = new Uint8Array(part.traceCount)
  if (meet(part, first, 0, met, duration) === 0) return undefined
  const begun = met.slice()
  for (const [i, condition] of others.entries()) meet(part, condition, i + 1, met, duration)
  const all = others.length + 1
  return trace => met[trace] === all || (begun[trace] === 1 && part.isShared(trace))
}

/** Counts condition number `i` for the traces that have met all before it; returns for how many. */
function meet(part: Part, { term, minCode }: Condition, i: number, met: Uint8Array, duration: Uint8Array): number {
  let count = 0
  if (term === undefined) {
    for (let trace = 0; trace < met.length; trace++) {
      if (met[trace] !== i || duration[trace]! < minCode) continue
      met[trace] = i + 1
      count++
    }
    return count
  }
  const postings = part.postings(term)
  if (postings === undefined) return 0
  const { traces, codes } = postings
  for (let at = 0; at < traces.length; at++) {
    const trace = traces[at]!
    if (met[trace] !== i || (codes !== undefined && codes[at]! < minCode)) continue
    met[trace] = i + 1
    count++
  }
  return count
}
