import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  setLogVerbosity,
} from '@grpc/grpc-js'
import { decodeOtlpProto } from '@hopscope/model/formats'
import { MAX_BODY_BYTES } from '../body.ts'
import type { Context } from '../context.ts'
import { encodeOtlpResult } from '../otlp-result.ts'
import { SpanReceiver } from '../span-receiver.ts'
import { grpcStatusOf } from './status.ts'

const asIs = (bytes: Buffer): Buffer => bytes

/** Messages stay bytes: our own reader is the one that knows them. */
const TRACE_SERVICE: ServiceDefinition = {
  Export: {
    path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
}

/** OTLP over gRPC, of which traces only. */
export function createOtlpGrpcServer(context: Context): Server {
  // What goes wrong is told by whoever calls; the library would tell it a second time.
  setLogVerbosity(logVerbosity.NONE)
  const receiver = new SpanReceiver(context, context.metrics.otlp)
  const server = new Server({
    'grpc.max_receive_message_length': MAX_BODY_BYTES,
    // Someone who only keeps a connection must not keep us from ending.
    'grpc.max_connection_idle_ms': 300_000,
  })
  server.addService(TRACE_SERVICE, {
    Export(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
      exportSpans(call.request).then(
        answer => callback(null, answer),
        error => callback(grpcStatusOf(error)),
      )
    },
  })
  return server

  async function exportSpans(message: Buffer): Promise<Buffer> {
    const leave = context.admission.enter(message.length)
    try {
      const { rejected, errorMessage } = await receiver.receive(counter => {
        counter.received(message.length)
        const accepted = receiver.acceptBody('otlp', message)
        return accepted === undefined ? decodeOtlpProto(message) : { ...accepted, rejected: 0, errorMessage: '' }
      })
      return encodeOtlpResult(rejected, errorMessage)
    } finally {
      leave()
    }
  }
}

/** → the port. */
export function listenGrpc(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    )
  })
}
