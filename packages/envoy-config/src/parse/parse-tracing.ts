import type { CustomTag } from '../custom-tag.ts'
import type { Tracing, ZipkinConfig } from '../listener.ts'
import type { RouteTracing } from '../route.ts'
import type { Message } from '../schema/message.ts'
import { checkCluster, checkFormat, type ParseContext } from './context.ts'
import { parseHttpService } from './parse-http-service.ts'
import { parseOpenTelemetry } from './parse-opentelemetry.ts'
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
    ...parseSpanNaming(message, context),
    spawnUpstreamSpan: message.boolean('spawn_upstream_span'),
    noContextPropagation: message.boolean('no_context_propagation'),
    ...(provider?.type === 'envoy.config.trace.v3.ZipkinConfig' ? { provider: parseZipkin(provider, context) } : {}),
    ...(provider?.type === 'envoy.config.trace.v3.OpenTelemetryConfig'
      ? { provider: parseOpenTelemetry(provider, context) }
      : {}),
  }
}

/** What the tracing of a connection manager and of a route say of spans alike. */
export function parseSpanNaming(
  message: Message,
  context: ParseContext,
): Pick<RouteTracing, 'customTags' | 'operation' | 'upstreamOperation'> {
  for (const name of ['operation', 'upstream_operation']) {
    if (message.has(name)) checkFormat(message.string(name), message.valuePlace(name), context)
  }
  return {
    customTags: message.messages('custom_tags').flatMap(tag => parseCustomTag(tag, context) ?? []),
    operation: message.string('operation'),
    upstreamOperation: message.string('upstream_operation'),
  }
}

function parseCustomTag(message: Message, context: ParseContext): CustomTag | undefined {
  const tag = message.string('tag')
  const literal = message.message('literal')
  if (literal !== undefined) return { tag, type: 'literal', value: literal.string('value') }
  if (message.has('value')) {
    const value = message.string('value')
    checkFormat(value, message.valuePlace('value'), context)
    return { tag, type: 'value', value }
  }
  const metadata = message.message('metadata')
  if (metadata !== undefined) return parseMetadataTag(tag, metadata)
  for (const type of ['environment', 'request_header'] as const) {
    const source = message.message(type)
    if (source !== undefined)
      return { tag, type, name: source.string('name'), defaultValue: source.string('default_value') }
  }
  return undefined
}

function parseMetadataTag(tag: string, message: Message): CustomTag {
  const key = message.message('metadata_key')
  const keys = (key?.messages('path') ?? []).map(segment => segment.string('key'))
  const kind = message.message('kind')
  const of = (['route', 'cluster', 'host'] as const).find(name => kind?.has(name)) ?? 'request'
  return {
    tag,
    type: 'metadata',
    of,
    path: [key?.string('key') ?? '', ...keys],
    defaultValue: message.string('default_value'),
  }
}

const WHO = 'envoy.tracers.zipkin'

function parseZipkin(message: Message, context: ParseContext): ZipkinConfig {
  const service = message.message('collector_service')
  return {
    type: 'zipkin',
    ...(service === undefined ? parseCollector(message, context) : parseCollectorService(service, context)),
    format: message.enum<string>('collector_endpoint_version', 'HTTP_JSON') === 'HTTP_PROTO' ? 'proto' : 'json',
    traceId128bit: message.boolean('trace_id_128bit'),
    timestampTraceIds: message.boolean('timestamp_trace_ids'),
    sharedSpanContext: message.boolean('shared_span_context', true),
    w3cPropagation:
      message.enum<'USE_B3' | 'USE_B3_WITH_W3C_PROPAGATION'>('trace_context_option', 'USE_B3') ===
      'USE_B3_WITH_W3C_PROPAGATION',
    splitSpans: message.boolean('split_spans_for_request'),
  }
}

type Collector = Pick<ZipkinConfig, 'collectorCluster' | 'collectorEndpoint' | 'collectorHostname' | 'headersToAdd'>

function parseCollector(message: Message, context: ParseContext): Collector {
  const collectorCluster = message.string('collector_cluster')
  for (const name of ['collector_cluster', 'collector_endpoint']) {
    if (message.string(name) === '' && !message.broken.has(name))
      context.problems.add('invalid', message.place(name), 'is required')
  }
  if (collectorCluster !== '') checkCluster(collectorCluster, message.valuePlace('collector_cluster'), WHO, context)
  return {
    collectorCluster,
    collectorEndpoint: message.string('collector_endpoint'),
    collectorHostname: message.string('collector_hostname') || collectorCluster,
    headersToAdd: [],
  }
}

/** It stands in place of cluster, endpoint and host name. */
function parseCollectorService(message: Message, context: ParseContext): Collector {
  const { cluster, host, path, headersToAdd } = parseHttpService(message, WHO, context)
  return {
    collectorCluster: cluster,
    collectorEndpoint: path,
    collectorHostname: host,
    headersToAdd,
  }
}
