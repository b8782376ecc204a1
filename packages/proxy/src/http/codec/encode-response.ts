import type { ResponseHeaders } from '../headers.ts'
import { statusText } from '../status-text.ts'

export interface EncodedHead {
  text: string
  /** The body goes out in chunks. */
  chunked: boolean
  /** The body ends with the connection. */
  untilClose: boolean
}

/** A response's head for an HTTP/1 client, framed as Envoy frames it. */
export function encodeResponseHead(
  headers: ResponseHeaders,
  request: { isHead: boolean; isHttp10: boolean },
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
  const version = request.isHttp10 ? 'HTTP/1.0' : 'HTTP/1.1'
  return {
    text: `${version} ${status} ${statusText(status)}\r\n${headers.format()}${framing}\r\n`,
    chunked,
    untilClose,
  }
}
