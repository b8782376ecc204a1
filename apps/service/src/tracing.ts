import { trace } from '@opentelemetry/api'
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { NodeSDK } from '@opentelemetry/sdk-node'

export interface AppTracing {
  /** Runs work in an INTERNAL span of that name. */
  inSpan<T>(name: string, work: () => Promise<T>): Promise<T>
  shutdown(): Promise<void>
}

/**
 * The OpenTelemetry SDK as an application would set it up: SERVER, INTERNAL and CLIENT spans of its own in the trace that the
 * sidecars carry, sent to Zipkin, or where `OTEL_TRACES_EXPORTER` says. The SDK's own variables win over these defaults.
 */
export function startTracing({ endpoint }: { endpoint: string }, name: string): AppTracing {
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
    // Without one the SDK makes the exporter that the variable names.
    ...(['zipkin', undefined].includes(process.env.OTEL_TRACES_EXPORTER)
      ? { traceExporter: new ZipkinExporter({ url: endpoint }) }
      : {}),
    instrumentations: [new HttpInstrumentation()],
  })
  sdk.start()
  const tracer = trace.getTracer('hopscope-service')
  return {
    inSpan: (spanName, work) => tracer.startActiveSpan(spanName, span => work().finally(() => span.end())),
    shutdown: () => sdk.shutdown(),
  }
}
