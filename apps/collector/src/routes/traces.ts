import { normaliseTraceId, parseQuery, type Span } from '@hopscope/model'
import { encodeJsonV2 } from '@hopscope/model/formats'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config.ts'
import { type Context, queryOf } from '../context.ts'
import { HttpError } from '../http-error.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/** More ids than this are a mistake, or a way to keep the store busy. */
const MAX_TRACE_IDS = 1000

/** GET traces, trace/ID, traceMany. */
export function traceRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  app.get(`${prefix}/traces`, async (request, reply) => {
    const query = parseQuery(queryOf(request), { endTs: Date.now(), lookback: config.lookback, limit: 10 })
    return sendJson(reply, encodeTraces(atMost(config, await store.getTraces(query, queryDeadline(config)))))
  })

  app.get<{ Params: { traceId: string } }>(`${prefix}/trace/:traceId`, async (request, reply) => {
    if (request.params.traceId === '') return reply.callNotFound()
    const traceId = normaliseTraceId(request.params.traceId.trim())
    const spans = await store.getTrace(traceId, queryDeadline(config))
    if (spans.length === 0) throw new HttpError(404, `${traceId} not found`)
    if (spans.length > config.maxResultSpans) {
      throw new HttpError(
        413,
        `${traceId} has ${spans.length} spans; HOPSCOPE_MAX_RESULT_SPANS allows ${config.maxResultSpans}`,
      )
    }
    return sendJson(reply, encodeJsonV2(spans))
  })

  app.get(`${prefix}/traceMany`, async (request, reply) => {
    const traceIds = parseTraceIds(queryOf(request).get('traceIds'))
    return sendJson(reply, encodeTraces(atMost(config, await store.getTracesByIds(traceIds, queryDeadline(config)))))
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

/** An answer that nobody could read is not written; its text would be many times as large as the spans. */
function atMost({ maxResultSpans }: Config, traces: Span[][]): Span[][] {
  let count = 0
  for (const trace of traces) count += trace.length
  if (count <= maxResultSpans) return traces
  throw new HttpError(
    413,
    `${traces.length} traces have ${count} spans; HOPSCOPE_MAX_RESULT_SPANS allows ${maxResultSpans}: ask for fewer traces`,
  )
}

function encodeTraces(traces: Span[][]): string {
  return `[${traces.map(trace => encodeJsonV2(trace)).join(',')}]`
}
