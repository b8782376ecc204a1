import type { FastifyInstance } from 'fastify'

/**
 * `GET /health`: the service is there, what it has served, and how many callers went away before their answer
 * (`client_gone`), which is how a step sees that a proxy's timeout reached the application.
 */
export function addHealth(http: FastifyInstance, name: string): void {
  const served = { requests: 0, active: 0, client_gone: 0 }
  http.addHook('onRequest', async (request, reply) => {
    if (request.url === '/health') return
    served.requests++
    served.active++
    reply.raw.once('close', () => {
      served.active--
      if (!reply.raw.writableFinished) served.client_gone++
    })
  })
  http.get('/health', async () => ({ status: 'ok', name, ...served }))
}
