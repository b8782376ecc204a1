import type { FastifyInstance } from 'fastify'

/**
 * `GET /health`: the service is there, what it has served, and how many callers went away before their answer
 * (`client_gone`), which is how a step sees that a proxy's timeout reached the application. After `/health/fail` it is 503,
 * until `/health/ok`: for proxies that check it.
 */
export function addHealth(http: FastifyInstance, name: string): void {
  const served = { requests: 0, active: 0, client_gone: 0 }
  http.addHook('onRequest', async (request, reply) => {
    if (request.url.startsWith('/health')) return
    served.requests++
    served.active++
    reply.raw.once('close', () => {
      served.active--
      if (!reply.raw.writableFinished) served.client_gone++
    })
  })
  let healthy = true
  http.get('/health', async (_request, reply) => {
    reply.code(healthy ? 200 : 503)
    return { status: healthy ? 'ok' : 'failing', name, ...served }
  })
  for (const [path, value] of [
    ['/health/fail', false],
    ['/health/ok', true],
  ] as const) {
    http.all(path, async () => {
      healthy = value
      return { status: healthy ? 'ok' : 'failing', name }
    })
  }
}
