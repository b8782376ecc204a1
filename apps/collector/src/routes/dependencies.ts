import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { HttpError } from '../http-error.ts'
import { int64, requireParameter } from '../parameters.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/** GET dependencies: who calls whom. */
export function dependencyRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  app.get(`${prefix}/dependencies`, async (request, reply) => {
    const query = queryOf(request)
    const given = requireParameter(query, 'endTs')
    if (given === '') throw new HttpError(400, 'Cannot set null to primitive type parameter: endTs')
    const endTs = int64(given)
    const lookback = int64(query.get('lookback') || String(config.lookback))
    if (endTs <= 0) throw new HttpError(400, 'endTs <= 0')
    if (lookback <= 0) throw new HttpError(400, 'lookback <= 0')
    const links = await store.getDependencies(endTs, lookback, queryDeadline(config))
    return sendJson(reply, JSON.stringify(links))
  })
}
