import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

const DIST = fileURLToPath(new URL('../../../apps/viewer/dist/', import.meta.url))
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

export interface Site {
  origin: string
  close(): void
}

/** The built viewer and the traces' JSON, from memory: what is measured is the viewer, not a collector. */
export async function serveTraces(traces: ReadonlyMap<string, Buffer>): Promise<Site> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://x')
    const trace = traces.get(pathname.split('/').at(-1)!)
    if (pathname.startsWith('/zipkin/api/')) {
      response.writeHead(trace ? 200 : 404, { 'content-type': 'application/json' }).end(trace ?? '')
      return
    }
    const file = /^\/zipkin\/(assets\/[\w.-]+|favicon\.svg)$/.exec(pathname)?.[1] ?? 'index.html'
    const content = await readFile(DIST + file).catch(() => undefined)
    response.writeHead(content ? 200 : 404, {
      'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': "default-src 'self'",
    })
    response.end(content)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { origin: `http://127.0.0.1:${port}`, close: () => void server.close().closeAllConnections() }
}
