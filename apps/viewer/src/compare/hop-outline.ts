import {
  attemptCount,
  type Hop,
  type HopParts,
  hopsFromTrace,
  isTimedOut,
  type Microseconds,
  requestOf,
  type Span,
} from '@hopscope/model'

/** A call of a trace, as comparing needs it. */
export interface OutlinedHop {
  caller: string
  callee: string
  /** `GET /price/1`, else the span's name. */
  request: string
  /** From the start of the trace. */
  start: Microseconds
  duration: Microseconds
  /** Time in which none of the calls below it was under way. */
  own: Microseconds
  parts: HopParts
  attempts: number
  isFailed: boolean
  isTimedOut: boolean
  isUntraced: boolean
  /** Id of the span that stands for it in a link. */
  spanId: string
  children: OutlinedHop[]
}

export interface TraceOutline {
  traceId: string
  /** Epoch µs. */
  start: Microseconds
  duration: Microseconds
  heads: OutlinedHop[]
}

/** The calls of a trace as a tree, children in order of their start. */
export function outlineTrace(spans: readonly Span[]): TraceOutline {
  const hops = hopsFromTrace(spans).filter(hop => hop.form !== 'ambiguous')
  let start = Number.POSITIVE_INFINITY
  let end = 0
  for (const { timestamp, duration = 0 } of spans) {
    if (timestamp === undefined) continue
    start = Math.min(start, timestamp)
    end = Math.max(end, timestamp + duration)
  }
  if (start === Number.POSITIVE_INFINITY) start = 0
  const made = new Map<Hop, OutlinedHop>()
  const heads: OutlinedHop[] = []
  for (const hop of hops) made.set(hop, outlineHop(hop, start))
  for (const hop of hops) {
    const above = hop.parent && made.get(hop.parent)
    ;(above?.children ?? heads).push(made.get(hop)!)
  }
  const byStart = (a: OutlinedHop, b: OutlinedHop) => a.start - b.start
  heads.sort(byStart)
  for (const outlined of made.values()) {
    outlined.children.sort(byStart)
    outlined.own = ownTime(outlined)
  }
  return { traceId: spans[0]?.traceId ?? '', start, duration: Math.max(0, end - start), heads }
}

/** The name of a call, whatever it asks for: `shop→price`. */
export function pairOf({ caller, callee }: Pick<OutlinedHop, 'caller' | 'callee'>): string {
  return caller === '' ? callee : `${caller}→${callee}`
}

function outlineHop(hop: Hop, traceStart: Microseconds): OutlinedHop {
  const main = hop.call ?? hop.server ?? hop.spans[0]!
  const last = hop.attempts[hop.attempts.length - 1]
  return {
    caller: hop.caller ?? '',
    callee: hop.callee ?? 'unknown',
    request: requestOf(main) ?? main.name ?? hop.server?.name ?? 'unknown',
    start: (main.timestamp ?? traceStart) - traceStart,
    duration: main.duration ?? 0,
    own: 0,
    parts: hop.parts,
    attempts: attemptCount(hop),
    isFailed: [hop.call, last?.client, last?.server].some(span => span?.tags?.error !== undefined),
    isTimedOut: isTimedOut(hop),
    isUntraced: hop.form === 'phantom',
    spanId: main.id,
    children: [],
  }
}

/** Duration less the union of the children: parallel calls count once. They are in order of their start. */
function ownTime({ start, duration, children }: OutlinedHop): Microseconds {
  const end = start + duration
  let covered = 0
  let from = start
  for (const child of children) {
    const childFrom = Math.max(from, Math.min(child.start, end))
    const childTo = Math.min(child.start + child.duration, end)
    if (childTo <= childFrom) continue
    covered += childTo - childFrom
    from = childTo
  }
  return duration - covered
}
