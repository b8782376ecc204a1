import type { FilterChain, FilterChainMatch, Listener } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import { parseCidrRanges } from './cidr-ranges.ts'
import type { ParseContext } from './context.ts'
import { parseMetadata } from './metadata.ts'
import { parseHttpConnectionManager } from './parse-http-connection-manager.ts'
import { parseListenAddress } from './socket-address.ts'

const HTTP_CONNECTION_MANAGER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'

/** Of an envoy.config.listener.v3.Listener. */
export function parseListener(message: Message, context: ParseContext): Listener {
  const address = parseListenAddress(message.message('address'), ': a listener needs an IP', context)
  if (!message.has('address') && !message.broken.has('address'))
    context.problems.add('invalid', message.place('address'), 'is required')
  return {
    name: message.string('name') || (address.isPipe ? address.address : `${address.address}:${address.port}`),
    address,
    trafficDirection: message.enum<Listener['trafficDirection']>('traffic_direction', 'UNSPECIFIED'),
    ...(message.has('metadata') ? { metadata: parseMetadata(message.message('metadata')) } : {}),
    perConnectionBufferLimitBytes: message.number('per_connection_buffer_limit_bytes', 1024 * 1024),
    statPrefix: message.string('stat_prefix'),
    ...(message.has('tcp_backlog_size') ? { tcpBacklogSize: message.number('tcp_backlog_size') } : {}),
    ...parseFilterChains(message, context),
  }
}

function parseFilterChains(
  message: Message,
  context: ParseContext,
): Pick<Listener, 'filterChains' | 'defaultFilterChain'> {
  const chains = message.messages('filter_chains')
  if (chains.length === 0 && !message.has('default_filter_chain') && !message.broken.has('filter_chains')) {
    context.problems.add('invalid', message.place('filter_chains'), 'no filter chains specified: a listener needs one')
  }
  const others = new Map<string, string>()
  const parsed = chains.flatMap(chain => {
    const given = chain.message('filter_chain_match')
    const match = given && given.fields.size > 0 ? parseMatch(given, context) : undefined
    const key = JSON.stringify(match ?? {})
    if (others.has(key)) {
      const what = `there is another filter chain with the same ${match === undefined ? '(empty) ' : ''}filter_chain_match`
      context.problems.add('invalid', chain, what)
    }
    others.set(key, chain.string('name'))
    return parseFilterChain(chain, match, context) ?? []
  })
  const last = message.message('default_filter_chain')
  const defaultFilterChain = last && parseFilterChain(last, undefined, context)
  return { filterChains: parsed, ...(defaultFilterChain === undefined ? {} : { defaultFilterChain }) }
}

function parseMatch(message: Message, context: ParseContext): FilterChainMatch {
  const ranges = <K extends string>(key: K, field: string): { [key in K]?: string[] } =>
    (message.has(field) ? { [key]: parseCidrRanges(message.messages(field), context) } : {}) as {
      [key in K]?: string[]
    }
  return {
    ...(message.has('destination_port') ? { destinationPort: message.number('destination_port') } : {}),
    ...ranges('prefixRanges', 'prefix_ranges'),
    ...ranges('directSourcePrefixRanges', 'direct_source_prefix_ranges'),
    ...(message.has('source_type')
      ? { sourceType: message.enum<NonNullable<FilterChainMatch['sourceType']>>('source_type', 'ANY') }
      : {}),
    ...ranges('sourcePrefixRanges', 'source_prefix_ranges'),
    ...(message.has('source_ports')
      ? { sourcePorts: message.scalars('source_ports').map(port => Number(port.value)) }
      : {}),
  }
}

function parseFilterChain(
  chain: Message,
  match: FilterChainMatch | undefined,
  context: ParseContext,
): FilterChain | undefined {
  const filters = chain.messages('filters')
  const managers = filters.filter(filter => filter.message('typed_config')?.type === HTTP_CONNECTION_MANAGER)
  for (const manager of managers) {
    if (manager === filters.at(-1)) continue
    context.problems.add(
      'invalid',
      manager,
      'http_connection_manager is a terminal filter and must be the last of its filter chain',
    )
  }
  if (filters.length === 0 && !chain.broken.has('filters')) {
    const what = 'Envoy closes each connection of a filter chain without filters; Hopscope does not support that yet'
    context.problems.add('unsupported', chain.place('filters'), what)
  }
  const config = managers.at(-1)?.message('typed_config')
  if (config === undefined) return undefined
  return {
    name: chain.string('name'),
    ...(chain.has('metadata') ? { metadata: parseMetadata(chain.message('metadata')) } : {}),
    ...(match === undefined ? {} : { match }),
    httpConnectionManager: parseHttpConnectionManager(config, context),
  }
}
