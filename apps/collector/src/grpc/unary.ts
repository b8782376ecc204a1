import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { GRPC, type GrpcStatus } from './status.ts'

const inflate = promisify(gunzip)
/** Compressed or not, length. */
const FRAME_HEAD = 5

/** A call that ends with a status; the message is for people. */
export class GrpcError extends Error {
  readonly status: GrpcStatus

  constructor(code: number, details: string) {
    super(details)
    this.status = { code, details }
  }
}

/** Answers a call that has one message and gets one. `handle` may throw a {@link GrpcError}. Deadlines are the client's to keep. */
export async function answerUnary(
  request: Http2ServerRequest,
  response: Http2ServerResponse,
  maxBytes: number,
  handle: (message: Buffer) => Promise<Buffer>,
): Promise<void> {
  let frame = Buffer.alloc(0)
  let status: GrpcStatus = { code: GRPC.ok, details: '' }
  try {
    const sent = await readAll(request, maxBytes + FRAME_HEAD)
    const answer = await handle(await messageOf(sent, request.headers['grpc-encoding'], maxBytes))
    const head = Buffer.alloc(FRAME_HEAD)
    head.writeUInt32BE(answer.length, 1)
    frame = Buffer.concat([head, answer])
  } catch (error) {
    status = error instanceof GrpcError ? error.status : { code: GRPC.internal, details: (error as Error).message }
  }
  if (response.stream.destroyed) return
  response.writeHead(200, { 'content-type': 'application/grpc' })
  response.addTrailers({
    'grpc-status': String(status.code),
    ...(status.details && { 'grpc-message': percentEncode(status.details) }),
  })
  response.end(frame)
}

/** As gRPC wants it: printable ASCII stays as it is, but for the percent sign. (zipkin-server does so; `encodeURI` does more) */
function percentEncode(text: string): string {
  return text.toWellFormed().replace(/[^ -$&-~]+/gu, encodeURIComponent)
}

async function readAll(request: Http2ServerRequest, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) {
      throw new GrpcError(GRPC.resourceExhausted, `message has more than ${maxBytes - FRAME_HEAD} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function messageOf(frame: Buffer, encoding: string | string[] | undefined, maxBytes: number): Promise<Buffer> {
  if (frame.length < FRAME_HEAD || frame.readUInt32BE(1) !== frame.length - FRAME_HEAD) {
    throw new GrpcError(GRPC.internal, 'expected one message of the length that it says')
  }
  const message = frame.subarray(FRAME_HEAD)
  if (frame[0] === 0) return message
  if (encoding !== 'gzip')
    throw new GrpcError(GRPC.unimplemented, `grpc-encoding ${encoding} is not supported; gzip is`)
  try {
    return await inflate(message, { maxOutputLength: maxBytes })
  } catch (error) {
    const isTooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    if (isTooLarge) throw new GrpcError(GRPC.resourceExhausted, `message inflates to more than ${maxBytes} bytes`)
    throw new GrpcError(GRPC.internal, `message is no gzip: ${(error as Error).message}`)
  }
}
