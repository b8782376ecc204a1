import type { Microseconds } from '@hopscope/model'
import { type OutlinedHop, pairOf, type TraceOutline } from './hop-outline.ts'

/** A call of both traces, or of one of them. */
export interface AlignedHop {
  depth: number
  a?: OutlinedHop
  b?: OutlinedHop
  /** b's duration less a's; what is missing counts as zero. */
  delta: Microseconds
  /** The same of the time that is the call's own. */
  ownDelta: Microseconds
}

/**
 * Two traces, call by call, in reading order:
 *
 *     a            b              edge→shop            both
 *     edge→shop    edge→shop        shop→price /1      both
 *       price /1     price /2       shop→price         a's /3 beside b's /2: what is left over pairs in order
 *       price /3     price /1       shop→stock         only in b
 *                    stock
 *
 * Below calls that belong together, those of the same two services belong together, first of all those that ask the same.
 */
export function alignTraces(a: TraceOutline, b: TraceOutline): AlignedHop[] {
  const aligned: AlignedHop[] = []
  const stack = pairUp(a.heads, b.heads, 0).reverse()
  for (let row = stack.pop(); row; row = stack.pop()) {
    aligned.push(row)
    for (const below of pairUp(row.a?.children ?? [], row.b?.children ?? [], row.depth + 1).reverse()) stack.push(below)
  }
  return aligned
}

/** The row with the largest difference of its own, in the direction of the whole; undefined when nothing differs. */
export function culpritOf(rows: readonly AlignedHop[], total: Microseconds): AlignedHop | undefined {
  const sign = Math.sign(total)
  let culprit: AlignedHop | undefined
  for (const row of rows) {
    if (row.ownDelta * sign > (culprit ? culprit.ownDelta * sign : 0)) culprit = row
  }
  return culprit
}

/** Whether a reader who wants only differences wants to see it: in structure, or by 1 ms and a tenth. */
export function isChanged({ a, b, delta }: AlignedHop): boolean {
  if (!a || !b) return true
  if (a.attempts !== b.attempts || a.isFailed !== b.isFailed || a.isUntraced !== b.isUntraced) return true
  return Math.abs(delta) >= 1_000 && Math.abs(delta) >= 0.1 * Math.max(a.duration, b.duration)
}

function pairUp(as: readonly OutlinedHop[], bs: readonly OutlinedHop[], depth: number): AlignedHop[] {
  const partner = new Map<OutlinedHop, OutlinedHop>()
  const taken = new Set<OutlinedHop>()
  for (const key of [(hop: OutlinedHop) => `${pairOf(hop)} ${hop.request}`, pairOf]) {
    const waiting = new Map<string, OutlinedHop[]>()
    for (const hop of bs) {
      if (taken.has(hop)) continue
      const list = waiting.get(key(hop))
      if (list) list.push(hop)
      else waiting.set(key(hop), [hop])
    }
    for (const list of waiting.values()) list.reverse()
    for (const hop of as) {
      const other = partner.has(hop) ? undefined : waiting.get(key(hop))?.pop()
      if (!other) continue
      partner.set(hop, other)
      taken.add(other)
    }
  }
  const rows = as.map(hop => rowOf(depth, hop, partner.get(hop)))
  for (const hop of bs) if (!taken.has(hop)) rows.push(rowOf(depth, undefined, hop))
  return rows.sort((x, y) => (x.a ?? x.b)!.start - (y.a ?? y.b)!.start)
}

function rowOf(depth: number, a: OutlinedHop | undefined, b: OutlinedHop | undefined): AlignedHop {
  return {
    depth,
    ...(a ? { a } : {}),
    ...(b ? { b } : {}),
    delta: (b?.duration ?? 0) - (a?.duration ?? 0),
    ownDelta: (b?.own ?? 0) - (a?.own ?? 0),
  }
}
