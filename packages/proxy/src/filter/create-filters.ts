import type { HttpConnectionManager, HttpFilterConfig, RouterFilter } from '@hopscope/envoy-config'
import type { HttpStats } from '../http/http-stats.ts'
import { createBuffer } from './buffer/buffer.ts'
import { type CompressorServices, createCompressorFilter } from './compression/compressor.ts'
import { createDecompressorFilter, type DecompressorServices } from './compression/decompressor.ts'
import { type CorsServices, createCors } from './cors/cors.ts'
import { type CsrfServices, createCsrf } from './csrf/csrf.ts'
import { createExtAuthz, type ExtAuthzServices } from './ext-authz/ext-authz.ts'
import { createFault, type FaultServices } from './fault/fault.ts'
import { createHeaderMutation } from './header-mutation/header-mutation.ts'
import { createHealthCheck, type HealthCheckServices } from './health-check/health-check.ts'
import type { ChainedFilter, CreateFilter } from './http-filter.ts'
import { createLocalRateLimit, type LocalRateLimitServices } from './local-ratelimit/local-ratelimit.ts'
import { createRbac, type RbacServices } from './rbac/rbac.ts'

export type FilterServices = FaultServices &
  LocalRateLimitServices &
  CompressorServices &
  DecompressorServices &
  CorsServices &
  CsrfServices &
  ExtAuthzServices &
  HealthCheckServices &
  RbacServices & { http: HttpStats }

/** The filters of a listener in order, and the router at their end. */
export function createFilters(
  { httpFilters, statPrefix }: HttpConnectionManager,
  services: FilterServices,
): { filters: ChainedFilter[]; router: RouterFilter } {
  const filters: ChainedFilter[] = []
  let router: RouterFilter | undefined
  for (const { name, disabled, config } of httpFilters) {
    if (config.type === 'router') router = config
    else filters.push({ name, disabled, create: createFilter(name, config, statPrefix, services) })
  }
  // Loading a file without one is an error already.
  return { filters, router: router! }
}

/** A new filter is a case here. */
function createFilter(
  name: string,
  config: Exclude<HttpFilterConfig, RouterFilter>,
  statPrefix: string,
  services: FilterServices,
): CreateFilter {
  switch (config.type) {
    case 'buffer':
      return createBuffer(name, config, services.http)
    case 'compressor':
      return createCompressorFilter(name, config, statPrefix, services)
    case 'cors':
      return createCors(name, statPrefix, services)
    case 'csrf':
      return createCsrf(name, config, statPrefix, services)
    case 'decompressor':
      return createDecompressorFilter(config, statPrefix, services)
    case 'ext_authz':
      return createExtAuthz(name, config, statPrefix, services)
    case 'fault':
      return createFault(name, config, statPrefix, services)
    case 'header_mutation':
      return createHeaderMutation(name, config)
    case 'health_check':
      return createHealthCheck(config, statPrefix, services)
    case 'local_ratelimit':
      return createLocalRateLimit(name, config, services)
    case 'rbac':
      return createRbac(name, config, statPrefix, services)
  }
}
