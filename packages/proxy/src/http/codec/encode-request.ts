import type { RequestHeaders } from '../headers.ts'
import { headBytes } from './head-bytes.ts'

/** A request's head for an HTTP/1.1 upstream. `chunked`: how its body has to be written; `fieldBytes`: of its field lines. */
export function encodeRequestHead(
  headers: RequestHeaders,
  hasBody: boolean,
): { bytes: Buffer; chunked: boolean; fieldBytes: number } {
  const { method } = headers
  let framing = ''
  let chunked = false
  if (!headers.has('content-length')) {
    if (hasBody) {
      framing = 'transfer-encoding: chunked\r\n'
      chunked = true
    } else if (!mayHaveNoBody(method)) framing = 'content-length: 0\r\n'
  }
  headBytes.begin()
  headBytes.text(method)
  headBytes.text(' ')
  headBytes.text(headers.path)
  headBytes.text(AFTER_TARGET)
  headBytes.field('host', headers.authority)
  headers.write(headBytes)
  headBytes.text(framing)
  headBytes.text('\r\n')
  const bytes = headBytes.end()
  const lineBytes = method.length + 1 + headers.path.length + AFTER_TARGET.length
  return { bytes, chunked, fieldBytes: bytes.length - lineBytes - 2 }
}

const AFTER_TARGET = ' HTTP/1.1\r\n'

function mayHaveNoBody(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'TRACE' || method === 'CONNECT'
}
