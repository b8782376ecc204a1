import type { HttpFilter, PerFilterConfig, RoutableFilterConfig } from '../../http-filters.ts'
import type { Message } from '../../schema/message.ts'
import type { ParseContext } from '../context.ts'
import { parseFault } from './parse-fault.ts'
import { parseLocalRateLimit } from './parse-local-ratelimit.ts'

const ROUTER = 'envoy.extensions.filters.http.router.v3.Router'

/** The filters that a route may configure anew, by the type of their configuration: a new filter is a line here. */
const parsers: Readonly<Record<string, (message: Message, context: ParseContext) => RoutableFilterConfig>> = {
  'envoy.extensions.filters.http.fault.v3.HTTPFault': parseFault,
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': parseLocalRateLimit,
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
    const name = filter.string('name')
    if (config?.type === ROUTER) return [{ name, config: parseRouter(config) }]
    const parse = parsers[config?.type ?? '']
    return parse === undefined ? [] : [{ name, config: parse(config!, context) }]
  })
}

/** Of a `typed_per_filter_config`: what this level says of each filter. */
export function parsePerFilterConfig(message: Message, context: ParseContext): PerFilterConfig {
  const configs = new Map<string, RoutableFilterConfig>()
  for (const [name, value] of message.entries('typed_per_filter_config')) {
    if (value.kind !== 'message') continue
    const parse = parsers[value.type]
    if (parse !== undefined) configs.set(name, parse(value, context))
  }
  return configs
}

function parseRouter(message: Message): Extract<HttpFilter['config'], { type: 'router' }> {
  return {
    type: 'router',
    suppressEnvoyHeaders: message.boolean('suppress_envoy_headers'),
    startChildSpan: message.boolean('start_child_span'),
    respectExpectedRqTimeout: message.boolean('respect_expected_rq_timeout'),
  }
}
