import type { PerFilterConfig, RouteFilterConfig } from '@hopscope/envoy-config'
import type { Exchange, ResponseSink } from '../http/exchange.ts'
import type { DecodesBody, HeldRequest } from './held-request.ts'

/** The part of one filter in one request. All are optional: a filter has what it needs. */
export interface HttpFilter extends DecodesBody {
  /**
   * The request's head has come this far. Calls `next`, now or later, or answers through `respond`; never both. `held` has what came
   * of the body meanwhile.
   */
  decode?(next: () => void, held: HeldRequest): void
  /** What stands between those behind this filter and the client: it hands the response on to `sink`, now or later. */
  encode?(sink: ResponseSink): ResponseSink
  /** The exchange is over, however it ended. */
  destroy?(): void
}

/**
 * Called for each request when it has come to the filter; undefined: the filter has no part in this one. `answered`: it never will
 * come, for a filter before this one has answered; the filter has part in that answer alone.
 */
export type CreateFilter = (exchange: Exchange, answered: boolean) => HttpFilter | undefined

/** A filter in its place. */
export interface ChainedFilter {
  name: string
  /** Unless a route has a word on it. */
  disabled: boolean
  create: CreateFilter
}

/** What is said of filters for this request: by its weighted cluster, route, virtual host and all routes. */
export function* perFilterConfigs({ route, cluster }: Exchange): Generator<PerFilterConfig> {
  if (cluster?.weighted !== undefined) yield cluster.weighted.perFilterConfig
  if (route !== undefined) yield* route.perFilterConfigs
}

/** What the most specific level says of a filter, if any of them says something. */
export function configOf<T extends RouteFilterConfig>(
  exchange: Exchange,
  name: string,
  type: T['type'],
): T | undefined {
  for (const level of perFilterConfigs(exchange)) {
    const config = level.get(name)?.config
    if (config?.type === type) return config as T
  }
  return undefined
}

/** What all levels say of it, the most specific first. */
export function allConfigsOf<T extends RouteFilterConfig>(exchange: Exchange, name: string, type: T['type']): T[] {
  const configs: T[] = []
  for (const level of perFilterConfigs(exchange)) {
    const config = level.get(name)?.config
    if (config?.type === type) configs.push(config as T)
  }
  return configs
}

/** Whether a filter has no part in this request, by the most specific level that names it, else by the listener. */
export function isDisabled(exchange: Exchange, { name, disabled }: ChainedFilter): boolean {
  for (const level of perFilterConfigs(exchange)) {
    const said = level.get(name)
    if (said !== undefined) return said.disabled
  }
  return disabled
}
