import type { Microseconds } from '../span.ts'
import { KIND, MISSING, type SpanTable, TRAIT } from './span-table.ts'

/** Where each span of a table stands. */
export interface Placement {
  /** Spans in reading order: each, then all below it, siblings by time. Every span exactly once. */
  order: Int32Array
  /** The span above; -1 at the top. */
  parent: Int32Array
  /** Children of span i: `children[childAt[i]]` to `childAt[i + 1]`, by time. */
  childAt: Int32Array
  children: Int32Array
  tops: readonly number[]
  /** 1: had no way to the root, since its parents form a circle or its id is taken twice; it is shown at the top. */
  isCut: Uint8Array
}

/**
 * Finds each span's place by the rules of `buildTree` (zipkin `SpanNode.Builder`): the server's half of a shared span
 * below the client's, what the server did itself below the server's, the first parentless span is the root, what is left
 * hangs below it. Nothing recurses, and nothing is lost: a circle is cut at its earliest span.
 */
export function placeSpans(table: SpanTable): Placement {
  const { count } = table
  const parent = findParents(table)
  const lists = listChildren(table, parent)
  const order = new Int32Array(count)
  const isPlaced = new Uint8Array(count)
  const isCut = new Uint8Array(count)
  const tops: number[] = []
  const stack: number[] = []
  let length = 0
  const placeAll = (top: number) => {
    tops.push(top)
    stack.push(top)
    while (stack.length > 0) {
      const span = stack.pop()!
      isPlaced[span] = 1
      order[length++] = span
      for (let i = lists.childAt[span + 1]! - 1; i >= lists.childAt[span]!; i--) {
        if (isPlaced[lists.children[i]!] === 0) stack.push(lists.children[i]!)
      }
    }
  }
  for (const top of lists.tops) placeAll(top)
  if (length < count) {
    const left: number[] = []
    for (let span = 0; span < count; span++) if (isPlaced[span] === 0) left.push(span)
    left.sort((a, b) => byTime(table, a, b))
    for (const span of left) {
      if (isPlaced[span] === 1) continue
      isCut[span] = 1
      parent[span] = -1
      placeAll(span)
    }
  }
  const { childAt, children } =
    length === count && tops.length === lists.tops.length ? lists : listChildren(table, parent)
  return { order, parent, childAt, children, tops, isCut }
}

function findParents(table: SpanTable): Int32Array {
  const { count, id, endpoint, traits, start } = table
  /** By id: the span of its own, and the first of the servers' halves; `next` leads to the others. */
  const own = new Int32Array(table.ids.length).fill(-1)
  const half = new Int32Array(table.ids.length).fill(-1)
  const next = new Int32Array(count).fill(-1)
  for (let span = count - 1; span >= 0; span--) {
    if (traits[span]! & (TRAIT.shared | TRAIT.repeat)) {
      next[span] = half[id[span]!]!
      half[id[span]!] = span
    } else if (own[id[span]!] === -1) own[id[span]!] = span
  }
  let root = -1
  for (let span = 0; span < count; span++) {
    if (table.parent[span] !== -1 || traits[span]! & (TRAIT.shared | TRAIT.repeat)) continue
    if (root < 0 || table.ids[id[span]!]! < table.ids[id[root]!]!) root = span
  }
  const parent = new Int32Array(count)
  for (let span = 0; span < count; span++) {
    let above = -1
    if (traits[span]! & (TRAIT.shared | TRAIT.repeat)) above = own[id[span]!]!
    else if (own[id[span]!] !== span) above = span
    else if (table.parent[span]! >= 0) above = serverHalf(span) ?? own[table.parent[span]!]!
    parent[span] = span === root ? -1 : above >= 0 ? above : root
  }
  if (root < 0) nestSharedTops(table, parent)
  return parent

  /** Of several attempts under one id, the one that was under way. */
  function serverHalf(span: number): number | undefined {
    let found: number | undefined
    for (let i = half[table.parent[span]!]!; i >= 0; i = next[i]!) {
      if (endpoint[i] !== endpoint[span]) continue
      if (found === undefined || start[i]! <= start[span]!) found = i
    }
    return found
  }
}

/**
 * An unproxied caller forwards its own id, so its callee's shared span has the same id and no client's half: two heads
 * with one id. The one that began first is the caller.
 */
