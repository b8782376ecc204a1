import type { OpenTelemetryConfig, OpenTelemetrySampler } from '../listener.ts'
import type { Message } from '../schema/message.ts'
import type { ParseContext } from './context.ts'
import { parseGrpcService } from './parse-grpc-service.ts'
import { parseHttpService } from './parse-http-service.ts'
import { parseFraction } from './percent.ts'

const DETECTORS = 'envoy.extensions.tracers.opentelemetry.resource_detectors.v3.'
const SAMPLERS = 'envoy.extensions.tracers.opentelemetry.samplers.v3.'

/** Of an envoy.config.trace.v3.OpenTelemetryConfig. */
export function parseOpenTelemetry(message: Message, context: ParseContext): OpenTelemetryConfig {
  const sampler = message.message('sampler')?.message('typed_config')
  return {
    type: 'opentelemetry',
    service: parseService(message, context),
    serviceName: message.string('service_name') || 'unknown_service:envoy',
    resource: message
      .messages('resource_detectors')
      .map(parseDetector)
      .filter(detector => detector !== undefined),
    ...(sampler === undefined ? {} : { sampler: parseSampler(sampler) }),
    maxCacheSize: message.number('max_cache_size', 1024),
    namesSdk: message.boolean('set_telemetry_sdk_resource_attributes', true),
    namesService: message.boolean('set_service_name_resource_attribute', true),
    namesScope: message.boolean('set_instrumentation_scope', true),
  }
}

const WHO = 'envoy.tracers.opentelemetry'

function parseService(message: Message, context: ParseContext): OpenTelemetryConfig['service'] {
  const http = message.message('http_service')
  const grpc = message.message('grpc_service')
  const isBroken = message.broken.has('http_service') || message.broken.has('grpc_service')
  if ((http === undefined) === (grpc === undefined) && !isBroken) {
    context.problems.add('invalid', message, 'exactly one of grpc_service and http_service is required')
  }
  if (grpc !== undefined) return { type: 'grpc', ...parseGrpcService(grpc, WHO, context) }
  if (http !== undefined) return { type: 'http', ...parseHttpService(http, WHO, context) }
  return { type: 'http', cluster: '', host: '', path: '/', timeout: 0, headersToAdd: [] }
}

function parseDetector(message: Message): OpenTelemetryConfig['resource'][number] | undefined {
  const config = message.message('typed_config')
  if (config?.type === `${DETECTORS}EnvironmentResourceDetectorConfig`) return 'environment'
  if (config?.type !== `${DETECTORS}StaticConfigResourceDetectorConfig`) return undefined
  const attributes: Record<string, string> = {}
  for (const [key, value] of config.entries('attributes')) {
    if (value.kind === 'scalar') attributes[key] = String(value.value)
  }
  return attributes
}

function parseSampler(message: Message): OpenTelemetrySampler {
  if (message.type === `${SAMPLERS}TraceIdRatioBasedSamplerConfig`) {
    const none = { numerator: 0, denominator: 100 } as const
    return { type: 'trace_id_ratio_based', percentage: parseFraction(message.message('sampling_percentage'), none) }
  }
  const wrapped = message.message('wrapped_sampler')?.message('typed_config')
  if (message.type === `${SAMPLERS}ParentBasedSamplerConfig` && wrapped !== undefined) {
    return { type: 'parent_based', wrapped: parseSampler(wrapped) }
  }
  return { type: 'always_on' }
}
