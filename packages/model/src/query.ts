import type { Microseconds, Milliseconds, Span } from './span.ts'
import { lowTraceId } from './trace-id.ts'
import { trimBlanks } from './trim-blanks.ts'

/** A search for traces, as `GET /api/v2/traces` takes it. Absent criteria do not restrict. */
export interface QueryRequest {
  /** Lower case. Only spans of this local service are looked at. */
  serviceName?: string
  /** Lower case. */
  remoteServiceName?: string
  /** Lower case. */
  spanName?: string
  /** All terms must hold: key → the tag's value, or `''`: a tag of that key, or an annotation of that value. */
  annotationQuery?: ReadonlyMap<string, string>
  minDuration?: Microseconds
  /** Only with minDuration. */
  maxDuration?: Microseconds
  /** The window's end, inclusive; epoch ms. */
  endTs: Milliseconds
  /** The window's length. */
  lookback: Milliseconds
  /** How many traces at most, newest first. */
  limit: number
}

/** What holds where a query does not say. */
export type QueryDefaults = Pick<QueryRequest, 'endTs' | 'lookback' | 'limit'>

/** What URLSearchParams and Map have in common. Of a parameter that stands twice, the first must be the one returned. */
export interface QueryParameters {
  get(name: string): string | null | undefined
}

/** A query that makes no sense. `message` is zipkin-server's body, `status` its HTTP status. */
export class QueryError extends Error {
  override readonly name = 'QueryError'
  readonly code = 'bad_query'
  readonly status = 400
}

const INTEGER = /^[+-]?\d+$/
const INT32_MAX = 2n ** 31n - 1n
const INT64_MAX = 2n ** 63n - 1n
const MAX_TERMS = 100

/** Reads and checks the parameters in zipkin-server's order and with its texts. Throws {@link QueryError}. */
export function parseQuery(parameters: QueryParameters, defaults: QueryDefaults): QueryRequest {
  if (parameters.get('limit') === '') throw new QueryError('Cannot set null to primitive type parameter: limit')
  const minDuration = parseLong(parameters, 'minDuration')
  const maxDuration = parseLong(parameters, 'maxDuration')
  const endTs = parseLong(parameters, 'endTs') ?? defaults.endTs
  const lookback = parseLong(parameters, 'lookback') ?? defaults.lookback
  const limit = parseInteger(parameters, 'limit', INT32_MAX) ?? defaults.limit
  const annotationQuery = parseAnnotationQuery(parameters.get('annotationQuery') ?? '')

  if (endTs <= 0) throw new QueryError('endTs <= 0')
  if (limit <= 0) throw new QueryError('limit <= 0')
  if (lookback <= 0) throw new QueryError('lookback <= 0')
  if (minDuration !== undefined) {
    if (minDuration <= 0) throw new QueryError('minDuration <= 0')
    if (maxDuration !== undefined && maxDuration < minDuration) throw new QueryError('maxDuration < minDuration')
  } else if (maxDuration !== undefined) throw new QueryError('maxDuration is only valid with minDuration')

  const request: QueryRequest = { endTs, lookback, limit }
  const serviceName = parseName(parameters, 'serviceName')
  const remoteServiceName = parseName(parameters, 'remoteServiceName')
  const spanName = parseName(parameters, 'spanName')
  if (serviceName) request.serviceName = serviceName
  if (remoteServiceName) request.remoteServiceName = remoteServiceName
  if (spanName && spanName !== 'all') request.spanName = spanName
  if (annotationQuery.size > 0) request.annotationQuery = annotationQuery
  if (minDuration !== undefined) request.minDuration = minDuration
  if (maxDuration !== undefined) request.maxDuration = maxDuration
  return request
}

/**
 * `error and http.path=/foo` → `error` → `''`, `http.path` → `/foo`. The words are split at ` and ` exactly, each at its
 * first `=`, both sides trimmed; a word without value never replaces one with. Blank words are no condition, where
 * zipkin-server finds nothing.
 */
export function parseAnnotationQuery(text: string): Map<string, string> {
  const terms = new Map<string, string>()
  for (const word of splitTerms(text)) {
    const equals = word.indexOf('=')
    const key = trimBlanks(equals === -1 ? word : word.slice(0, equals))
    if (key === '') continue
    if (equals !== -1) terms.set(key, trimBlanks(word.slice(equals + 1)))
    else if (!terms.has(key)) terms.set(key, '')
  }
  return terms
}

/** At most 100 terms; what follows belongs to the last. */
function splitTerms(text: string): string[] {
  const words = text.split(' and ')
  if (words.length <= MAX_TERMS) return words
  return [...words.slice(0, MAX_TERMS - 1), words.slice(MAX_TERMS - 1).join(' and ')]
}

