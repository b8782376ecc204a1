import type { RequestHeaders } from '../headers.ts'

/** A request's head for an HTTP/1.1 upstream. `chunked`: how its body has to be written. */
export function encodeRequestHead(headers: RequestHeaders, hasBody: boolean): { text: string; chunked: boolean } {
  const { method } = headers
  let framing = ''
  let chunked = false
  if (!headers.has('content-length')) {
    if (hasBody) {
      framing = 'transfer-encoding: chunked\r\n'
      chunked = true
    } else if (!mayHaveNoBody(method)) framing = 'content-length: 0\r\n'
  }
  return {
    text: `${method} ${headers.path} HTTP/1.1\r\nhost: ${headers.authority}\r\n${headers.format()}${framing}\r\n`,
    chunked,
  }
}

function mayHaveNoBody(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'DELETE' || method === 'TRACE' || method === 'CONNECT'
}
