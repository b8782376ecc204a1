import { ZipkinExporter } from '@opentelemetry/exporter-zipkin'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { NodeSDK } from '@opentelemetry/sdk-node'

/**
 * The OpenTelemetry SDK as an application would set it up: SERVER and CLIENT spans of its own, sent to Zipkin, in the
 * trace that the sidecars carry. The SDK's own variables win over these defaults.
 */
export function startTracing({ endpoint }: { endpoint: string }, name: string): { shutdown(): Promise<void> } {
  const defaults: Record<string, string> = {
    OTEL_SERVICE_NAME: name,
    // Sidecars speak B3 here; the SDK's own default is W3C, which would start a second trace.
    OTEL_PROPAGATORS: 'b3multi',
    // Nobody receives them, and without a receiver shutting down hangs for ten seconds.
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    // As soon as the sidecars' spans, not after five seconds.
    OTEL_BSP_SCHEDULE_DELAY: '100',
  }
  for (const [variable, value] of Object.entries(defaults)) process.env[variable] ??= value

  const sdk = new NodeSDK({
    traceExporter: new ZipkinExporter({ url: endpoint }),
    instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()],
  })
  sdk.start()
  return sdk
}
