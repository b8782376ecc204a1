import type { Instant } from '../stream-info.ts'
import type { ConnectionManagerContext } from './connection-manager-context.ts'
import type { Exchange } from './exchange.ts'
import { NameSet, type ResponseHeaders } from './headers.ts'
import { httpDate } from './http-date.ts'

/** Taken from every response: they are this hop's business. */
const HOP_BY_HOP = new NameSet(['connection', 'upgrade', 'transfer-encoding', 'keep-alive', 'proxy-connection'])

/** What the connection manager takes from every response and puts into it. (Envoy `ConnectionManagerUtility::mutateResponseHeaders`) */
export function completeResponse(
  headers: ResponseHeaders,
  { info, span }: Exchange,
  { config, clock, addProxyStatus }: ConnectionManagerContext,
  now: Instant,
): void {
  headers.removeAll(HOP_BY_HOP)
  if (!headers.has('date')) headers.append('date', httpDate(clock.epochMicros(now)))
  if (config.serverHeaderTransformation === 'OVERWRITE') headers.set('server', config.serverName)
  else if (config.serverHeaderTransformation === 'APPEND_IF_ABSENT' && !headers.has('server')) {
    headers.append('server', config.serverName)
  }
  const { requestHeaders } = info
  if (config.alwaysSetRequestIdInResponse || requestHeaders?.has('x-envoy-force-trace')) {
    const id = requestHeaders?.get('x-request-id')
    if (id !== undefined) headers.set('x-request-id', id)
  }
  span?.onResponseHeaders(headers)
  if (config.via !== '') headers.appendJoined('via', config.via, ', ')
  addProxyStatus?.(headers, info)
}

/** Of a 1xx. Envoy leaves Keep-Alive here, which means nothing in an interim response. */
export function completeInterimResponse(headers: ResponseHeaders): void {
  headers.removeWhere(name => name !== 'keep-alive' && HOP_BY_HOP.has(name))
}
