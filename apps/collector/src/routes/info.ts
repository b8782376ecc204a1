import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { createDocument } from '../document.ts'

/** GET /info. Clients look for `zipkin.version`; ours stands there, and who we are beside it. */
export function infoRoutes(app: FastifyInstance, context: Context): void {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  const body = JSON.stringify({ zipkin: { version }, hopscope: { version } })
  app.get('/info', createDocument(body, 'application/json; charset=utf-8', context.startedAt))
  app.get(
    '/actuator/info',
    createDocument(body, 'application/vnd.spring-boot.actuator.v2+json; charset=utf-8', context.startedAt),
  )
}
