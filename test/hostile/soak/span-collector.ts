import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readOtlpSpans } from '../../conformance/envoy/harness/protobuf-spans.ts'

/** What a span says of its request; those of mirrors have no id. */
export interface SeenSpan {
  id: number
  status: string
  path: string
  cluster: string
}

export interface SpanCollector {
  port: number
  spans: SeenSpan[]
  close(): void
}

/** Takes Zipkin's JSON and OTLP's protobuf. */
export async function startSpanCollector(shout: (problem: string) => void): Promise<SpanCollector> {
  const spans: SeenSpan[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      try {
        const body = Buffer.concat(chunks)
        const isOtlp = request.url === '/v1/traces'
        const found = isOtlp
          ? readOtlpSpans(body).map(span => span.attributes)
          : JSON.parse(body.toString('utf8')).map((span: { tags: object }) => span.tags)
        for (const tags of found as Record<string, string>[]) {
          spans.push({
            id: Number(tags['soak.id']),
            status: tags['http.status_code'] ?? '',
            path: new URL(tags['http.url'] ?? 'http://none/').pathname,
            cluster: tags.upstream_cluster ?? '',
          })
        }
      } catch (error) {
        shout(`spans that cannot be read: ${error}`)
      }
      response.writeHead(202).end()
    })
    request.on('error', () => response.destroy())
  })
  // A report that meets a connection being closed for its idleness is lost, as in Envoy.
  server.keepAliveTimeout = 0
  server.on('clientError', (error, socket) => {
    const { code = '' } = error as NodeJS.ErrnoException
    // At its end the sidecar may leave in the middle of a report.
    if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') shout(`collector: ${error}`)
    socket.destroy()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    spans,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
