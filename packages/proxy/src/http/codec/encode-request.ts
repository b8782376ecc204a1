import type { RequestStyle } from '@hopscope/envoy-config'
import type { RequestHeaders } from '../headers.ts'
import { properCase } from './encode-response.ts'
import { headBytes } from './head-bytes.ts'

/** A request's head for an HTTP/1.1 upstream. `chunked`: how its body has to be written; `fieldBytes`: of its field lines. */
export function encodeRequestHead(
  headers: RequestHeaders,
  hasBody: boolean,
  style: RequestStyle,
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
  const origin = style.fullUrl ? `${headers.scheme}://${headers.authority}` : ''
  if (origin !== '') headBytes.text(origin)
  headBytes.text(headers.path)
  headBytes.text(AFTER_TARGET)
  const spell = style.properCaseHeaders ? properCase : undefined
  headBytes.field(spell === undefined ? 'host' : 'Host', headers.authority)
  headers.write(headBytes, spell)
  headBytes.text(spell === undefined ? framing : spell(framing))
  headBytes.text('\r\n')
  const bytes = headBytes.end()
  const lineBytes = method.length + 1 + origin.length + headers.path.length + AFTER_TARGET.length
  return { bytes, chunked, fieldBytes: bytes.length - lineBytes - 2 }
}

const AFTER_TARGET = ' HTTP/1.1\r\n'

function mayHaveNoBody(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'TRACE' || method === 'CONNECT'
}