function parseName(parameters: QueryParameters, name: string): string {
  return (parameters.get(name) ?? '').toLowerCase()
}

function parseLong(parameters: QueryParameters, name: string): number | undefined {
  return parseInteger(parameters, name, INT64_MAX)
}

function parseInteger(parameters: QueryParameters, name: string, max: bigint): number | undefined {
  const text = parameters.get(name)
  if (text === null || text === undefined || text === '') return undefined
  if (!INTEGER.test(text)) throw new QueryError(`For input string: "${text}"`)
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  if (value > max || value < -max - 1n) throw new QueryError(`For input string: "${text}"`)
  return Number(value)
}

/**
 * Whether a whole trace (one strict or lenient group) answers the request: the oracle of every store. Each criterion
 * must be met by some span of the searched service, not necessarily by the same one.
 */
export function matches(request: QueryRequest, trace: readonly Span[]): boolean {
  if (!isInWindow(request, trace)) return false
  const { serviceName, remoteServiceName, spanName, annotationQuery, minDuration, maxDuration } = request
  const spans =
    serviceName === undefined ? trace : trace.filter(span => span.localEndpoint?.serviceName === serviceName)
  if (spans.length === 0) return false
  if (remoteServiceName !== undefined && !spans.some(s => s.remoteEndpoint?.serviceName === remoteServiceName)) {
    return false
  }
  if (spanName !== undefined && !spans.some(span => span.name === spanName)) return false
  if (minDuration !== undefined) {
    const max = maxDuration ?? Number.POSITIVE_INFINITY
    if (!spans.some(({ duration = 0 }) => duration >= minDuration && duration <= max)) return false
  }
  for (const [key, value] of annotationQuery ?? []) {
    if (!spans.some(span => satisfiesTerm(span, key, value))) return false
  }
  return true
}

function satisfiesTerm(span: Span, key: string, value: string): boolean {
  const tag = span.tags !== undefined && Object.hasOwn(span.tags, key) ? span.tags[key] : undefined
  if (value !== '') return tag === value
  return tag !== undefined || (span.annotations?.some(annotation => annotation.value === key) ?? false)
}

/**
 * The trace's time (of its first parentless span that has one, else the earliest) lies in the window, inclusive, and so
 * does, in whole ms, the time of some span.
 */
function isInWindow({ endTs, lookback }: QueryRequest, trace: readonly Span[]): boolean {
  const timestamp = traceTimestamp(trace)
  if (timestamp === undefined) return false
  if (timestamp < (endTs - lookback) * 1000 || timestamp > endTs * 1000) return false
  return newestInWindow({ endTs, lookback }, trace) !== undefined
}

/** Of the first parentless span that has a time, else the earliest of any; undefined when no span has one. */
export function traceTimestamp(trace: readonly Span[]): Microseconds | undefined {
  let earliest: Microseconds | undefined
  for (const { parentId, timestamp } of trace) {
    if (timestamp === undefined) continue
    if (parentId === undefined) return timestamp
    if (earliest === undefined || timestamp < earliest) earliest = timestamp
  }
  return earliest
}

/** The latest time of a span within the window, in whole ms: what search results are ordered by. */
export function newestInWindow(
  { endTs, lookback }: Pick<QueryRequest, 'endTs' | 'lookback'>,
  trace: readonly Span[],
): Milliseconds | undefined {
  let newest: Milliseconds | undefined
  for (const { timestamp } of trace) {
    if (timestamp === undefined) continue
    const ms = Math.floor(timestamp / 1000)
    if (ms >= endTs - lookback && ms <= endTs && (newest === undefined || ms > newest)) newest = ms
  }
  return newest
}

/**
 * Sorts traces as search returns them: newest first by {@link newestInWindow}, ties by low trace id, descending.
 *
 *     traces.filter(trace => matches(request, trace)).sort(compareForSearch(request)).slice(0, request.limit)
 */
export function compareForSearch(
  request: Pick<QueryRequest, 'endTs' | 'lookback'>,
): (a: readonly Span[], b: readonly Span[]) => number {
  return (a, b) => {
    const byTime = (newestInWindow(request, b) ?? 0) - (newestInWindow(request, a) ?? 0)
    if (byTime !== 0) return byTime
    const idA = lowTraceId(a[0]?.traceId ?? '')
    const idB = lowTraceId(b[0]?.traceId ?? '')
    return idA < idB ? 1 : idA > idB ? -1 : 0
  }
}