function nestSharedTops({ count, id, service, traits, start, ids }: SpanTable, parent: Int32Array): void {
  const first = new Int32Array(ids.length).fill(-1)
  for (let span = 0; span < count; span++) {
    if (parent[span] !== -1) continue
    const other = first[id[span]!]!
    if (other < 0 || start[span]! < start[other]!) first[id[span]!] = span
  }
  for (let span = 0; span < count; span++) {
    const outer = first[id[span]!]!
    if (parent[span] !== -1 || outer < 0 || outer === span) continue
    if (traits[outer]! & traits[span]! & TRAIT.shared && service[outer] !== service[span]) parent[span] = outer
  }
}

/** Children by parent, in two counting passes. A span that is its own parent (its id is taken twice) is in no list. */
function listChildren(table: SpanTable, parent: Int32Array) {
  const { count } = table
  const childAt = new Int32Array(count + 2)
  const tops: number[] = []
  for (let span = 0; span < count; span++) {
    const above = parent[span]!
    if (above < 0) tops.push(span)
    else if (above !== span) childAt[above + 2]!++
  }
  for (let i = 2; i < childAt.length; i++) childAt[i]! += childAt[i - 1]!
  const children = new Int32Array(childAt[count + 1]!)
  for (let span = 0; span < count; span++) {
    const above = parent[span]!
    if (above >= 0 && above !== span) children[childAt[above + 1]!++] = span
  }
  const compare = (a: number, b: number) => byTime(table, a, b)
  for (let span = 0; span < count; span++) {
    const from = childAt[span]!
    const to = childAt[span + 1]!
    for (let i = from + 1; i < to; i++) {
      if (compare(children[i - 1]!, children[i]!) <= 0) continue
      children.subarray(from, to).sort(compare)
      break
    }
  }
  tops.sort(compare)
  return { childAt, children, tops }
}

/** Untimed first, then by start, then as a merge has them. */
function byTime({ start, id, ids }: SpanTable, a: number, b: number): number {
  const difference = (start[a]! || 0) - (start[b]! || 0)
  if (difference !== 0) return difference
  if (id[a] === id[b]) return a - b
  return ids[id[a]!]! < ids[id[b]!]! ? -1 : 1
}

/**
 * What clock correction adds to each span's start, µs: servers that seem to begin before their client are moved into the
 * client's span, with all that hangs below on the same host. The rules are those of `correctClockSkew`.
 */
export function findShifts(table: SpanTable, { order, parent, tops, isCut }: Placement): Float64Array {
  const { count, kind, endpoint, start, duration } = table
  const shifts = new Float64Array(count)
  const top = tops[0]
  if (top === undefined || table.parent[top] !== -1 || table.traits[top]! & TRAIT.shared) return shifts
  for (let span = 0; span < count; span++) {
    // More than one real root: nothing says which clock is right.
    const isRoot = table.parent[span] === -1 && !(table.traits[span]! & TRAIT.shared)
    if (isRoot && span !== top && isCut[span] === 0) return shifts
  }
  /** The host whose clock was found off above a span, by its endpoint, and by how much. */
  const host = new Int32Array(count).fill(-1)
  const hostShift = new Float64Array(count)
  const isOnHost = (span: number, other: number) => {
    const mine = endpoint[span]!
    if (mine < 0 || other < 0) return false
    const ipv4 = table.ipv4OfEndpoint[mine]!
    const ipv6 = table.ipv6OfEndpoint[mine]!
    return (ipv4 >= 0 && ipv4 === table.ipv4OfEndpoint[other]) || (ipv6 >= 0 && ipv6 === table.ipv6OfEndpoint[other])
  }
  for (const span of order) {
    const above = parent[span]!
    if (above < 0) continue
    let shift = 0
    host[span] = host[above]!
    hostShift[span] = hostShift[above]!
    if (isOnHost(span, host[span]!)) shift = hostShift[span]!
    const found = skew(above, span, shift)
    if (found !== 0) {
      host[span] = endpoint[span]!
      hostShift[span] = shift + found
      if (isOnHost(span, endpoint[span]!)) shift += found
    }
    shifts[span] = shift
  }
  return shifts

  function skew(client: number, server: number, shift: Microseconds): Microseconds {
    if (kind[client] !== KIND.client || kind[server] !== KIND.server) return 0
    if (endpoint[client]! < 0 || endpoint[server]! < 0 || isOnHost(client, endpoint[server]!)) return 0
    const early = start[client]! + shifts[client]! - start[server]! - shift
    if (Number.isNaN(early) || early < 0) return 0
    // One µs more than the difference, so that the server begins behind its client.
    if (!(duration[client]! >= duration[server]!)) return early + 1
    return early + Math.trunc((duration[client]! - duration[server]!) / 2)
  }
}

export function isOrphan({ parent, traits }: SpanTable, span: number): boolean {
  return parent[span] === MISSING && !(traits[span]! & TRAIT.shared)
}
