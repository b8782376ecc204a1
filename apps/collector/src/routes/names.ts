import type { FastifyInstance, FastifyReply } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { requireParameter } from '../parameters.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/** Lists this long do not change much any more: clients may keep them. (zipkin-server) */
const CACHED_FROM = 4

/** GET services, spans, remoteServices: the drop-down lists. */
export function nameRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  // zipkin-server decides by its last /services reply for all three.
  let serviceCount = 0
  const send = (reply: FastifyReply, names: string[]): FastifyReply => {
    if (serviceCount >= CACHED_FROM) reply.header('cache-control', `max-age=${config.namesMaxAge}, must-revalidate`)
    return sendJson(reply, JSON.stringify(names))
  }

  app.get(`${prefix}/services`, async (_request, reply) => {
    const names = await store.getServiceNames(queryDeadline(config))
    serviceCount = names.length
    return send(reply, names)
  })

  app.get(`${prefix}/spans`, async (request, reply) => {
    const service = requireParameter(queryOf(request), 'serviceName').toLowerCase()
    return send(reply, await store.getSpanNames(service, queryDeadline(config)))
  })

  app.get(`${prefix}/remoteServices`, async (request, reply) => {
    const service = requireParameter(queryOf(request), 'serviceName').toLowerCase()
    return send(reply, await store.getRemoteServiceNames(service, queryDeadline(config)))
  })
}
