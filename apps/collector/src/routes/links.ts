import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { withStatistics } from '../link-statistics.ts'
import { positive } from '../parameters.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/** Percentiles hardly move beyond. */
const SAMPLE = 300

/**
 * GET links?endTs=&lookback=: `{links, sampled}`: Zipkin's dependency links, with the percentiles and the tries of the
 * calls in the newest `sampled` traces.
 */
export function linkRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  app.get(`${prefix}/links`, async (request, reply) => {
    const parameters = queryOf(request)
    const endTs = positive(parameters, 'endTs', Date.now())
    const lookback = positive(parameters, 'lookback', config.lookback)
    const signal = queryDeadline(config)
    const links = await store.getDependencies(endTs, lookback, signal)
    const traces = links.length === 0 ? [] : await store.getTraces({ endTs, lookback, limit: SAMPLE }, signal)
    const document = { links: await withStatistics(links, traces, signal), sampled: traces.length }
    return sendJson(reply, JSON.stringify(document))
  })
}
