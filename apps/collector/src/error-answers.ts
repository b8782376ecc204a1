import { IdError, QueryError } from '@hopscope/model'
import { DecodeError } from '@hopscope/model/formats'
import { StoreError, TooManySpansError } from '@hopscope/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from './config.ts'
import type { Context } from './context.ts'
import { HttpError } from './http-error.ts'
import { OwnApiError } from './own-api-error.ts'
import { INVALID_PATH, isValidTarget } from './request-target.ts'
import { sendMissingPage } from './routes/viewer.ts'

const OWN_API = /^(\/zipkin)?\/api\/hopscope\//

/** The store tries again each second what it could not write. */
const RETRY_AFTER_SECONDS = '1'

export interface Answer {
  status: number
  text: string
}

/** Every failure becomes an answer here and nowhere else; undefined: nobody expected it. */
function answerFor(error: unknown): Answer | undefined {
  if (error instanceof HttpError) return { status: error.status, text: error.message }
  if (error instanceof DecodeError) return { status: 400, text: error.message }
  if (error instanceof IdError) return { status: 400, text: error.message }
  if (error instanceof QueryError) return { status: 400, text: error.message }
  if (error instanceof TooManySpansError) return { status: 413, text: tooManySpans(error) }
  // Full disk, file taken away: a reporter that retries later may succeed.
  if (error instanceof StoreError) return { status: 503, text: error.message }
  const { code, name, statusCode, message } = error as Error & { code?: string; statusCode?: number }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return { status: 413, text: '413 Request Entity Too Large' }
  // zipkin-server's words for a query that took longer than QUERY_TIMEOUT.
  if (name === 'TimeoutError') return { status: 500, text: 'RequestTimeoutException' }
  // Fastify's own: a body that does not have the length it announced, and such.
  if (statusCode !== undefined && statusCode < 500) return { status: statusCode, text: message }
  return undefined
}

const tooManySpans = ({ maxSpans }: TooManySpansError): string =>
  `The answer has more than ${maxSpans} spans; HOPSCOPE_MAX_RESULT_SPANS allows ${maxSpans}: ask for less`

/** What Zipkin's API says in zipkin-server's words, our own says in its form. */
function ownError(error: unknown, { queryTimeout }: Config): unknown {
  if (error instanceof TooManySpansError) return new OwnApiError('too_large', tooManySpans(error), undefined, 413)
  if ((error as Error).name !== 'TimeoutError') return error
  return new OwnApiError('timeout', `The query took longer than QUERY_TIMEOUT, ${queryTimeout} ms`, undefined, 503)
}

/** So much more than is allowed is read and thrown away; nobody waits for what is far more, or has no end in sight. */
const MAX_DISCARDED_BYTES = 64 * 1024 * 1024

/** A sender who is hung up on in the middle of its body never sees the answer that says why. */
function endLargeBody({ headers, raw }: FastifyRequest, reply: FastifyReply): void {
  if (Number(headers['content-length']) > MAX_DISCARDED_BYTES) {
    reply.header('connection', 'close')
    return
  }
  reply.removeHeader('connection')
  let discarded = 0
  raw.on('data', (chunk: Buffer) => {
    discarded += chunk.length
    if (discarded > MAX_DISCARDED_BYTES) raw.destroy()
  })
  raw.resume()
}

export function answerErrors(app: FastifyInstance, context: Context): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = OWN_API.test(request.url) ? ownError(thrown, context.config) : thrown
    let answer = answerFor(error)
    if (answer === undefined || error instanceof StoreError) {
      context.warn(`${request.method} ${request.routeOptions.url ?? request.url}: ${(error as Error).message}`)
    }
    answer ??= { status: 500, text: (error as Error).message || (error as Error).name }
    if (error instanceof OwnApiError) {
      const { code, message, path } = error
      return reply.code(error.status).type('application/json').send(JSON.stringify({ code, message, path }))
    }
    if (answer.status === 413) endLargeBody(request, reply)
    if (answer.status === 503) reply.header('retry-after', '1')
    if (error instanceof StoreError) reply.header('retry-after', RETRY_AFTER_SECONDS)
    return reply.code(answer.status).type('text/plain; charset=utf-8').send(answer.text)
  })

  app.addHook('onRequest', async request => {
    if (!isValidTarget(request.url)) throw new HttpError(400, INVALID_PATH)
  })

  app.setNotFoundHandler((request, reply) => {
    reply.type('text/plain; charset=utf-8')
    const path = request.url.split('?')[0]!
    const reading = request.method === 'GET' || request.method === 'HEAD'
    if (request.method === 'TRACE' || (!reading && path.startsWith('/zipkin/'))) {
      return reply.code(405).send('405 Method Not Allowed')
    }
    if (reading && sendMissingPage(request, reply, context)) return reply
    return reply.code(404).send('404 Not Found')
  })
}
