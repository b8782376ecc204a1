import type { Failure } from './errors.ts'
import type { Exchange } from './http/exchange.ts'
import { ResponseHeaders } from './http/headers.ts'

/** The one door through which requests leave that are answered here: failures, redirects, direct responses. */
export function respond(exchange: Exchange, failure: Failure, more?: (headers: ResponseHeaders) => void): void {
  const { info } = exchange
  if (failure.flag !== undefined) info.flags.add(failure.flag)
  if (failure.close) exchange.mustClose = true
  info.responseCodeDetails = failure.details.replaceAll(' ', '_')
  if (exchange.responseStarted) {
    exchange.abort()
    return
  }
  respondWith(exchange, failure.status, Buffer.from(failure.body, 'latin1'), headers => {
    if (failure.overloaded) headers.append('x-envoy-overloaded', 'true')
    more?.(headers)
  })
}

/** Sends a local response. `details` and flags are set by the caller. */
export function respondWith(
  exchange: Exchange,
  status: number,
  body: Uint8Array,
  more?: (headers: ResponseHeaders) => void,
): void {
  const headers = new ResponseHeaders()
  headers.status = status
  if (body.length > 0) {
    headers.append('content-length', String(body.length))
    headers.append('content-type', 'text/plain')
  }
  more?.(headers)
  exchange.responseMutations?.(headers, exchange.info)
  const isHead = exchange.info.requestHeaders?.method === 'HEAD'
  if (body.length === 0 || isHead) exchange.sendHead(headers, true)
  else {
    exchange.sendHead(headers, false)
    exchange.sendData(body)
    exchange.sendEnd()
  }
}
