import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { HttpError } from '../http-error.ts'
import { requireParameter } from '../parameters.ts'
import { queryDeadline } from '../query-deadline.ts'
import { sendJson } from '../send-json.ts'

/** GET autocompleteKeys, autocompleteValues: tags that a site chose to offer. */
export function autocompleteRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  const cached = `max-age=${config.namesMaxAge}, must-revalidate`
  const keys = JSON.stringify([...new Set(config.autocompleteKeys)].sort())

  app.get(`${prefix}/autocompleteKeys`, async (_request, reply) =>
    sendJson(reply.header('cache-control', cached), keys),
  )

  app.get(`${prefix}/autocompleteValues`, async (request, reply) => {
    const key = requireParameter(queryOf(request), 'key')
    if (key === '') throw new HttpError(400, 'key was empty')
    const values = await store.getAutocompleteValues(key, queryDeadline(config))
    if (values.length > 3) reply.header('cache-control', cached)
    return sendJson(reply, JSON.stringify(values))
  })
}
