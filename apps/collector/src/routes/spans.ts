import { decodeJsonV2, requireFormat } from '@hopscope/model/formats'
import type { FastifyInstance } from 'fastify'
import { decodeBody } from '../body.ts'
import type { Context } from '../context.ts'
import { HttpError } from '../http-error.ts'
import { createSampler } from '../sampler.ts'

/** POST /api/v2/spans: what Zipkin's reporters send. 202 means committed. */
export function spanRoutes(app: FastifyInstance, { config, store, metrics }: Context): void {
  const isSampled = createSampler(config.sampleRate)
  const counter = metrics.http

  app.post('/api/v2/spans', async (request, reply) => {
    counter.messages++
    try {
      const wire = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
      const body = await decodeBody(wire, request.headers['content-encoding'])
      if (isEmptyList(body)) {
        counter.received(0)
        return reply.code(202).send()
      }
      counter.received(body.length)
      requireJson(request.headers['content-type'], body)
      const spans = decodeJsonV2(body)
      counter.decoded(spans.length)
      const sampled = spans.filter(isSampled)
      counter.spansDropped += spans.length - sampled.length
      await store.accept(sampled).catch(error => {
        counter.spansDropped += sampled.length
        throw new StoreFailure(error)
      })
    } catch (error) {
      // Its spans are counted already, and the message itself was fine.
      if (error instanceof StoreFailure) throw error.cause
      counter.messagesDropped++
      throw error
    }
    return reply.code(202).send()
  })
}

class StoreFailure extends Error {
  constructor(cause: unknown) {
    super('spans were not stored', { cause })
  }
}

/** Some clients post when they have nothing to say. */
function isEmptyList(body: Buffer): boolean {
  return body.length === 0 || (body.length === 2 && body[0] === 0x5b && body[1] === 0x5d)
}

function requireJson(contentType: string | undefined, body: Buffer): void {
  if (contentType?.toLowerCase().startsWith('application/x-protobuf')) {
    throw new HttpError(
      415,
      'Content-Type application/x-protobuf is not supported yet: send a JSON_V2 list, as application/json',
    )
  }
  requireFormat('JSON_V2', body)
}
