import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../context.ts'
import { createDocument } from '../document.ts'
import { prettyJson } from '../send-json.ts'

/** Where `vite build` leaves the viewer in a checkout. */
const BUILT_VIEWER = fileURLToPath(new URL('../../../viewer/dist/', import.meta.url))

/** Everything from here and nothing from elsewhere: the viewer works offline, and a tag's value cannot call home. */
const SECURITY_POLICY =
  "default-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'self'; object-src 'none'; frame-ancestors 'self'"

const HTML = 'text/html; charset=utf-8'

/** Zipkin's links, and the viewer's own pages. */
const PAGES = [
  '/zipkin/',
  '/zipkin/index.html',
  '/zipkin/traces/:traceId',
  '/zipkin/dependency',
  '/zipkin/traceViewer',
  '/zipkin/search',
  '/zipkin/compare',
  '/zipkin/mesh',
]

/** The viewer under /zipkin/, its config.json, and the redirects that lead there. */
export function viewerRoutes(app: FastifyInstance, context: Context): void {
  const root = folderOf(context)
  const { config } = context

  for (const path of ['/', '/zipkin']) {
    app.get(path, async (request, reply) => reply.redirect(`/zipkin/${search(request)}`, 302))
  }
  app.get('/favicon.ico', async (_request, reply) => reply.redirect('/zipkin/favicon.ico', 302))

  // Its icon is a drawing, which browsers take under this name too.
  app.get('/zipkin/favicon.ico', async (_request, reply) => {
    const file = `${root.replace(/\/$/, '')}/favicon.svg`
    if (!existsSync(file)) return reply.callNotFound()
    return reply.header('cache-control', 'max-age=31536000').type('image/svg+xml').send(readFileSync(file))
  })

  const { basepath: _, ...ui } = config.ui
  const { environment, queryLimit, defaultLookback, ...rest } = ui
  const document = { environment, queryLimit, defaultLookback, searchEnabled: config.searchEnabled, ...rest }
  const configJson = createDocument(
    prettyJson(document),
    'application/json; charset=utf-8',
    context.startedAt,
    'max-age=600',
  )
  app.get('/zipkin/config.json', configJson)

  for (const path of PAGES) app.get(path, page)
  app.register(async scope => {
    if (!existsSync(root)) return
    const { default: serveStatic } = await import('@fastify/static')
    await scope.register(serveStatic, {
      root,
      prefix: '/zipkin/',
      index: false,
      // Names of built files carry a hash of what is in them.
      maxAge: 31_536_000_000,
      wildcard: true,
      decorateReply: false,
      setHeaders: reply => reply.header('x-content-type-options', 'nosniff'),
    })
  })

  function page(request: FastifyRequest, reply: FastifyReply): unknown {
    const html = readPage(context)
    if (html === undefined)
      return reply
        .code(404)
        .type(HTML)
        .send(notBuilt(fileOfPage(context)))
    return createDocument(html, HTML, context.startedAt, 'max-age=60')(request, guard(reply))
  }
}

/**
 * For a browser that went to a page which is not there: the viewer, which says so and leads on; 404 all the same.
 * False: the request is another one, or there is no viewer.
 */
export function sendMissingPage(request: FastifyRequest, reply: FastifyReply, context: Context): boolean {
  const isPage = request.url.startsWith('/zipkin/') && !request.url.startsWith('/zipkin/api/')
  if (!isPage || !context.config.uiEnabled || !request.headers.accept?.includes('text/html')) return false
  const html = readPage(context)
  if (html === undefined) return false
  guard(reply).code(404).type(HTML).send(html)
  return true
}

function guard(reply: FastifyReply): FastifyReply {
  return reply.header('content-security-policy', SECURITY_POLICY).header('x-content-type-options', 'nosniff')
}

function folderOf({ config }: Context): string {
  return config.viewer ?? BUILT_VIEWER
}

function fileOfPage(context: Context): string {
  return `${folderOf(context).replace(/\/$/, '')}/index.html`
}

/** Undefined: it is not built. */
function readPage(context: Context): string | undefined {
  const file = fileOfPage(context)
  return existsSync(file) ? rebase(readFileSync(file, 'utf8'), context.config.ui.basepath) : undefined
}

/** A viewer behind a proxy that serves it elsewhere: its base tag leads, links become relative to it. */
function rebase(html: string, basepath: string): string {
  if (basepath === '/zipkin') return html
  const base = basepath === '/' ? '/' : `${basepath}/`
  return html
    .replace(/<base href="[^"]*"/, `<base href="${base.replaceAll('"', '%22')}"`)
    .replace(/((?:src|href)=")\/zipkin\//g, '$1./')
}

function search(request: FastifyRequest): string {
  const at = request.url.indexOf('?')
  return at === -1 ? '' : request.url.slice(at)
}

function notBuilt(file: string): string {
  const escaped = file.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<!doctype html><meta charset="utf-8"><title>Hopscope</title>
<h1>The viewer is not built</h1>
<p>The collector works; its pages are missing: <code>${escaped}</code> is not there.</p>
<p>Build them with <code>npm start</code> in the checkout, or name a folder with <code>--viewer</code>.
The API answers meanwhile: <a href="/zipkin/api/v2/services">/zipkin/api/v2/services</a></p>
`
}
