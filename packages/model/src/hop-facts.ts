import { type Hop, hopsFromTrace } from './hop.ts'
import { matches } from './query.ts'
import type { Span } from './span.ts'
import { type HopCriteria, queryRequestOf, type TypedQuery } from './typed-query.ts'

/** What a list of traces says of the calls in one. */
export interface HopFacts {
  hops: number
  /** Attempts beyond the first of each call. */
  retries: number
  /** Calls of which some attempt ran out of time. */
  timeouts: number
  /** Calls whose callee sent no span. */
  untraced: number
}

/** Sums over the hops of a trace; ambiguous ones count as none. */
export function countHops(hops: readonly Hop[]): HopFacts {
  const facts: HopFacts = { hops: 0, retries: 0, timeouts: 0, untraced: 0 }
  for (const hop of hops) {
    if (hop.form === 'ambiguous') continue
    facts.hops++
    facts.retries += attemptCount(hop) - 1
    if (isTimedOut(hop)) facts.timeouts++
    if (hop.form === 'phantom') facts.untraced++
  }
  return facts
}

/** Whether one call among them meets all the conditions. */
export function matchesHop(criteria: HopCriteria, hops: readonly Hop[]): boolean {
  return hops.some(hop => {
    if (hop.form === 'ambiguous') return false
    if (criteria.caller !== undefined && hop.caller !== criteria.caller) return false
    if (criteria.callee !== undefined && hop.callee !== criteria.callee) return false
    const attempts = attemptCount(hop)
    if (attempts < (criteria.minAttempts ?? 0) || attempts > (criteria.maxAttempts ?? Infinity)) return false
    if (criteria.timeout && !isTimedOut(hop)) return false
    return !criteria.untraced || hop.form === 'phantom'
  })
}

const ALWAYS = { endTs: Number.MAX_SAFE_INTEGER, lookback: Number.MAX_SAFE_INTEGER, limit: 1 }

/** Whether a trace of any time meets the query: the oracle of whoever answers one. */
export function matchesTypedQuery(query: TypedQuery, spans: readonly Span[]): boolean {
  if (!matches(queryRequestOf(query, ALWAYS), spans)) return false
  const isOfCalls = query.hop !== undefined || query.not?.some(({ hop }) => hop !== undefined)
  const hops = isOfCalls ? hopsFromTrace(spans) : []
  if (query.hop && !matchesHop(query.hop, hops)) return false
  return !query.not?.some(not => (not.hop ? matchesHop(not.hop, hops) : matches(queryRequestOf(not, ALWAYS), spans)))
}

/** Whether a store's answer has to be looked at once more: calls and negations are not for it. */
export function isAfterthought({ hop, not }: TypedQuery): boolean {
  return hop !== undefined || not !== undefined
}

/** Attempts seen as spans, else what the proxy that makes one span for all of them says: Envoy's tag `retry.count`. */
export function attemptCount(hop: Hop): number {
  const seen = Math.max(1, hop.attempts.length)
  if (seen > 1) return seen
  const told = Math.max(...hop.spans.map(span => Number(span.tags?.['retry.count'] ?? 0)), 0)
  return Number.isFinite(told) ? 1 + told : 1
}

/** By Envoy's response flags: UT, upstream request timeout, and SI, stream idle timeout; or by the status that says it. */
export function isTimedOut(hop: Hop): boolean {
  return hop.spans.some(isTimeout)
}

function isTimeout({ tags }: Span): boolean {
  if (!tags) return false
  const flags = tags.response_flags?.split(',') ?? []
  if (flags.includes('UT') || flags.includes('SI')) return true
  return tags['http.status_code'] === '504' || tags['grpc.status_code'] === '4' || tags.error === 'timeout'
}
