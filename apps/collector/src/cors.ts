import type { FastifyInstance } from 'fastify'

const ALLOW_HEADERS = 'content-type,x-grpc-web'
const EXPOSE_HEADERS = 'grpc-status,grpc-message,armeria.grpc.throwableproto-bin'

/** CORS as zipkin-server answers it: on every path and status, never with credentials. */
export function installCors(app: FastifyInstance, allowedOrigins: readonly string[]): void {
  const anyOrigin = allowedOrigins.includes('*')
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (origin === undefined) return
    const allowed = anyOrigin || allowedOrigins.includes(origin)
    const preflight = request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
    if (allowed) {
      reply.header('access-control-allow-origin', anyOrigin ? '*' : origin)
      reply.header('access-control-allow-headers', ALLOW_HEADERS)
      if (!anyOrigin) reply.header('vary', 'origin')
      if (preflight) reply.header('access-control-allow-methods', 'GET,POST').header('access-control-max-age', '0')
      else reply.header('access-control-expose-headers', EXPOSE_HEADERS)
    }
    if (preflight) await reply.code(200).send()
  })
}
