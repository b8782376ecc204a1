import fastify, { type FastifyInstance } from 'fastify'
import type { ServiceConfig } from './config.ts'
import type { HostPort } from './host-port.ts'
import { addGates } from './routes/gates.ts'
import { addHealth } from './routes/health.ts'
import { addHttpbin } from './routes/httpbin.ts'
import { addSequences } from './routes/sequences.ts'
import { addWork, type InSpan } from './routes/work.ts'
import { createRandom } from './work/random.ts'

export interface Service {
  /** The bare HTTP server, for tests that need no socket (`inject`). */
  http: FastifyInstance
  /** Resolves with the address as a URL, rejects with Node's listen error. */
  listen(address: HostPort): Promise<string>
  close(): Promise<void>
}

/** Largest request body: echoed back, so it is held in memory. */
const BODY_LIMIT = 16 * 1024 * 1024

/** No route has a schema, so their compilers, a third of what a start would load, are not. */
const noSchemas = () => {
  throw new Error('routes of the service have no schema')
}

/** `inSpan`: of the SDK, when the service is instrumented. */
export function createService(config: ServiceConfig, inSpan?: InSpan): Service {
  const http = fastify({
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    // Longer than a proxy keeps an idle upstream connection (Envoy: 1 h), so that it is never this side that closes one
    // while the next request is already on its way.
    keepAliveTimeout: 2 * 3_600_000,
    // Gates and delays may hold a request as long as they want.
    requestTimeout: 0,
    routerOptions: { maxParamLength: 1000 },
    exposeHeadRoutes: true,
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  })
  // Bodies of any type are taken as they are: this service reports what it received and never judges it.
  http.removeAllContentTypeParsers()
  http.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const random = createRandom(config.seed)
  addHealth(http, config.name)
  addHttpbin(http, random)
  addSequences(http, addGates(http))
  addWork(http, config, random, inSpan)

  return {
    http,
    async listen({ host, port }) {
      if (config.slowDoor !== undefined)
        await (await import('./routes/slow-door.ts')).addSlowDoor(http, config.name, config.slowDoor)
      return http.listen({ host, port })
    },
    close: () => http.close(),
  }
}
