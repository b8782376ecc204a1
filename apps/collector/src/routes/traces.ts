import { normaliseTraceId, parseQuery, type Span, trimBlanks } from '@hopscope/model'
import { encodeJsonV2 } from '@hopscope/model/formats'
import { TooManySpansError } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { HttpError } from '../http-error.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/** More ids than this are a mistake, or a way to keep the store busy. */
const MAX_TRACE_IDS = 1000

/** GET traces, trace/ID, traceMany. */
export function traceRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  const { maxResultSpans } = config
  app.get(`${prefix}/traces`, async (request, reply) => {
    const query = parseQuery(queryOf(request), { endTs: Date.now(), lookback: config.lookback, limit: 10 })
    const traces = await store.getTraces(query, queryDeadline(config), maxResultSpans)
    return sendJson(reply, encodeTraces(atMost(maxResultSpans, traces)))
  })

  app.get<{ Params: { traceId: string } }>(`${prefix}/trace/:traceId`, async (request, reply) => {
    if (request.params.traceId === '') return reply.callNotFound()
    const traceId = normaliseTraceId(trimBlanks(request.params.traceId))
    const spans = await store.getTrace(traceId, queryDeadline(config), maxResultSpans)
    if (spans.length === 0) throw new HttpError(404, `${traceId} not found`)
    return sendJson(reply, encodeJsonV2(atMost(maxResultSpans, [spans])[0]!))
  })

  app.get(`${prefix}/traceMany`, async (request, reply) => {
    const traceIds = parseTraceIds(queryOf(request).get('traceIds'))
    const traces = await store.getTracesByIds(traceIds, queryDeadline(config), maxResultSpans)
    return sendJson(reply, encodeTraces(atMost(maxResultSpans, traces)))
  })
}

function parseTraceIds(list: string | null): string[] {
  if (list === null) throw new HttpError(400, 'Mandatory parameter/header/attribute is missing: traceIds')
  if (list === '') throw new HttpError(400, 'traceIds parameter is empty')
  const traceIds = new Set<string>()
  for (const text of list.split(',')) {
    const traceId = normaliseTraceId(text)
    if (traceIds.has(traceId)) throw new HttpError(400, `redundant traceId: ${text}`)
    traceIds.add(traceId)
    if (traceIds.size > MAX_TRACE_IDS) throw new HttpError(400, `traceIds has more than ${MAX_TRACE_IDS} ids`)
  }
  if (traceIds.size === 1) throw new HttpError(400, 'Use /api/v2/trace/{traceId} endpoint to retrieve a single trace')
  return [...traceIds]
}

/** For stores that read all before anybody counts: the text of an answer would be many times as large as its spans. */
function atMost(maxSpans: number, traces: Span[][]): Span[][] {
  let count = 0
  for (const trace of traces) count += trace.length
  if (count > maxSpans) throw new TooManySpansError(maxSpans)
  return traces
}

function encodeTraces(traces: Span[][]): string {
  return `[${traces.map(trace => encodeJsonV2(trace)).join(',')}]`
}
