import type { RouteAction } from '@hopscope/envoy-config'
import type { Exchange } from '../http/exchange.ts'
import type { CompiledRoute, RouteMutations } from '../route/compile-routes.ts'

/** The request's head as the upstream gets it: mutations of all levels, then the rewritten path and host. */
export function finaliseRequest(
  exchange: Exchange,
  route: CompiledRoute,
  action: RouteAction,
  mutations: RouteMutations,
  suppressEnvoyHeaders: boolean,
): void {
  const { headers, info } = exchange
  mutations.request?.(headers, info)
  const literal = exchange.cluster?.weighted?.hostRewriteLiteral
  if (literal !== undefined) headers.authority = literal
  const host = route.rewriteHost?.(headers, info)
  if (host !== undefined) rewriteHost(exchange, host, action, suppressEnvoyHeaders)
  const path = route.rewritePath?.(headers, info)
  if (path !== undefined) rewritePath(exchange, path, suppressEnvoyHeaders)
}

export function rewritePath({ headers }: Exchange, path: string, suppressEnvoyHeaders: boolean): void {
  if (!suppressEnvoyHeaders) headers.set('x-envoy-original-path', headers.path)
  headers.path = path
}

export function rewriteHost(
  exchange: Exchange,
  host: string,
  action: Pick<RouteAction, 'appendXForwardedHost'>,
  suppressEnvoyHeaders: boolean,
): void {
  const { headers } = exchange
  if (!suppressEnvoyHeaders) headers.set('x-envoy-original-host', headers.authority)
  if (action.appendXForwardedHost) headers.appendJoined('x-forwarded-host', headers.authority, ',')
  headers.authority = host
}
