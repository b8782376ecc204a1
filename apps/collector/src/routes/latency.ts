import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { type LatencySubject, measureLatency } from '../latency.ts'
import { OwnApiError } from '../own-api-error.ts'
import { positive } from '../parameters.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

const DEFAULT_BUCKETS = 30
const MAX_BUCKETS = 200

/**
 * GET latency?serviceName=[&spanName=] or ?hop=CALLER->CALLEE, with endTs=, lookback= (ms) and buckets=: percentiles (µs),
 * of the whole window and of equal parts of it.
 */
export function latencyRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  app.get(`${prefix}/latency`, async (request, reply) => {
    const parameters = queryOf(request)
    const subject = subjectOf(parameters)
    const window = {
      endTs: positive(parameters, 'endTs', Date.now()),
      lookback: positive(parameters, 'lookback', config.lookback),
      buckets: Math.min(MAX_BUCKETS, positive(parameters, 'buckets', DEFAULT_BUCKETS)),
    }
    return sendJson(reply, JSON.stringify(await measureLatency(store, subject, window, queryDeadline(config))))
  })
}

function subjectOf(parameters: URLSearchParams): LatencySubject {
  const hop = parameters.get('hop')?.toLowerCase()
  if (hop) {
    const [, caller, callee] = /^(.+?)->(.+)$/.exec(hop) ?? []
    if (caller && callee) return { caller, callee }
    throw new OwnApiError('bad_parameter', `Expected CALLER->CALLEE, got ${hop.slice(0, 100)}`, 'hop')
  }
  const service = parameters.get('serviceName')?.toLowerCase()
  if (!service)
    throw new OwnApiError('bad_parameter', 'Expected a serviceName, or a hop: CALLER->CALLEE', 'serviceName')
  const span = parameters.get('spanName')?.toLowerCase()
  return span ? { service, span } : { service }
}
