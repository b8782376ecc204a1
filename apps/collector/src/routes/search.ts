import { listTrace, parseTypedQuery } from '@hopscope/model'
import type { FastifyInstance } from 'fastify'
import { type Context, queryOf } from '../context.ts'
import { OwnApiError } from '../own-api-error.ts'
import { positive } from '../parameters.ts'
import { queryDeadline } from '../query-deadline.ts'
import { parseCursor, searchPage } from '../search-page.ts'
import { sendJson } from '../send-json.ts'

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/**
 * GET search?q=&endTs=&lookback=&limit=&cursor=: `{traces, next?}`, newest first; `next` is the cursor of the page
 * behind. A page may have fewer traces than `limit`, even none, and yet a next one: few of many were like the query.
 */
export function searchRoutes(app: FastifyInstance, prefix: string, { config, store }: Context): void {
  app.get(`${prefix}/search`, async (request, reply) => {
    const parameters = queryOf(request)
    const { query, problems } = parseTypedQuery(parameters.get('q') ?? '')
    if (problems.length > 0) throw new OwnApiError('bad_query', problems.map(({ message }) => message).join(' '), 'q')
    const endTs = positive(parameters, 'endTs', Date.now())
    const lookback = positive(parameters, 'lookback', config.lookback)
    const limit = Math.min(MAX_LIMIT, positive(parameters, 'limit', DEFAULT_LIMIT))
    const text = parameters.get('cursor')
    const cursor = text ? parseCursor(text) : { endTs, lookback, at: endTs, seen: [] }
    if (!cursor) {
      throw new OwnApiError(
        'bad_cursor',
        `Expected the cursor of an answer before, got ${text!.slice(0, 100)}`,
        'cursor',
      )
    }
    const page = await searchPage(store, query, cursor, limit, queryDeadline(config))
    return sendJson(reply, JSON.stringify({ traces: page.traces.map(listTrace), next: page.next }))
  })
}
