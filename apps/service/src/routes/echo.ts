import type { FastifyRequest } from 'fastify'

/** What httpbin reports of a request; every part is as it arrived. */
export interface Echo {
  args: Record<string, string | string[]>
  headers: Record<string, string>
  origin: string
  url: string
}

export interface EchoWithBody extends Echo {
  /** The body as text, "" when it was a form. Bytes that are no UTF-8 come as a base64 data URL. */
  data: string
  files: Record<string, never>
  form: Record<string, string | string[]>
  json: unknown
  method: string
}

/** The four fields of httpbin's /get. */
export function echo(request: FastifyRequest): Echo {
  const url = new URL(request.url, `http://${request.headers.host ?? 'localhost'}`)
  return { args: lists(url.searchParams), headers: echoHeaders(request), origin: request.ip, url: url.href }
}

/** All fields of httpbin's /anything. */
export function echoWithBody(request: FastifyRequest): EchoWithBody {
  const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
  const form = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
  return {
    ...echo(request),
    data: form ? '' : textOf(body),
    files: {},
    form: form ? lists(new URLSearchParams(body.toString())) : {},
    json: jsonOf(body),
    method: request.method,
  }
}

/** Names in Title-Case and repeated headers joined with a comma, as httpbin (its WSGI server) shows them. */
export function echoHeaders(request: FastifyRequest): Record<string, string> {
  const headers: Record<string, string> = {}
  const { rawHeaders } = request.raw
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase().replace(/(^|-)[a-z]/g, letter => letter.toUpperCase())
    const value = rawHeaders[i + 1]!
    headers[name] = headers[name] === undefined ? value : `${headers[name]},${value}`
  }
  return headers
}

/** httpbin's layout: keys sorted, two spaces, a line feed at the end. */
export function formatEcho(value: object): string {
  return `${JSON.stringify(value, (_key, inner) => (isPlainObject(inner) ? sorted(inner) : inner), 2)}\n`
}

function sorted(object: object): object {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A parameter given once is a string, more often a list. */
function lists(params: URLSearchParams): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {}
  for (const name of new Set(params.keys())) {
    const values = params.getAll(name)
    result[name] = values.length === 1 ? values[0]! : values
  }
  return result
}

function textOf(body: Buffer): string {
  const text = body.toString()
  return Buffer.from(text).equals(body) ? text : `data:application/octet-stream;base64,${body.toString('base64')}`
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return null
  }
}
