import type { IncomingHttpHeaders } from 'node:http'

/** What the service copies from a request it received to the requests it makes because of it. */
export type Forward = 'all' | 'none' | 'request-id'

/**
 * What an application has to copy so that the calls it makes stay in the trace of the call it serves. The proxies do the
 * rest: copied unchanged, the ids are the parent of the span that the outbound sidecar makes.
 */
const TRACE_CONTEXT = [
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'b3',
  'traceparent',
  'tracestate',
  'x-ot-span-context',
  'x-client-trace-id',
  'x-envoy-force-trace',
]
const REQUEST_ID = 'x-request-id'

const NAMES: Record<Forward, readonly string[]> = {
  all: [REQUEST_ID, ...TRACE_CONTEXT],
  none: [],
  'request-id': [REQUEST_ID],
}

/** The headers of `incoming` to send on. */
export function forwardHeaders(incoming: IncomingHttpHeaders, forward: Forward): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of NAMES[forward]) {
    const value = incoming[name]
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

/** In this many milliseconds from now Envoy, or whoever called it, gives up. */
export const DEADLINE_HEADER = 'x-envoy-expected-rq-timeout-ms'

/** The deadline for calls made `elapsed` ms after the request came; at least 1 ms, which is Envoy's word for "over". */
export function remainingDeadline(incoming: IncomingHttpHeaders, elapsed: number): Record<string, string> {
  const value = incoming[DEADLINE_HEADER]
  if (typeof value !== 'string' || !/^\d+$/.test(value)) return {}
  return { [DEADLINE_HEADER]: String(Math.max(1, Number(value) - Math.ceil(elapsed))) }
}
