import { FAILURES, type Failure } from '../errors.ts'
import { respond } from '../respond.ts'
import type { RequestHead } from './codec/request-decoder.ts'
import { hasToken } from './codec/response-decoder.ts'
import type { ConnectionManagerContext } from './connection-manager-context.ts'
import type { Exchange } from './exchange.ts'
import { stripMatchingPort, stripPort, stripTrailingDot } from './strip-host.ts'

/** Refuses what has no Host or a path that is none, and brings both into their normal form. False: it has been answered. */
export function checkRequest(exchange: Exchange, head: RequestHead, context: ConnectionManagerContext): boolean {
  const { config, stats } = context
  const { headers, info } = exchange
  if (!head.hasHost || nominatesHost(head.connection)) {
    headers.authority = ''
    return refuse(exchange, FAILURES.missing_host, context)
  }
  // What it asks is its body (draft-ietf-httpbis-safe-method-w-body §2).
  if (headers.method === 'QUERY' && !headers.get('content-type'))
    return refuse(exchange, FAILURES.query_without_type, context)
  if (headers.path.charCodeAt(0) !== 47 && headers.method !== 'CONNECT') {
    stats.downstream_rq_non_relative_path.add()
    return refuse(exchange, FAILURES.absolute_path, context)
  }
  const verdict = headers.path.includes('#') ? 'reject' : (context.normalisePath?.(headers) ?? 'go on')
  if (verdict === 'reject') {
    stats.downstream_rq_failed_path_normalization.add()
    return refuse(exchange, FAILURES.bad_path, context)
  }
  if (verdict === 'redirect') {
    stats.downstream_rq_redirected_with_normalized_path.add()
    context.tracer?.refused()
    respond(exchange, FAILURES.normalised_path, response => response.append('location', headers.path))
    return false
  }
  if (config.stripTrailingHostDot) {
    headers.authority = stripTrailingDot(headers.authority)
    headers.emptyAuthority = headers.authority === ''
  }
  if (config.stripAnyHostPort) headers.authority = stripPort(headers.authority)
  else if (config.stripMatchingHostPort) headers.authority = stripMatchingPort(headers.authority, info)
  return true
}

/** Answers a request that goes no further: no route, no span. */
export function refuse(exchange: Exchange, failure: Failure, { config, tracer }: ConnectionManagerContext): false {
  tracer?.refused()
  respond(exchange, config.streamErrorOnInvalidHttpMessage ? { ...failure, close: false } : failure)
  return false
}

function nominatesHost(connection: string): boolean {
  return connection !== '' && hasToken(connection, 'host')
}
