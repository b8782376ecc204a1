import { apiUrl } from '../shared/navigation.ts'
import type { TraceColumns } from './columns.ts'
import { formatJoins, parseJoins } from './join-traces.ts'
import { TraceClient } from './trace-client.ts'
import type { TraceRoute } from './trace-url.ts'
import type { StoredTrace, TraceSource } from './worker-protocol.ts'

/** A trace that is on its way. */
export interface StartedTrace {
  client: TraceClient
  loaded: Promise<TraceColumns>
}

let started: { key: string; trace: StartedTrace } | undefined

/** Begins with the trace that the page will show, before there is a page: its worker starts while React does. */
export function startTrace({ traceId, joined }: TraceRoute): void {
  const joinKey = formatJoins(joined ?? [])
  const trace = startLoading(storedTrace(traceId, joinKey))
  // Who takes it is told when it fails.
  trace.loaded.catch(() => undefined)
  started = { key: keyOf(traceId, joinKey), trace }
}

/** The one that was begun, once, or one that begins now. */
export function takeStarted(traceId: string, joinKey: string): StartedTrace {
  const early = started
  started = undefined
  if (early?.key === keyOf(traceId, joinKey)) return early.trace
  early?.trace.client.close()
  return startLoading(storedTrace(traceId, joinKey))
}

export function startLoading(source: TraceSource): StartedTrace {
  const client = new TraceClient()
  return { client, loaded: client.load(source) }
}

export function rawTraceUrl(traceId: string): string {
  return apiUrl(`api/v2/trace/${encodeURIComponent(traceId)}`)
}

function storedTrace(traceId: string, joinKey: string): StoredTrace {
  return {
    url: rawTraceUrl(traceId),
    own: apiUrl(`api/hopscope/v1/trace/${encodeURIComponent(traceId)}`),
    joins: parseJoins(joinKey).map(join => ({ url: rawTraceUrl(join.traceId), parentId: join.parentId })),
  }
}

function keyOf(traceId: string, joinKey: string): string {
  return `${traceId} ${joinKey}`
}
