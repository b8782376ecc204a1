import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { COLUMNS_CONTENT_TYPE } from '@hopscope/model/columns'

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

/** A trace as a collector has it; without `json` one that is too large to be written as one text. */
export interface ServedTrace {
  columns: Uint8Array
  json: Buffer | undefined
}

/** The built viewer and the traces, from memory: what is measured is the viewer, not a collector. */
export async function serveTraces(traces: ReadonlyMap<string, ServedTrace>): Promise<Site> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, 'http://x')
    const [, traceId, rest] = /\/trace\/([0-9a-f]+)(\/columns)?$/.exec(pathname) ?? []
    const trace = traces.get(traceId ?? '')
    if (pathname.startsWith('/zipkin/api/')) {
      const body = rest ? trace?.columns : trace?.json
      const type = rest ? COLUMNS_CONTENT_TYPE : 'application/json'
      response.writeHead(body ? 200 : 404, { 'content-type': type }).end(body ?? '')
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
