import type { FastifyReply } from 'fastify'

/** JSON text under the content type of zipkin-server's API, which names no charset. */
export function sendJson(reply: FastifyReply, json: string): FastifyReply {
  return reply.header('content-type', 'application/json').send(Buffer.from(json))
}

export function sendPrettyJson(
  reply: FastifyReply,
  document: object,
  contentType = 'application/json; charset=utf-8',
): FastifyReply {
  return reply.header('content-type', contentType).send(prettyJson(document))
}

/** Two spaces, and a blank before each colon, as zipkin-server prints documents that people read. */
export function prettyJson(document: object): string {
  return JSON.stringify(document, null, 2).replace(/^(\s*"(?:[^"\\]|\\.)*"):/gm, '$1 :')
}
