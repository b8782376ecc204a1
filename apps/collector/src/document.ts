import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Answers with a body that does not change while the collector runs, or 304 to whoever has it. */
export function createDocument(
  body: string,
  contentType: string,
  lastModified: Date,
  cacheControl?: string,
): (request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 16)}"`
  return (request, reply) => {
    reply.header('etag', etag).header('last-modified', lastModified.toUTCString())
    if (cacheControl !== undefined) reply.header('cache-control', cacheControl)
    const known = request.headers['if-none-match']
    if (known?.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag)) return reply.code(304).send()
    return reply.header('content-type', contentType).send(body)
  }
}
