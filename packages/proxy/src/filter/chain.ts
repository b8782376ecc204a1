import type { Clock } from '../clock.ts'
import type { Exchange } from '../http/exchange.ts'
import { type ChooseServices, chooseCluster } from './choose-cluster.ts'
import { HeldRequest } from './held-request.ts'
import { type ChainedFilter, type HttpFilter, isDisabled } from './http-filter.ts'

/** The terminal filter. */
export type Router = (exchange: Exchange) => void

/**
 * The filters of a listener as one function. A request goes through them in the order of the configuration, its response back in the
 * opposite one; a filter that answers by itself is heard by all of them, as in Envoy. Without filters it is the router itself.
 */
export function composeFilters(
  filters: readonly ChainedFilter[],
  router: Router,
  services: ChooseServices & { clock: Clock },
): Router {
  if (filters.length === 0) return router
  return exchange => {
    const { route } = exchange
    // Filters may ask where it goes, and a log names the cluster of a request that none of them lets through.
    if (route?.route.action.type === 'route') chooseCluster(exchange, route, route.route.action, services)
    const taking: HttpFilter[] = []
    for (const chained of filters) {
      const filter = isDisabled(exchange, chained) ? undefined : chained.create(exchange)
      if (filter !== undefined) taking.push(filter)
    }
    if (taking.length === 0) {
      router(exchange)
      return
    }
    // The first in the list is the nearest to the client.
    for (const filter of taking) if (filter.encode !== undefined) exchange.encodeThrough(filter.encode.bind(filter))
    exchange.onDestroy = () => {
      for (const filter of taking) filter.destroy?.()
    }
    const held = new HeldRequest(exchange, services.clock)
    exchange.handler = held
    const from = (i: number): void => {
      if (held.over) return
      const filter = taking[i]
      if (filter === undefined) held.release(router, taking)
      else if (filter.decode === undefined) from(i + 1)
      else filter.decode(() => from(i + 1), held)
    }
    from(0)
  }
}
