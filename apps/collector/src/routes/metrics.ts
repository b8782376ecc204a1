import type { FastifyInstance } from 'fastify'
import type { Context } from '../context.ts'
import { metricsJson, metricsPrometheus } from '../metrics.ts'
import { prettyJson, sendJson } from '../send-json.ts'

/** GET /metrics, /prometheus: zipkin-server's names, and the store's size. */
export function metricsRoutes(app: FastifyInstance, { metrics, store, timer }: Context): void {
  app.get('/metrics', async (_request, reply) => sendJson(reply, prettyJson(metricsJson(metrics))))

  for (const path of ['/prometheus', '/actuator/prometheus']) {
    app.get(path, async (_request, reply) =>
      reply
        .header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
        .send(metricsPrometheus(metrics) + storeMetrics() + timer.prometheus()),
    )
  }

  function storeMetrics(): string {
    const { spans, traces, bytes } = store.stats()
    const gauge = (name: string, help: string, value: number): string =>
      `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`
    return (
      gauge('hopscope_store_spans', 'spans in the store', spans) +
      gauge('hopscope_store_traces', 'traces in the store', traces) +
      gauge('hopscope_store_bytes', 'bytes in use by data and indexes', bytes)
    )
  }
}
