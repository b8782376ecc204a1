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
    // The first route decides which filters take part; what a route configures is read when a filter's turn comes.
    const there = filters.filter(chained => !isDisabled(exchange, chained))
    if (there.length === 0) {
      router(exchange)
      return
    }
    const taking: HttpFilter[] = []
    let reached = 0
    const enter = (answered: boolean): HttpFilter | undefined => {
      const filter = there[reached++]!.create(exchange, answered)
      if (filter === undefined) return undefined
      taking.push(filter)
      // The first in the list is the nearest to the client.
      if (filter.encode !== undefined) exchange.encodeThrough(filter.encode.bind(filter))
      return filter
    }
    exchange.beforeResponse = () => {
      while (reached < there.length) enter(true)
    }
    exchange.onDestroy = () => {
      for (const filter of taking) filter.destroy?.()
    }
    const held = new HeldRequest(exchange, services.clock)
    exchange.handler = held
    const goOn = (): void => {
      while (!held.over) {
        if (reached === there.length) {
          held.release(router, taking)
          return
        }
        const filter = enter(false)
        if (filter?.decode !== undefined) {
          filter.decode(goOn, held)
          return
        }
      }
    }
    goOn()
  }
}
