import type { RouteAction } from '@hopscope/envoy-config'
import type { Exchange } from '../http/exchange.ts'
import type { CompiledRoute, RouteMutations } from '../route/compile-routes.ts'
import { rewritePrefix } from '../route/redirect.ts'

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
  if (action.hostRewriteLiteral !== undefined)
    rewriteHost(exchange, action.hostRewriteLiteral, action, suppressEnvoyHeaders)
  if (action.prefixRewrite !== undefined) {
    if (!suppressEnvoyHeaders) headers.set('x-envoy-original-path', headers.path)
    headers.path = rewritePrefix(route.route.match, headers.path, action.prefixRewrite)
  }
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
