import type { ResponseHeaders } from '../headers.ts'
import { statusText } from '../status-text.ts'
import { headBytes } from './head-bytes.ts'

export interface EncodedHead {
  bytes: Buffer
  /** The body goes out in chunks. */
  chunked: boolean
  /** The body ends with the connection. */
  untilClose: boolean
  /** Bytes of its field lines. */
  fieldBytes: number
}

/** A response's head for an HTTP/1 client, framed as Envoy frames it. */
export function encodeResponseHead(
  headers: ResponseHeaders,
  request: { isHead: boolean; isHttp10: boolean; properCase: boolean },
  endStream: boolean,
): EncodedHead {
  const { status } = headers
  if (status === 204) headers.remove('content-length')
  let framing = ''
  let chunked = false
  let untilClose = false
  if (!headers.has('content-length')) {
    if (endStream && !request.isHead) {
      if (status >= 200 && status !== 204 && status !== 304) framing = 'content-length: 0\r\n'
    } else if (request.isHttp10) untilClose = !endStream
    else if (status >= 200 && status !== 204) {
      framing = 'transfer-encoding: chunked\r\n'
      chunked = !endStream
    }
  }
  const spell = request.properCase ? properCase : undefined
  if (spell !== undefined && framing !== '') framing = spell(framing)
  const version = request.isHttp10 ? 'HTTP/1.0' : 'HTTP/1.1'
  headBytes.begin()
  const code = String(status)
  const reason = statusText(status)
  headBytes.text(version)
  headBytes.text(' ')
  headBytes.text(code)
  headBytes.text(' ')
  headBytes.text(reason)
  headBytes.text('\r\n')
  const lineBytes = version.length + code.length + reason.length + 4
  headers.write(headBytes, spell)
  headBytes.text(framing)
  headBytes.text('\r\n')
  const bytes = headBytes.end()
  return { bytes, chunked, untilClose, fieldBytes: bytes.length - lineBytes - 2 }
}

/** `content-type` → `Content-Type`; of `name: value\r\n` the name alone. */
export function properCase(name: string): string {
  const colon = name.indexOf(':')
  if (colon !== -1) return properCase(name.slice(0, colon)) + name.slice(colon)
  return name.replace(/(^|[^a-zA-Z0-9])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase())
}
