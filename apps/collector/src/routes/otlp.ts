import { DecodeError, decodeOtlpJson, decodeOtlpProto, type OtlpSpans } from '@hopscope/model/formats'
import type { BodyFormat } from '@hopscope/store'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { decodeBody } from '../body.ts'
import type { Context } from '../context.ts'
import { GRPC } from '../grpc/status.ts'
import { HttpError } from '../http-error.ts'
import { encodeOtlpResult, encodeRpcStatus } from '../otlp-result.ts'
import { SpanReceiver } from '../span-receiver.ts'

/** The two encodings of OTLP/HTTP; an answer is in the one of its request. */
interface Encoding {
  contentType: string
  decode: (body: Uint8Array) => OtlpSpans
  /** As the store may read it itself. */
  short: BodyFormat
  /** ExportTraceServiceResponse; without a rejected span, an empty one. */
  encodeResult: (rejected: number, message: string) => string | Buffer
  /** google.rpc.Status with code INVALID_ARGUMENT. */
  encodeError: (message: string) => string | Buffer
}

const JSON_ENCODING: Encoding = {
  contentType: 'application/json',
  decode: decodeOtlpJson,
  short: 'otlp-json',
  encodeResult: (rejected, message) =>
    JSON.stringify(
      rejected === 0 ? {} : { partialSuccess: { rejectedSpans: String(rejected), errorMessage: message } },
    ),
  encodeError: message => JSON.stringify({ code: GRPC.invalidArgument, message }),
}

const PROTO_ENCODING: Encoding = {
  contentType: 'application/x-protobuf',
  decode: decodeOtlpProto,
  short: 'otlp',
  encodeResult: encodeOtlpResult,
  encodeError: message => encodeRpcStatus(GRPC.invalidArgument, message),
}

/** POST /v1/traces: what OpenTelemetry's exporters send. 200 means committed, all but what the answer names as rejected. */
export function otlpRoutes(app: FastifyInstance, context: Context): void {
  const receiver = new SpanReceiver(context, context.metrics.otlp)

  app.post('/v1/traces', { onRequest: context.admission.admit }, async (request, reply) => {
    const wire = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
    let encoding: Encoding | undefined
    try {
      const { rejected, errorMessage } = await receiver.receive(async counter => {
        encoding = encodingOf(request.headers['content-type'])
        const body = await decodeBody(wire, request.headers['content-encoding'])
        counter.received(body.length)
        const accepted = receiver.acceptBody(encoding.short, body)
        return accepted === undefined ? encoding.decode(body) : { ...accepted, rejected: 0, errorMessage: '' }
      })
      return answer(reply, encoding!, 200, encoding!.encodeResult(rejected, errorMessage))
    } catch (error) {
      if (encoding === undefined) throw error
      // Anything else is told as everywhere: a full disk is 503, which exporters try again.
      if (error instanceof HttpError) return answer(reply, encoding, error.status, encoding.encodeError(error.message))
      if (error instanceof DecodeError) return answer(reply, encoding, 400, encoding.encodeError(error.message))
      throw error
    } finally {
      context.bodies.release(wire)
    }
  })

  function encodingOf(contentType: string | undefined): Encoding {
    const type = contentType?.replace(/;.*/s, '').trim().toLowerCase()
    if (type === JSON_ENCODING.contentType) return JSON_ENCODING
    if (type === PROTO_ENCODING.contentType) return PROTO_ENCODING
    throw new HttpError(
      415,
      `Content-Type ${contentType ?? '(none)'}: OTLP is application/json or application/x-protobuf`,
    )
  }
}

function answer(reply: FastifyReply, encoding: Encoding, status: number, body: string | Buffer): FastifyReply {
  return reply.code(status).header('content-type', encoding.contentType).send(Buffer.from(body))
}
