import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { ListenAddress, SocketAddress } from '@hopscope/envoy-config'
import type { AdminAccessLog } from './admin-access-log.ts'

export interface AdminReply {
  status?: number
  /** Defaults to text; `bare`: text of which nobody says how it is encoded. */
  type?: 'text' | 'json' | 'html' | 'bare'
  body: string
}

export interface AdminRequest {
  query: URLSearchParams
  /** Of a form; empty otherwise. */
  form: URLSearchParams
}

export interface AdminPage {
  /** `/ready` */
  path: string
  help: string
  /** Changes something: only POST. */
  mutates?: boolean
  handle(request: AdminRequest): AdminReply | Promise<AdminReply>
  /** After the reply has left. */
  afterwards?(): void
}

// An `import` of node:http also loads its WebSocket client, which is a tenth of the time that a start takes.
const { createServer } = process.getBuiltinModule('node:http')

const CONTENT_TYPES = {
  text: 'text/plain; charset=UTF-8',
  json: 'application/json',
  html: 'text/html; charset=UTF-8',
  bare: 'text/plain',
}

/** A form of runtime values is small. */
const MAX_FORM_BYTES = 64 * 1024

export interface AdminServer {
  address: SocketAddress
  close(): Promise<void>
}

/** Listens before it answers. Rejects with the error of the bind. */
export async function openAdminServer(
  address: ListenAddress,
  pages: readonly AdminPage[],
  accessLog: AdminAccessLog = () => () => {},
): Promise<AdminServer> {
  const table = new Map(pages.map(page => [page.path, page]))
  const help = helpText(pages)
  table.set('/help', { path: '/help', help: '', handle: () => ({ body: `admin commands are:\n${help}` }) })
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const logAnswer = accessLog(request)
    let received = 0
    request.on('data', chunk => {
      received += chunk.length
    })
    answer(request, table, help).then(
      ({ reply, page }) => {
        const { status = 200, type = 'text', body } = reply
        response.on('close', () =>
          logAnswer({ status, contentType: CONTENT_TYPES[type], received, sent: Buffer.byteLength(body) }),
        )
        send(response, reply)
        if (page?.afterwards !== undefined) response.on('close', () => page.afterwards!())
      },
      // Whoever asked is gone, or sent more than a form may hold.
      () => response.destroy(),
    )
  })
  await listen(server, address)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port
  return {
    address: { address: address.address, port },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  request: IncomingMessage,
  table: ReadonlyMap<string, AdminPage>,
  help: string,
): Promise<{ reply: AdminReply; page?: AdminPage }> {
  const [path, search = ''] = splitOnce(request.url ?? '/', '?')
  const page = table.get(path)
  if (page === undefined) return { reply: { status: 404, body: `invalid path. admin commands are:\n${help}` } }
  if (page.mutates === true && request.method !== 'POST') {
    return { reply: { status: 405, body: `Method ${request.method} not allowed, POST required.` } }
  }
  const form = await readForm(request)
  // A plus is a plus, as in Envoy: of a filter it is part of the pattern.
  const query = new URLSearchParams(search?.replaceAll('+', '%2B'))
  return { reply: await page.handle({ query, form }), page }
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > MAX_FORM_BYTES) throw new Error('the form is too large')
  }
  const isForm = request.headers['content-type']?.split(';')[0] === 'application/x-www-form-urlencoded'
  return new URLSearchParams(isForm ? text : '')
}

/** Header fields as Envoy's admin sends them, in its order. */
function send(response: ServerResponse, { status = 200, type = 'text', body }: AdminReply): void {
  response.sendDate = false
  response.removeHeader('connection')
  response.writeHead(status, {
    'content-type': CONTENT_TYPES[type],
    'cache-control': 'no-cache, max-age=0',
    'x-content-type-options': 'nosniff',
    date: new Date().toUTCString(),
    server: 'envoy',
    'transfer-encoding': 'chunked',
  })
  response.end(body)
}

function helpText(pages: readonly AdminPage[]): string {
  return [...pages, { path: '/help', help: 'print out list of admin commands', mutates: false }]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, help, mutates }) => `  ${path}${mutates === true ? ' (POST)' : ''}: ${help}\n`)
    .join('')
}

function listen(server: Server, { address, port, isPipe, mode, ipv4Compat }: ListenAddress): Promise<void> {
  const isFile = isPipe && !address.startsWith('@')
  // What a process that is gone has left there.
  if (isFile) rmSync(address, { force: true })
  const where = isPipe
    ? { path: isFile ? address : `\0${address.slice(1)}` }
    : { host: address, port, ipv6Only: address.includes(':') && ipv4Compat !== true }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...where, exclusive: true }, () => {
      server.off('error', reject)
      if (isFile && mode !== 0) chmodSync(address, mode)
      resolve()
    })
  })
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
