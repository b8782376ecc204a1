import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { reportLinks } from '../link-statistics.ts'
import { positive } from '../parameters.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/**
 * GET links?endTs=&lookback=: `{links, sampled, traces}`: Zipkin's dependency links, with the percentiles and the tries of the
 * calls in `sampled` of the `traces` of the window.
 */
export function linkRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  app.get(`${prefix}/links`, async (request, reply) => {
    const parameters = queryOf(request)
    const endTs = positive(parameters, 'endTs', Date.now())
    const lookback = positive(parameters, 'lookback', config.lookback)
    return sendJson(reply, JSON.stringify(await reportLinks(store, endTs, lookback, queryDeadline(config))))
  })
}
