import type { HttpService, Milliseconds, Node, OpenTelemetryConfig, ZipkinConfig } from '@hopscope/envoy-config'
import {
  type OtlpSource,
  OtlpSpanWriter,
  type SendResult,
  type SpanBatch,
  SpanReporter,
  SpanWriter,
  type ZipkinBatch,
  ZipkinProtoWriter,
} from '@hopscope/tracer'
import type { AsyncClient } from '../cluster/async-client.ts'
import type { GrpcClient } from '../cluster/grpc-client.ts'
import { localIp } from '../http/client-address.ts'
import type { Runtime } from '../runtime.ts'
import type { Stats } from '../stats/stats.ts'

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

export interface SpanReportersOptions {
  node: Node
  stats: Stats
  runtime: Runtime
  asyncClient: AsyncClient
  /** Without one no tracer may report over gRPC. */
  grpcClient?: GrpcClient
  /** This program's, which OTLP tells. */
  version?: string
  environment?: Readonly<Record<string, string | undefined>>
}

/** The reporters of a process, one for each different tracer configuration, as Envoy shares them between listeners. */
export interface SpanReporters {
  ofZipkin(config: ZipkinConfig): SpanReporter<ZipkinBatch>
  ofOpenTelemetry(config: OpenTelemetryConfig): SpanReporter<OtlpSpanWriter>
  /** Sends what waits; no longer than `deadline`. */
  close(deadline: Milliseconds): Promise<void>
}

/**
 * Spans leave through the collector's cluster, five at a time or every five seconds (`tracing.zipkin.min_flush_spans`,
 * `tracing.zipkin.flush_interval_ms`, and so `tracing.opentelemetry.…`). Nothing is sent twice.
 */
