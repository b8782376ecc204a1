import { networkInterfaces } from 'node:os'
import type { Milliseconds, Node, ZipkinConfig } from '@hopscope/envoy-config'
import { SpanReporter, SpanWriter } from '@hopscope/tracer'
import type { AsyncClient } from '../cluster/async-client.ts'
import type { Runtime } from '../runtime.ts'
import type { Stats } from '../stats/stats.ts'

export interface ZipkinReportersOptions {
  node: Node
  stats: Stats
  runtime: Runtime
  asyncClient: AsyncClient
}

/** The reporters of a process, one for each different tracer configuration, as Envoy shares them between listeners. */
export interface ZipkinReporters {
  of(config: ZipkinConfig): SpanReporter
  /** Sends what waits; no longer than `deadline`. */
  close(deadline: Milliseconds): Promise<void>
}

/**
 * Spans leave through the collector's cluster, five at a time or every five seconds (`tracing.zipkin.min_flush_spans`,
 * `tracing.zipkin.flush_interval_ms`). Only a 202 counts as sent; nothing is sent twice.
 */
export function createZipkinReporters(options: ZipkinReportersOptions): ZipkinReporters {
  const { node, stats, runtime, asyncClient } = options
  const reporters = new Map<string, SpanReporter>()
  const counter = (name: string) => stats.counter(`tracing.zipkin.${name}`)

  function create(config: ZipkinConfig): SpanReporter {
    const sent = counter('reports_sent')
    const dropped = counter('reports_dropped')
    const failed = counter('reports_failed')
    counter('reports_skipped_no_cluster')
    const spansSent = counter('spans_sent')
    const timerFlushed = counter('timer_flushed')
    const headers: [string, string][] = [['content-type', 'application/json']]
    const endpoint = {
      ...localAddress(),
      port: 0,
      ...(node.cluster === '' ? {} : { serviceName: node.cluster }),
    }
    return new SpanReporter({
      writer: new SpanWriter(endpoint, 'latin1'),
      minFlushSpans: () => runtime.number('tracing.zipkin.min_flush_spans', 5),
      flushInterval: () => runtime.number('tracing.zipkin.flush_interval_ms', 5_000),
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

  return {
    of(config) {
      const key = JSON.stringify(config)
      let reporter = reporters.get(key)
      if (reporter === undefined) {
        reporter = create(config)
        reporters.set(key, reporter)
      }
      return reporter
    },
    async close(deadline) {
      await Promise.all([...reporters.values()].map(reporter => reporter.close(deadline)))
    },
  }
}

/** The first address of this machine that is not loopback, as Envoy finds its own. */
function localAddress(): { ipv4: string } | { ipv6: string } {
  const addresses = Object.values(networkInterfaces()).flatMap(list => list ?? [])
  const own = addresses.find(a => !a.internal && a.family === 'IPv4')
  return { ipv4: own?.address ?? '127.0.0.1' }
}
