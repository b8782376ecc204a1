import { IdError, normaliseSpanId, normaliseTraceId, type Span, trimBlanks } from '@hopscope/model'
import { COLUMNS_CONTENT_TYPE, encodeColumns, tableSpans } from '@hopscope/model/columns'
import { encodeJsonV2 } from '@hopscope/model/formats'
import { TooManySpansError } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { OwnApiError } from '../own-api-error.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/**
 * GET trace/ID/columns: the trace without tags and annotations, as `encodeColumns` writes it; GET trace/ID/spans/SPANID:
 * the rest of one span, `[span, …]` in Zipkin's JSON, in the order in which the columns have them: both halves of a
 * shared span have one id, duplicates are merged.
 */
export function traceColumnRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  app.get<{ Params: { traceId: string } }>(`${prefix}/trace/:traceId/columns`, async (request, reply) => {
    const spans = await spansOf(request.params.traceId)
    const bytes = encodeColumns(tableSpans(spans), spans[0]!.traceId, spans.length)
    return reply.header('content-type', COLUMNS_CONTENT_TYPE).send(Buffer.from(bytes.buffer))
  })

  app.get<{ Params: { traceId: string; spanId: string } }>(
    `${prefix}/trace/:traceId/spans/:spanId`,
    async (request, reply) => {
      const id = normalised('spanId', request.params.spanId, normaliseSpanId)
      const spans = (await spansOf(request.params.traceId)).filter(span => span.id === id)
      if (spans.length === 0) throw notFound(`Trace ${request.params.traceId} has no span ${id}`)
      return sendJson(reply, encodeJsonV2(tableSpans(spans).spans))
    },
  )

  async function spansOf(text: string): Promise<Span[]> {
    const traceId = normalised('traceId', text, normaliseTraceId)
    const { maxResultSpans } = config
    const spans = await store.getTrace(traceId, queryDeadline(config), maxResultSpans)
    if (spans.length === 0) throw notFound(`No trace ${traceId}`)
    if (spans.length > maxResultSpans) throw new TooManySpansError(maxResultSpans)
    return spans
  }
}

function notFound(message: string): OwnApiError {
  return new OwnApiError('not_found', message, undefined, 404)
}

function normalised(name: string, text: string, normalise: (text: string) => string): string {
  try {
    return normalise(trimBlanks(text))
  } catch (error) {
    if (error instanceof IdError) throw new OwnApiError('bad_id', error.message, name)
    throw error
  }
}
