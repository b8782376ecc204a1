import { type Hop, hopsFromTrace } from './hop.ts'
import type { Microseconds, Span } from './span.ts'

/**
 * A call that began a trace of its own although it seems to belong to another: the application took a request and did not
 * pass its headers on. An inference, never a fact.
 */
export interface Continuation {
  /** The call, first of its trace. */
  call: Span
  callee: string | undefined
  /** What it seems to belong to: the request as its service got it. */
  arrival: Span
  service: string
  /** 0 to 1. */
  confidence: number
  /** What speaks for it, in words for the user. */
  because: string[]
}

/** On one clock; but a span's start is read before or after what it is about. */
const TOLERANCE: Microseconds = 1_000
/** Timing alone is never sure. */
const MOST_BY_TIME = 0.95
/** The same request id on both sides: somebody copied that header, and not the others. */
const BY_REQUEST_ID = 0.99
/** An arrival that has its call to that service already is a poor home for a second one. */
const HAS_ITS_OWN = 0.3
const LEAST = 0.1

interface Arrival {
  span: Span
  service: string
  callees: ReadonlySet<string>
}

/**
 * Traces among `others` that seem to go on where `trace` broke off, the surest first. A call without a parent, made by the
 * sidecar of a service while this trace's request was under way there, is a candidate; each other request that was under
 * way there at that moment makes it less likely. So `others` should be all traces that this service had a part in then.
 *
 *     shop's arrival    0───────────────────100        95 %: nothing else was under way
 *       lost call            20────60
 */
export function findContinuations(trace: readonly Span[], others: readonly (readonly Span[])[]): Continuation[] {
  const mine = arrivalsOf(trace)
  if (mine.length === 0) return []
  const strangers = others.filter(other => other[0]?.traceId !== trace[0]?.traceId)
  const all = [...mine, ...strangers.flatMap(arrivalsOf)]
  const found: Continuation[] = []
  for (const other of strangers) {
    for (const hop of hopsFromTrace(other)) {
      const best = hop.parent || !isHead(hop) ? undefined : bestArrival(hop, mine, all)
      if (best && best.confidence >= LEAST) found.push(best)
    }
  }
  return found.sort((a, b) => b.confidence - a.confidence)
}

/**
 * Services whose other traces of that moment are worth a look: the one that began this trace though it may have had a
 * request itself, then those that were called and called nobody, where it may have broken off.
 */
export function looseEnds(trace: readonly Span[]): string[] {
  const hops = hopsFromTrace(trace)
  const services = new Set<string>()
  for (const hop of hops) if (!hop.parent && isHead(hop)) services.add(hop.caller!)
  for (const { form, attempts, callee, children } of hops) {
    const isLeaf = form !== 'ambiguous' && children.length === 0 && attempts.some(({ server }) => server)
    if (isLeaf && callee !== undefined) services.add(callee)
  }
  return [...services]
}

function isHead({ form, call, caller }: Hop): boolean {
  return form !== 'ambiguous' && caller !== undefined && call !== undefined && call.parentId === undefined
}

function bestArrival(hop: Hop, mine: readonly Arrival[], all: readonly Arrival[]): Continuation | undefined {
  const call = hop.call!
  const service = hop.caller!
  const rivals = all.filter(arrival => arrival.service === service && isUnderWay(arrival.span, call))
  const requestId = call.tags?.['guid:x-request-id']
  const named =
    requestId === undefined ? [] : rivals.filter(({ span }) => span.tags?.['guid:x-request-id'] === requestId)
  const candidates = named.length > 0 ? named : rivals
  const weight = ({ callees }: Arrival) => (hop.callee !== undefined && callees.has(hop.callee) ? HAS_ITS_OWN : 1)
  const sum = candidates.reduce((total, arrival) => total + weight(arrival), 0)
  let best: Continuation | undefined
  for (const arrival of candidates) {
    if (!mine.includes(arrival)) continue
    const outlives = endOf(call) > endOf(arrival.span) + TOLERANCE
    const confidence =
      ((named.length > 0 ? BY_REQUEST_ID : MOST_BY_TIME) * weight(arrival) * (outlives ? 0.5 : 1)) / sum
    if (best && best.confidence >= confidence) continue
    best = {
      call,
      callee: hop.callee,
      arrival: arrival.span,
      service,
      confidence,
      because: evidence(call, arrival, rivals.length, named.length > 0, outlives),
    }
  }
  return best
}

function evidence(
  call: Span,
  { span, service }: Arrival,
  rivals: number,
  isNamed: boolean,
  outlives: boolean,
): string[] {
  const ip = call.localEndpoint?.ipv4 ?? call.localEndpoint?.ipv6
  const because = [ip === undefined ? `the same service, ${service}` : `the same sidecar, ${service} at ${ip}`]
  if (isNamed) because.push('the same x-request-id')
  because.push(outlives ? `began while ${service} had the request, ended after it` : `while ${service} had the request`)
  because.push(rivals === 1 ? 'no other request was under way there' : `one of ${rivals} requests under way there`)
  if (span.tags?.['guid:x-request-id'] !== undefined && !isNamed && call.tags?.['guid:x-request-id'] !== undefined) {
    because.push('x-request-id was not passed on')
  }
  return because
}

function isUnderWay(arrival: Span, call: Span): boolean {
  if (arrival.timestamp === undefined || call.timestamp === undefined) return false
  if (!isSameHost(arrival, call)) return false
  return call.timestamp >= arrival.timestamp - TOLERANCE && call.timestamp <= endOf(arrival) + TOLERANCE
}

/** Where both say where they are. */
function isSameHost({ localEndpoint: a }: Span, { localEndpoint: b }: Span): boolean {
  if (a?.ipv4 !== undefined && b?.ipv4 !== undefined) return a.ipv4 === b.ipv4
  if (a?.ipv6 !== undefined && b?.ipv6 !== undefined) return a.ipv6 === b.ipv6
  return true
}

function endOf({ timestamp = 0, duration = 0 }: Span): Microseconds {
  return timestamp + duration
}

function arrivalsOf(trace: readonly Span[]): Arrival[] {
  const arrivals: Arrival[] = []
  for (const hop of hopsFromTrace(trace)) {
    if (hop.form === 'ambiguous' || hop.callee === undefined) continue
    const callees = new Set(hop.children.flatMap(({ callee }) => (callee === undefined ? [] : [callee])))
    for (const { server } of hop.attempts) {
      if (server) arrivals.push({ span: server, service: hop.callee, callees })
    }
  }
  return arrivals
}
