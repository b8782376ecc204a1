import type { ApiError } from '../api/get-json.ts'
import { fetchTrace, fetchTraces } from '../api/queries.ts'
import type { TimeRange } from '../shared/time-range.ts'
import { isTraceId } from './compare-url.ts'
import { outlineTrace, type TraceOutline } from './hop-outline.ts'

/** One side of a comparison: a trace, or what a query finds. */
export type Side = { kind: 'trace'; trace: TraceOutline } | { kind: 'cohort'; traces: TraceOutline[]; isCut: boolean }

/** Medians do not move any more; the newest are the ones compared. */
export const MAX_COHORT = 150
/** Traces outlined in one go: a task stays short enough not to be felt. */
const AT_ONCE = 25

export async function loadSide(text: string, time: TimeRange, signal: AbortSignal): Promise<Side> {
  const wanted = text.trim()
  if (isTraceId(wanted)) {
    return { kind: 'trace', trace: outlineTrace(await fetchTrace(wanted.toLowerCase(), signal)) }
  }
  const found = await fetchTraces(wanted, time, MAX_COHORT, signal)
  const traces: TraceOutline[] = []
  for (const [i, spans] of found.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) await new Promise(resolve => setTimeout(resolve))
    signal.throwIfAborted()
    traces.push(outlineTrace(spans))
  }
  return { kind: 'cohort', traces, isCut: found.length >= MAX_COHORT }
}

/** A side in words, when it could not be loaded. */
export function failureOf(text: string, error: Pick<ApiError, 'status' | 'message'>): string {
  return error.status === 404 ? `The collector has no span of ${text}.` : error.message
}
