import type { HttpConnectionManager, RouterFilter } from '@hopscope/envoy-config'
import { createFault, type FaultServices } from './fault/fault.ts'
import type { CreateFilter } from './http-filter.ts'
import { createLocalRateLimit, type LocalRateLimitServices } from './local-ratelimit/local-ratelimit.ts'

export type FilterServices = FaultServices & LocalRateLimitServices

/** The filters of a listener in order, and the router at their end. A new filter is a case here. */
export function createFilters(
  { httpFilters, statPrefix }: HttpConnectionManager,
  services: FilterServices,
): { filters: CreateFilter[]; router: RouterFilter } {
  const filters: CreateFilter[] = []
  let router: RouterFilter | undefined
  for (const { name, config } of httpFilters) {
    switch (config.type) {
      case 'router':
        router = config
        break
      case 'fault':
        filters.push(createFault(name, config, statPrefix, services))
        break
      case 'local_ratelimit':
        filters.push(createLocalRateLimit(name, config, services))
        break
    }
  }
  // Loading a file without one is an error already.
  return { filters, router: router! }
}
