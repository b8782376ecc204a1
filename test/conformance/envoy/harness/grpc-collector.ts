import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { readOtlpSpans } from './protobuf-spans.ts'

/** What becomes of a report: its status as gRPC tells it, one of HTTP alone, the stream is reset, nothing at all. */
export type GrpcAnswer = { grpc: number } | { http: number } | 'reset' | 'never' | 'only trailers'

/** Takes OTLP's spans over gRPC, as HTTP/2 without TLS; keeps the heads of the calls. */
export class GrpcCollector {
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()

  private constructor(server: Http2Server) {
    this.#server = server
  }

  static async open(
    spans: Record<string, unknown>[],
    reports: Map<string, string[]>,
    answer: GrpcAnswer,
  ): Promise<GrpcCollector> {
    const server = createServer()
    const collector = new GrpcCollector(server)
    server.on('session', session => {
      collector.#sessions.add(session)
      session.on('error', () => {})
    })
    server.on('stream', (stream, headers) => {
      const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      reports.set(head.join('\n'), head.sort())
      const chunks: Buffer[] = []
      stream.on('error', () => {})
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const message = Buffer.concat(chunks)
        if (message[0] !== 0 || message.readUInt32BE(1) !== message.length - 5) throw new Error('no gRPC message')
        spans.push(...readOtlpSpans(message.subarray(5)))
        if (answer === 'never') return
        if (answer === 'reset') stream.close(2)
        else if (answer === 'only trailers') {
          const fields = {
            ':status': 200,
            'content-type': 'application/grpc',
            'grpc-status': '14',
            'grpc-message': 'no',
          }
          stream.respond(fields, { endStream: true })
        } else if ('http' in answer) stream.respond({ ':status': answer.http }, { endStream: true })
        else {
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(answer.grpc) }))
          stream.end(Buffer.alloc(5))
        }
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return collector
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    for (const session of this.#sessions) session.destroy()
    this.#server.close()
  }
}
