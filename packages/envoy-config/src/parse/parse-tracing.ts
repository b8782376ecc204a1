import type { CustomTag, Tracing, ZipkinConfig } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import { checkCluster, type ParseContext } from './context.ts'
import { parsePercent } from './percent.ts'

/** Of HttpConnectionManager.Tracing. */
export function parseTracing(message: Message, context: ParseContext): Tracing {
  const provider = message.message('provider')?.message('typed_config')
  return {
    clientSampling: parsePercent(message.message('client_sampling'), 100),
    randomSampling: parsePercent(message.message('random_sampling'), 100),
    overallSampling: parsePercent(message.message('overall_sampling'), 100),
    verbose: message.boolean('verbose'),
    maxPathTagLength: message.number('max_path_tag_length', 256),
    customTags: message.messages('custom_tags').flatMap(tag => parseCustomTag(tag) ?? []),
    spawnUpstreamSpan: message.boolean('spawn_upstream_span'),
    ...(provider?.type === 'envoy.config.trace.v3.ZipkinConfig' ? { provider: parseZipkin(provider, context) } : {}),
  }
}

function parseCustomTag(message: Message): CustomTag | undefined {
  const tag = message.string('tag')
  const literal = message.message('literal')
  if (literal !== undefined) return { tag, type: 'literal', value: literal.string('value') }
  for (const type of ['environment', 'request_header'] as const) {
    const source = message.message(type)
    if (source !== undefined)
      return { tag, type, name: source.string('name'), defaultValue: source.string('default_value') }
  }
  return undefined
}

function parseZipkin(message: Message, context: ParseContext): ZipkinConfig {
  const collectorCluster = message.string('collector_cluster')
  const collectorEndpoint = message.string('collector_endpoint')
  if (!message.has('collector_service')) {
    for (const name of ['collector_cluster', 'collector_endpoint']) {
      if (message.string(name) === '' && !message.broken.has(name))
        context.problems.add('invalid', message.place(name), 'is required')
    }
    if (collectorCluster !== '')
      checkCluster(collectorCluster, message.valuePlace('collector_cluster'), 'envoy.tracers.zipkin', context)
  }
  return {
    type: 'zipkin',
    collectorCluster,
    collectorEndpoint,
    collectorHostname: message.string('collector_hostname') || collectorCluster,
    traceId128bit: message.boolean('trace_id_128bit'),
    sharedSpanContext: message.boolean('shared_span_context', true),
    w3cPropagation:
      message.enum<'USE_B3' | 'USE_B3_WITH_W3C_PROPAGATION'>('trace_context_option', 'USE_B3') ===
      'USE_B3_WITH_W3C_PROPAGATION',
  }
}
