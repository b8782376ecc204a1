import type { Failure } from './errors.ts'
import type { Exchange } from './http/exchange.ts'
import { grpcStatusOfHttp, isGrpc } from './http/grpc-status.ts'
import { ResponseHeaders } from './http/headers.ts'
import type { ResponseFlag } from './stream-info.ts'

/** The one door through which requests leave that are answered here: failures, redirects, direct responses. */
export function respond(exchange: Exchange, failure: Failure, more?: (headers: ResponseHeaders) => void): void {
  const { info } = exchange
  // A refusal of the codec gets its flag when the reply is made: mappers of local replies do not see it. (Envoy)
  const late = failure.flag === 'DPE' && !exchange.responseStarted ? failure.flag : undefined
  if (failure.flag !== undefined && late === undefined) info.flags.add(failure.flag)
  if (failure.close) exchange.mustClose = true
  info.responseCodeDetails = failure.details.replaceAll(' ', '_')
  if (exchange.responseStarted) {
    exchange.abort()
    return
  }
  const isRouted = exchange.route?.route.action.type === 'route'
  const mutate = (headers: ResponseHeaders): void => {
    // Of a direct response or a redirect only the answer that it is has them. (Envoy)
    if (isRouted) exchange.responseMutations?.(headers, info)
    if (failure.tells !== undefined) headers.append(failure.tells, 'true')
    more?.(headers)
  }
  send(exchange, failure.status, Buffer.from(failure.body, 'latin1'), mutate, failure.grpcStatus, late)
}

/** Sends the answer that a route is. `details` is set by the caller. */
export function respondWith(
  exchange: Exchange,
  status: number,
  body: Uint8Array,
  more: (headers: ResponseHeaders) => void,
): void {
  const mutate = (headers: ResponseHeaders): void => {
    more(headers)
    exchange.responseMutations?.(headers, exchange.info)
  }
  send(exchange, status, body, mutate)
}

function send(
  exchange: Exchange,
  status: number,
  given: Uint8Array,
  mutate: (headers: ResponseHeaders) => void,
  grpcStatus?: number,
  lateFlag?: ResponseFlag,
): void {
  const headers = new ResponseHeaders()
  headers.status = status
  mutate(headers)
  const rewritten = exchange.localReply?.(headers, given, exchange.info)
  const body = rewritten?.bytes ?? given
  if (lateFlag !== undefined) exchange.info.flags.add(lateFlag)
  if (isGrpc(exchange.info.requestHeaders?.get('content-type'))) {
    respondGrpc(exchange, headers, body, grpcStatus ?? grpcStatusOfHttp(headers.status))
    return
  }
  if (body.length > 0) {
    headers.set('content-length', String(body.length))
    if (rewritten?.contentType !== undefined) {
      headers.remove('content-type')
      headers.append('content-type', rewritten.contentType)
    } else if (!headers.has('content-type')) headers.append('content-type', 'text/plain')
  } else {
    headers.remove('content-length')
    headers.remove('content-type')
  }
  const isHead = exchange.info.requestHeaders?.method === 'HEAD'
  if (body.length === 0 || isHead) exchange.sendHead(headers, true)
  else {
    exchange.sendHead(headers, false)
    exchange.sendData(body)
    exchange.sendEnd()
  }
}

/** A gRPC client reads its status from fields; the HTTP status is 200. */
function respondGrpc(exchange: Exchange, headers: ResponseHeaders, body: Uint8Array, grpcStatus: number): void {
  headers.set('content-type', 'application/grpc')
  headers.set('grpc-status', String(grpcStatus))
  // A JSON body ends its line, a field does not.
  const message = body.at(-1) === 10 ? body.subarray(0, -1) : body
  if (message.length > 0) headers.set('grpc-message', percentEncoded(message))
  headers.status = 200
  exchange.sendHead(headers, true)
}

/** What is not printable ASCII, and the percent sign, as `%XX`. */
function percentEncoded(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    const plain = byte >= 32 && byte <= 126 && byte !== 37
    text += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return text
}
