import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { MAX_BODY_BYTES } from './body.ts'
import { installCompression } from './compression.ts'
import type { Context } from './context.ts'
import { installCors } from './cors.ts'
import { answerErrors } from './error-answers.ts'
import { serveHttp2 } from './h2c.ts'
import { readBody } from './read-body.ts'
import { INVALID_PATH } from './request-target.ts'
import { autocompleteRoutes } from './routes/autocomplete.ts'
import { dependencyRoutes } from './routes/dependencies.ts'
import { healthRoutes } from './routes/health.ts'
import { infoRoutes } from './routes/info.ts'
import { latencyRoutes } from './routes/latency.ts'
import { linkRoutes } from './routes/links.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { nameRoutes } from './routes/names.ts'
import { otlpRoutes } from './routes/otlp.ts'
import { searchRoutes } from './routes/search.ts'
import { spanRoutes } from './routes/spans.ts'
import { streamRoutes } from './routes/stream.ts'
import { traceColumnRoutes } from './routes/trace-columns.ts'
import { traceRoutes } from './routes/traces.ts'
import { viewerRoutes } from './routes/viewer.ts'

/** Everything on one port, as zipkin-server has it: what reporters send to, what clients ask, what people open. */
export function createServer(context: Context): FastifyInstance {
  const { config } = context
  const app = base(context)
  installCors(app, config.allowedOrigins)
  installCompression(app)
  context.timer.install(app)
  context.selfTracing?.install(app)

  healthRoutes(app, context)
  infoRoutes(app, context)
  metricsRoutes(app, context)
  if (config.collectorEnabled) {
    spanRoutes(app, context)
    otlpRoutes(app, context)
  }
  if (config.queryEnabled) {
    for (const prefix of ['/api/v2', '/zipkin/api/v2']) {
      nameRoutes(app, prefix, context)
      traceRoutes(app, prefix, context)
      dependencyRoutes(app, prefix, context)
      autocompleteRoutes(app, prefix, context)
    }
    for (const prefix of ['/api/hopscope/v1', '/zipkin/api/hopscope/v1']) {
      streamRoutes(app, prefix, context)
      traceColumnRoutes(app, prefix, context)
      searchRoutes(app, prefix, context)
      linkRoutes(app, prefix, context)
      latencyRoutes(app, prefix, context)
    }
  }
  if (config.uiEnabled) viewerRoutes(app, context)
  serveHttp2(app, context)
  return app
}

/** OTLP's own port: nothing but OTLP. */
export function createOtlpServer(context: Context): FastifyInstance {
  const app = base(context)
  installCors(app, context.config.allowedOrigins)
  context.selfTracing?.install(app)
  otlpRoutes(app, context)
  return app
}

/** No route has a schema, so their compilers, a quarter of what a start would load, are not. */
const noSchemas = () => {
  throw new Error('routes of the collector have no schema')
}

function base(context: Context): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // Answers what is in flight, hangs up on those who only keep a connection.
    forceCloseConnections: 'idle',
    routerOptions: {
      ignoreDuplicateSlashes: true,
      maxParamLength: 4096,
      querystringParser: text => new URLSearchParams(text) as unknown as Record<string, unknown>,
    },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
    // A bad percent escape.
    frameworkErrors: (_error, _request, reply) => {
      reply.raw.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' })
      reply.raw.end(INVALID_PATH)
    },
  })
  // Bodies are bytes; each route knows what its content type means.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (request: FastifyRequest, payload: NodeJS.ReadableStream) =>
    readBody(request, payload, context.bodies, MAX_BODY_BYTES),
  )
  answerErrors(app, context)
  return app
}
