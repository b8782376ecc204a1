import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

/** Smaller bodies are sent as they are (zipkin-server's threshold). */
const MIN_BYTES = 2048
const COMPRESSIBLE = /^(application\/json|application\/javascript|text\/javascript|text\/css|text\/html|image\/svg)/

const deflate = promisify(gzip)

/** Answers gzip to those who ask; off the event loop. Streams (the viewer's files) pass as they are. */
export function installCompression(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload: unknown) => {
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return payload
    const type = String(reply.getHeader('content-type') ?? '')
    if (payload.length < MIN_BYTES || !COMPRESSIBLE.test(type)) return payload
    if (!acceptsGzip(request.headers['accept-encoding'])) return payload
    // Level 1: traces shrink ten times at it, and a search answer is sent once.
    const body = await deflate(payload, { level: constants.Z_BEST_SPEED })
    reply.header('vary', [reply.getHeader('vary'), 'accept-encoding'].filter(Boolean).join(', '))
    reply.header('content-encoding', 'gzip').header('content-length', body.length)
    return body
  })
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some(item => /^\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/.test(item))
}
