import type { FilterChain, Listener } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseHttpConnectionManager } from './parse-http-connection-manager.ts'
import { parseSocketAddress } from './socket-address.ts'

const HTTP_CONNECTION_MANAGER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'

/** Of an envoy.config.listener.v3.Listener. */
export function parseListener(message: Message, context: ParseContext): Listener {
  const address = parseSocketAddress(message.message('address'), { onlyIp: ': a listener needs an IP' }, context)
  if (!message.has('address') && !message.broken.has('address'))
    context.problems.add('invalid', message.place('address'), 'is required')
  return {
    name: message.string('name') || `${address.address}:${address.port}`,
    address,
    trafficDirection: message.enum<Listener['trafficDirection']>('traffic_direction', 'UNSPECIFIED'),
    perConnectionBufferLimitBytes: message.number('per_connection_buffer_limit_bytes', 1024 * 1024),
    filterChains: parseFilterChains(message, context),
  }
}

function parseFilterChains(message: Message, context: ParseContext): FilterChain[] {
  const chains = message.messages('filter_chains')
  if (chains.length === 0 && !message.has('default_filter_chain') && !message.broken.has('filter_chains')) {
    context.problems.add('invalid', message.place('filter_chains'), 'no filter chains specified: a listener needs one')
  }
  const unmatched = chains.filter(chain => (chain.message('filter_chain_match')?.fields.size ?? 0) === 0)
  for (const chain of unmatched.slice(1)) {
    context.problems.add('invalid', chain, 'there is another filter chain with the same (empty) filter_chain_match')
  }
  return chains.flatMap(chain => {
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
    if (config === undefined) return []
    return [{ name: chain.string('name'), httpConnectionManager: parseHttpConnectionManager(config, context) }]
  })
}
