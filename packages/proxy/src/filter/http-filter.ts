import type { RoutableFilterConfig } from '@hopscope/envoy-config'
import type { Exchange, ResponseSink } from '../http/exchange.ts'

/** The part of one filter in one request. All three are optional: a filter has what it needs. */
export interface HttpFilter {
  /** The request's head has come this far. Calls `next`, now or later, or answers through `respond`; never both. */
  decode?(next: () => void): void
  /** What stands between those behind this filter and the client: it hands the response on to `sink`, now or later. */
  encode?(sink: ResponseSink): ResponseSink
  /** The exchange is over, however it ended. */
  destroy?(): void
}

/** Called for each request when it has its route; undefined: the filter has no part in this one. */
export type CreateFilter = (exchange: Exchange) => HttpFilter | undefined

/**
 * What is said of a filter for this request: by its weighted cluster, route, virtual host or route configuration (`typed_per_filter_config`; the most
 * specific one alone counts), else by the listener.
 */
export function configOf<T extends RoutableFilterConfig>(exchange: Exchange, name: string, listeners: T): T {
  const { route, cluster } = exchange
  if (route === undefined) return listeners
  const config =
    cluster?.weighted?.perFilterConfig.get(name) ??
    route.route.perFilterConfig.get(name) ??
    route.virtualHost.perFilterConfig.get(name) ??
    route.perFilterConfig.get(name)
  return config?.type === listeners.type ? (config as T) : listeners
}
