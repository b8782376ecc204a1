import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { decodeProto3 } from '@hopscope/model/formats'
import { MAX_BODY_BYTES } from '../body.ts'
import type { Context } from '../context.ts'
import { SpanReceiver } from '../span-receiver.ts'
import { GRPC, grpcStatusOf } from './status.ts'
import { answerUnary, GrpcError } from './unary.ts'

export const REPORT_PATH = '/zipkin.proto3.SpanService/Report'

/** `zipkin.proto3.SpanService/Report`: a list of spans in, an empty message back once they are committed. */
export function createZipkinReport(
  context: Context,
): (request: Http2ServerRequest, response: Http2ServerResponse) => Promise<void> {
  const receiver = new SpanReceiver(context, context.metrics.grpc)
  return (request, response) =>
    answerUnary(request, response, MAX_BODY_BYTES, async message => {
      let leave: (() => void) | undefined
      try {
        leave = context.admission.enter(message.length)
        await receiver.receive(counter => {
          counter.received(message.length)
          return receiver.acceptBody('proto3', message) ?? { spans: decodeProto3(message) }
        })
      } catch (error) {
        const { code, details } = grpcStatusOf(error)
        // zipkin-server calls what it cannot read its own failure.
        throw new GrpcError(code === GRPC.invalidArgument ? GRPC.internal : code, details)
      } finally {
        leave?.()
      }
      return Buffer.alloc(0)
    })
}
