import { type Hop, hopsFromTrace, type Microseconds, type Span } from '@hopscope/model'
import { FLAG, type RowDraft } from './columns.ts'
import { hopSegments } from './hop-segments.ts'
import type { PlacedSpan } from './span-order.ts'
import { noteOf } from './span-rows.ts'

/** A row to be: a call, or a span of no call. */
interface Item {
  draft: RowDraft
  above: Item | undefined
  below: Item[]
}

/**
 * One row a call between services; spans that are part of no call, or that fit two readings, stay rows of their own
 * between them. `reason` says in words why spans were not folded; without `rows` there is no call at all.
 */
export function hopRows(
  reported: readonly Span[],
  placed: readonly PlacedSpan[],
  traceStart: Microseconds,
  spanDrafts: readonly RowDraft[],
): { rows?: RowDraft[]; reason?: string } {
  const all = hopsFromTrace(reported)
  const hops = all.filter(hop => hop.form !== 'ambiguous')
  const doubtful = all.filter(hop => hop.form === 'ambiguous')
  const why = doubtful[0]?.why
  const reason =
    doubtful.length === 0
      ? undefined
      : `${doubtful.length} ${doubtful.length === 1 ? 'call fits' : 'calls fit'} two readings: ${why ?? 'their direction is unknown'}.`
  if (hops.length === 0) return { reason: reason ?? 'No span of this trace is one side of a call.' }

  const indexOf = new Map<string, number>()
  for (const [index, { span }] of placed.entries()) if (!indexOf.has(keyOf(span))) indexOf.set(keyOf(span), index)
  const indicesOf = (hop: Hop) => [
    ...new Set(hop.spans.map(span => indexOf.get(keyOf(span))).filter(index => index !== undefined)),
  ]

  const items: Item[] = []
  const itemOfHop = new Map<Hop, Item>()
  const itemOfSpan = new Map<number, Item>()
  for (const hop of hops) {
    const indices = indicesOf(hop)
    const shiftOf = (span: Span | undefined) => (span && placed[indexOf.get(keyOf(span)) ?? -1]?.shift) ?? 0
    const item: Item = { draft: draftOf(hop, indices, traceStart, shiftOf), above: undefined, below: [] }
    items.push(item)
    itemOfHop.set(hop, item)
    for (const index of indices) if (!itemOfSpan.has(index)) itemOfSpan.set(index, item)
  }
  for (let index = 0; index < placed.length; index++) {
    if (itemOfSpan.has(index)) continue
    const item: Item = { draft: { ...spanDrafts[index]! }, above: undefined, below: [] }
    item.above = itemOfSpan.get(placed[index]!.parent)
    items.push(item)
    itemOfSpan.set(index, item)
  }
  for (const hop of hops) {
    const item = itemOfHop.get(hop)!
    const parent = placed[item.draft.spans[0] ?? -1]?.parent ?? -1
    // Below a call that could not be folded, or below local work.
    const above = (hop.parent && itemOfHop.get(hop.parent)) ?? itemOfSpan.get(parent)
    item.above = above === item ? undefined : above
  }
  return { rows: inReadingOrder(items), ...(reason === undefined ? {} : { reason }) }
}

/** Merging makes copies: a span is known by its id, its half and its service. */
function keyOf({ id, shared, localEndpoint }: Span): string {
  return `${id} ${shared ? 'shared' : ''} ${localEndpoint?.serviceName ?? ''}`
}

function draftOf(
  hop: Hop,
  spans: number[],
  traceStart: Microseconds,
  shiftOf: (span: Span | undefined) => Microseconds,
): RowDraft {
  const main = hop.call ?? hop.server ?? hop.spans[0]!
  const shift = shiftOf(main)
  const start = main.timestamp === undefined ? 0 : main.timestamp + shift - traceStart
  const duration = main.duration ?? 0
  const last = hop.attempts[hop.attempts.length - 1]
  const isFailed = [hop.call, last?.client, last?.server].some(span => span?.tags?.error !== undefined)
  let flags: number = FLAG.hop
  if (isFailed) flags |= FLAG.error
  if (hop.spans.some(span => shiftOf(span) !== 0)) flags |= FLAG.moved
  if (hop.form === 'phantom') flags |= FLAG.untraced
  if (hop.attempts.length > 1) flags |= FLAG.retried
  if (main.duration === undefined) flags |= FLAG.noDuration
  if (main.timestamp === undefined) flags |= FLAG.noTime
  const notes = [
    noteOf(main) ?? (hop.server && noteOf(hop.server)),
    hop.attempts.length > 1 ? `${hop.attempts.length} attempts` : undefined,
    hop.measurementErrors.length > 0 ? '±' : undefined,
  ].filter(note => note !== undefined)
  const callee = hop.callee ?? 'unknown'
  return {
    parent: -1,
    start,
    duration,
    shift,
    service: hop.caller ?? callee,
    name: requestOf(main) ?? main.name ?? hop.server?.name ?? 'unknown',
    ...(hop.caller === undefined ? {} : { peer: callee }),
    ...(notes.length > 0 ? { note: notes.join(' · ') } : {}),
    flags,
    segments: hopSegments(hop, traceStart, shiftOf),
    spans,
  }
}

/** `GET /cart?id=1`, where the span knows: says more than the name that a proxy gives. */
function requestOf(span: Span): string | undefined {
  const url = span.tags?.['http.url']
  if (url === undefined) return undefined
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '') || '/'
  return `${span.tags?.['http.method'] ?? ''} ${path}`.trim()
}

/** Parents before children, siblings by time; a stack instead of recursion. Writes each draft's parent. */
function inReadingOrder(items: readonly Item[]): RowDraft[] {
  const heads: Item[] = []
  for (const item of items) (item.above?.below ?? heads).push(item)
  const byStart = (a: Item, b: Item) => b.draft.start - a.draft.start
  const stack = heads.sort(byStart)
  const rows: RowDraft[] = []
  const rowOf = new Map<Item, number>()
  for (let item = stack.pop(); item; item = stack.pop()) {
    item.draft.parent = item.above ? rowOf.get(item.above)! : -1
    rowOf.set(item, rows.length)
    rows.push(item.draft)
    for (const child of item.below.sort(byStart)) stack.push(child)
  }
  return rows
}
