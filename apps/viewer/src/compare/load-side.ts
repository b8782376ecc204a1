import type { ApiError } from '../api/get-json.ts'
import { fetchTrace, fetchTracesById } from '../api/queries.ts'
import { searchTraces } from '../api/search.ts'
import type { TimeRange } from '../shared/time-range.ts'
import { isTraceId } from './compare-url.ts'
import { outlineTrace, type TraceOutline } from './hop-outline.ts'

/** One side of a comparison: a trace, or what a query finds. */
export type Side = { kind: 'trace'; trace: TraceOutline } | { kind: 'cohort'; traces: TraceOutline[]; isCut: boolean }

/** Medians do not move any more; the newest are the ones compared. */
export const MAX_COHORT = 150
/** Traces fetched and outlined in one go: a task stays short enough not to be felt. */
const AT_ONCE = 25
const SETTLED_AFTER = 2_000

export async function loadSide(text: string, time: TimeRange, signal: AbortSignal): Promise<Side> {
  const wanted = text.trim()
  if (isTraceId(wanted)) {
    return { kind: 'trace', trace: outlineTrace(await fetchTrace(wanted.toLowerCase(), signal)) }
  }
  const ids = await findIds(wanted, settled(time), signal)
  const traces: TraceOutline[] = []
  for (let i = 0; i < ids.length; i += AT_ONCE) {
    for (const spans of await fetchTracesById(ids.slice(i, i + AT_ONCE), signal)) traces.push(outlineTrace(spans))
  }
  return { kind: 'cohort', traces, isCut: ids.length >= MAX_COHORT }
}

async function findIds(query: string, time: TimeRange, signal: AbortSignal): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const { items, next } = await searchTraces(query, time, cursor, signal)
    ids.push(...items.map(({ traceId }) => traceId))
    cursor = next
  } while (cursor !== undefined && ids.length < MAX_COHORT)
  return ids.slice(0, MAX_COHORT)
}

/** Traces of this moment may still grow: half a trace is faster than a whole one. */
function settled(time: TimeRange): TimeRange {
  return time.kind === 'last' && time.endTs === undefined ? { ...time, endTs: Date.now() - SETTLED_AFTER } : time
}

/** A side in words, when it could not be loaded. */
export function failureOf(text: string, error: Pick<ApiError, 'status' | 'message'>): string {
  return error.status === 404 ? `The collector has no span of ${text}.` : error.message
}
