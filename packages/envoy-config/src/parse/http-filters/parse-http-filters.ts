import type { HttpFilter, HttpFilterConfig, PerFilter, PerFilterConfig, RouteFilterConfig } from '../../http-filters.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseBuffer, parseBufferOfRoute } from './parse-buffer.ts'
import { parseCompressor, parseCompressorOfRoute, parseDecompressor } from './parse-compression.ts'
import { parseCors, parseCorsPolicy } from './parse-cors.ts'
import { parseCsrf } from './parse-csrf.ts'
import { parseExtAuthz, parseExtAuthzOfRoute } from './parse-ext-authz.ts'
import { parseFault } from './parse-fault.ts'
import { parseHeaderMutation } from './parse-header-mutation.ts'
import { parseHealthCheck } from './parse-health-check.ts'
import { parseLocalRateLimit, parseLocalRateLimitOfRoute } from './parse-local-ratelimit.ts'
import { parseRbac, parseRbacOfRoute } from './parse-rbac.ts'

const ROUTER = 'envoy.extensions.filters.http.router.v3.Router'

const FILTER_CONFIG = 'envoy.config.route.v3.FilterConfig'
const HTTP = 'envoy.extensions.filters.http.'

/** The filters by the type of their configuration: a new filter is a line here. */
const filterParsers: Readonly<Record<string, (message: Message, context: ParseContext) => HttpFilterConfig>> = {
  [ROUTER]: parseRouter,
  [`${HTTP}buffer.v3.Buffer`]: parseBuffer,
  [`${HTTP}compressor.v3.Compressor`]: parseCompressor,
  [`${HTTP}cors.v3.Cors`]: parseCors,
  [`${HTTP}csrf.v3.CsrfPolicy`]: parseCsrf,
  [`${HTTP}decompressor.v3.Decompressor`]: parseDecompressor,
  [`${HTTP}ext_authz.v3.ExtAuthz`]: parseExtAuthz,
  [`${HTTP}fault.v3.HTTPFault`]: parseFault,
  [`${HTTP}header_mutation.v3.HeaderMutation`]: parseHeaderMutation,
  [`${HTTP}health_check.v3.HealthCheck`]: parseHealthCheck,
  [`${HTTP}local_ratelimit.v3.LocalRateLimit`]: parseLocalRateLimit,
  [`${HTTP}rbac.v3.RBAC`]: parseRbac,
}

/** And what routes say of them. */
const routeParsers: Readonly<Record<string, (message: Message, context: ParseContext) => RouteFilterConfig>> = {
  [`${HTTP}buffer.v3.BufferPerRoute`]: parseBufferOfRoute,
  [`${HTTP}compressor.v3.CompressorPerRoute`]: parseCompressorOfRoute,
  [`${HTTP}ext_authz.v3.ExtAuthzPerRoute`]: parseExtAuthzOfRoute,
  [`${HTTP}cors.v3.CorsPolicy`]: parseCorsPolicy,
  [`${HTTP}csrf.v3.CsrfPolicy`]: parseCsrf,
  [`${HTTP}fault.v3.HTTPFault`]: parseFault,
  [`${HTTP}header_mutation.v3.HeaderMutationPerRoute`]: parseHeaderMutation,
  [`${HTTP}local_ratelimit.v3.LocalRateLimit`]: parseLocalRateLimitOfRoute,
  [`${HTTP}rbac.v3.RBACPerRoute`]: parseRbacOfRoute,
}

/** Of HttpConnectionManager.http_filters. The router is the one terminal filter: it must be there, once, and last. */
export function parseHttpFilters(message: Message, context: ParseContext): HttpFilter[] {
  const filters = message.messages('http_filters')
  const routers = filters.filter(filter => filter.message('typed_config')?.type === ROUTER)
  for (const router of routers) {
    if (router === filters.at(-1)) continue
    const what = `terminal filter named ${router.string('name')} of type envoy.filters.http.router must be the last filter in a http filter chain`
    context.problems.add('invalid', router, what)
  }
  if (filters.at(-1)?.boolean('disabled') && filters.at(-1) === routers.at(-1)) {
    const what = 'the last (terminal) filter in the chain cannot be disabled by default'
    context.problems.add('invalid', filters.at(-1)!.place('disabled'), what)
  }
  if (filters.length === 0 && !message.broken.has('http_filters')) {
    const what =
      'there is no router filter: Envoy would start and answer no request, Hopscope asks for envoy.filters.http.router'
    context.problems.add('unsupported', message.place('http_filters'), what)
  } else if (routers.length === 0) {
    const last = filters.at(-1)!
    const typed = last.message('typed_config')
    if (typed !== undefined && !message.broken.has('http_filters')) {
      context.problems.add('invalid', last, 'the last filter must be a terminal filter: envoy.filters.http.router')
    }
  }
  return filters.flatMap((filter): HttpFilter[] => {
    const config = filter.message('typed_config')
    const parse = filterParsers[config?.type ?? '']
    if (parse === undefined) return []
    return [{ name: filter.string('name'), disabled: filter.boolean('disabled'), config: parse(config!, context) }]
  })
}

/** Of a `typed_per_filter_config`: what this level says of each filter. */
export function parsePerFilterConfig(message: Message, context: ParseContext): PerFilterConfig {
  const configs = new Map<string, PerFilter>()
  for (const [name, value] of message.entries('typed_per_filter_config')) {
    if (value.kind === 'message') configs.set(name, parsePerFilter(name, value, context))
  }
  return configs
}

/** Of one entry: a configuration, or a FilterConfig with one in it, or without. */
function parsePerFilter(name: string, message: Message, context: ParseContext): PerFilter {
  const wrapped = message.type === FILTER_CONFIG
  const config = wrapped ? message.message('config') : message
  const disabled = wrapped && message.boolean('disabled')
  if (wrapped && config === undefined && !disabled && !message.broken.has('config')) {
    const what = `empty route/virtual host per filter configuration for ${name} filter: it needs a config, or disabled`
    context.problems.add('invalid', message, what)
  }
  const parse = routeParsers[config?.type ?? '']
  return { disabled, config: disabled || parse === undefined ? undefined : parse(config!, context) }
}

function parseRouter(message: Message): Extract<HttpFilter['config'], { type: 'router' }> {
  return {
    type: 'router',
    suppressEnvoyHeaders: message.boolean('suppress_envoy_headers'),
    startChildSpan: message.boolean('start_child_span'),
    respectExpectedRqTimeout: message.boolean('respect_expected_rq_timeout'),
    strictCheckHeaders: message.strings('strict_check_headers').map(name => name.toLowerCase()),
  }
}
