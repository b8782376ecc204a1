import type { RouteTable } from '../route/compile-routes.ts'
import { findRoute } from '../route/find-route.ts'
import type { Exchange } from './exchange.ts'

/** The exchange goes by the route that its request leads to; a CONNECT by none. */
export function takeRoute(exchange: Exchange, routes: RouteTable): void {
  const { headers, info } = exchange
  const route = headers.method === 'CONNECT' ? undefined : findRoute(routes, headers, exchange)
  exchange.route = route
  if (route === undefined) return
  info.route = route.route
  info.virtualHostName = route.virtualHost.name
  info.virtualHostMetadata = route.virtualHost.metadata
  exchange.responseMutations = route.mutations.response
}
