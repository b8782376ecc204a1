import type { Span } from '@hopscope/model'
import {
  decodeJsonV1,
  decodeJsonV2,
  decodeProto3,
  decodeThrift,
  type Format,
  requireFormat,
} from '@hopscope/model/formats'
import type { BodyFormat } from '@hopscope/store'
import type { FastifyInstance } from 'fastify'
import { decodeBody } from '../body.ts'
import type { Context } from '../context.ts'
import { SpanReceiver } from '../span-receiver.ts'

const DECODERS: Record<Format, (body: Uint8Array) => Span[]> = {
  JSON_V1: decodeJsonV1,
  JSON_V2: decodeJsonV2,
  PROTO3: decodeProto3,
  THRIFT: decodeThrift,
}

/** Of each path: what a body is unless its content type says so, and the one content type that says otherwise. */
const PATHS: [path: string, otherwise: Format, contentType: string, format: Format][] = [
  ['/api/v2/spans', 'JSON_V2', 'application/x-protobuf', 'PROTO3'],
  ['/api/v1/spans', 'JSON_V1', 'application/x-thrift', 'THRIFT'],
]

/** What the store may read itself. */
const SHORT_WAYS: Partial<Record<Format, BodyFormat>> = { JSON_V2: 'json', PROTO3: 'proto3' }

/** POST /api/v2/spans, /api/v1/spans: what Zipkin's reporters send. 202 means committed. */
export function spanRoutes(app: FastifyInstance, context: Context): void {
  const receiver = new SpanReceiver(context, context.metrics.http)
  for (const [path, otherwise, contentType, other] of PATHS) {
    app.post(path, { onRequest: context.admission.admit }, async (request, reply) => {
      const sent = request.headers['content-type']?.replace(/;.*/s, '').trim().toLowerCase()
      const format = sent === contentType ? other : otherwise
      const wire = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
      await receiver
        .receive(async counter => {
          const body = await decodeBody(wire, request.headers['content-encoding'])
          if (isEmptyList(body)) {
            counter.received(0)
            return { spans: [] }
          }
          counter.received(body.length)
          const short = SHORT_WAYS[format]
          const accepted = short && receiver.acceptBody(short, body)
          if (accepted !== undefined) return accepted
          requireFormat(format, body)
          return { spans: DECODERS[format](body) }
        })
        .finally(() => context.bodies.release(wire))
      return reply.code(202).send()
    })
  }
}

/** Some clients post when they have nothing to say. */
function isEmptyList(body: Buffer): boolean {
  return body.length === 0 || (body.length === 2 && body[0] === 0x5b && body[1] === 0x5d)
}
