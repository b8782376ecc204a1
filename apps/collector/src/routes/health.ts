import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { sendPrettyJson } from '../send-json.ts'

/** GET /health: 200 when spans can be stored and read, else 503 and why. The document is zipkin-server's. */
export function healthRoutes(app: FastifyInstance, { store }: Context): void {
  const health = async (): Promise<{ status: number; document: object }> => {
    const error = await store.check().then(
      () => undefined,
      (reason: Error) => reason.message,
    )
    const status = error === undefined ? 'UP' : 'DOWN'
    const component = error === undefined ? { status } : { status, details: { error } }
    return {
      status: error === undefined ? 200 : 503,
      document: { status, zipkin: { status, details: { [store.name]: component } } },
    }
  }

  app.get('/health', async (_request, reply) => {
    const { status, document } = await health()
    return sendPrettyJson(reply.code(status), document)
  })
  app.get('/actuator/health', async (_request, reply) => {
    const { status, document } = await health()
    return sendPrettyJson(reply.code(status), document, 'application/vnd.spring-boot.actuator.v2+json; charset=utf-8')
  })
}