export function createSpanReporters(options: SpanReportersOptions): SpanReporters {
  const { node, stats, runtime, asyncClient } = options
  const reporters = new Map<string, SpanReporter<SpanBatch>>()

  /** One for each configuration. */
  function shared<Batch extends SpanBatch>(config: object, create: () => SpanReporter<Batch>): SpanReporter<Batch> {
    const key = JSON.stringify(config)
    let reporter = reporters.get(key) as SpanReporter<Batch> | undefined
    if (reporter === undefined) {
      reporter = create()
      reporters.set(key, reporter as unknown as SpanReporter<SpanBatch>)
    }
    return reporter
  }

  const flushing = (prefix: string) => {
    const [spans, interval] = [`${prefix}.min_flush_spans`, `${prefix}.flush_interval_ms`]
    return {
      minFlushSpans: () => runtime.number(spans, 5),
      flushInterval: () => runtime.number(interval, 5_000),
    }
  }

  /** Only a 202 counts as sent. */
  function createZipkin(config: ZipkinConfig): SpanReporter<ZipkinBatch> {
    const counter = (name: string) => stats.counter(`tracing.zipkin.${name}`)
    const sent = counter('reports_sent')
    const dropped = counter('reports_dropped')
    const failed = counter('reports_failed')
    counter('reports_skipped_no_cluster')
    const spansSent = counter('spans_sent')
    const timerFlushed = counter('timer_flushed')
    const type = config.format === 'json' ? 'application/json' : 'application/x-protobuf'
    const headers: [string, string][] = [['content-type', type], ...added(config.headersToAdd)]
    const endpoint = { ipv4: localIp(), port: 0, ...(node.cluster === '' ? {} : { serviceName: node.cluster }) }
    return new SpanReporter<ZipkinBatch>({
      writer: config.format === 'json' ? new SpanWriter(endpoint, 'latin1') : new ZipkinProtoWriter(endpoint, 'latin1'),
      ...flushing('tracing.zipkin'),
      async send(body) {
        const { status } = await asyncClient.send({
          cluster: config.collectorCluster,
          method: 'POST',
          path: config.collectorEndpoint,
          host: config.collectorHostname,
          headers,
          body,
          timeout: runtime.number('tracing.zipkin.request_timeout', 5_000),
        })
        return status === 202 ? 'sent' : 'dropped'
      },
      counters: {
        flushed: spans => spansSent.add(spans),
        ticked: () => timerFlushed.add(),
        ended: result => (result === 'sent' ? sent : dropped).add(),
        // Envoy has no bound here and so no name for it; the nearest is a report that could not be made.
        lost: () => failed.add(),
      },
    })
  }

  function createOpenTelemetry(config: OpenTelemetryConfig): SpanReporter<OtlpSpanWriter> {
    const counter = (name: string) => stats.counter(`tracing.opentelemetry.${name}`)
    const spansSent = counter('spans_sent')
    const timerFlushed = counter('timer_flushed')
    const spansDropped = counter('spans_dropped')
    const version = options.version ?? '0'
    const source: OtlpSource = {
      resource: resourceOf(config, version, options.environment ?? process.env),
      ...(config.namesScope ? { scope: { name: 'envoy', version } } : {}),
    }
    return new SpanReporter<OtlpSpanWriter>({
      writer: new OtlpSpanWriter(source, 'latin1'),
      ...flushing('tracing.opentelemetry'),
      maxWaitingSpans: config.maxCacheSize,
      send: exporter(config.service, `OTel-OTLP-Exporter-Envoy/${version}`),
      counters: {
        flushed: spans => spansSent.add(spans),
        ticked: () => timerFlushed.add(),
        lost: () => spansDropped.add(),
      },
    })
  }

  function exporter(
    service: OpenTelemetryConfig['service'],
    userAgent: string,
  ): (body: Uint8Array) => Promise<SendResult> {
    if (service.type === 'grpc') {
      const headers = [['user-agent', userAgent]] as const
      return async body => {
        const status = await options.grpcClient!.call(service, EXPORT, headers, body)
        return status === 0 ? 'sent' : 'dropped'
      }
    }
    const { cluster, host, path, timeout, headersToAdd } = service
    const headers: [string, string][] = [
      ['content-type', 'application/x-protobuf'],
      ['user-agent', userAgent],
      ...added(headersToAdd),
    ]
    return async body => {
      const { status } = await asyncClient.send({ cluster, method: 'POST', path, host, headers, body, timeout })
      return status === 200 ? 'sent' : 'dropped'
    }
  }

  return {
    ofZipkin: config => shared(config, () => createZipkin(config)),
    ofOpenTelemetry: config => shared(config, () => createOpenTelemetry(config)),
    async close(deadline) {
      await Promise.all([...reporters.values()].map(reporter => reporter.close(deadline)))
    },
  }
}

function added(headers: HttpService['headersToAdd']): [string, string][] {
  return headers.map(([name, value]) => [name, value])
}

/** The first one to name an attribute has the word, but for the detectors', which come later and win. */
function resourceOf(
  config: OpenTelemetryConfig,
  version: string,
  environment: Readonly<Record<string, string | undefined>>,
): [string, string][] {
  const attributes = new Map<string, string>()
  if (config.namesService) attributes.set('service.name', config.serviceName)
  if (config.namesSdk) {
    // A span looks as Envoy's does wherever it is looked at.
    attributes.set('telemetry.sdk.language', 'cpp')
    attributes.set('telemetry.sdk.name', 'envoy')
    attributes.set('telemetry.sdk.version', version)
  }
  for (const detector of config.resource) {
    const found = detector === 'environment' ? parseAttributes(environment.OTEL_RESOURCE_ATTRIBUTES ?? '') : detector
    for (const [name, value] of Object.entries(found)) attributes.set(name, value)
  }
  return [...attributes]
}

/** `key=value,key=value`, blanks and all; what is no such pair is passed over, as in Envoy. */
function parseAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const pair of text.split(',')) {
    const [key = '', value = '', ...more] = pair.split('=')
    if (key !== '' && value !== '' && more.length === 0) attributes[key] = value
  }
  return attributes
}
