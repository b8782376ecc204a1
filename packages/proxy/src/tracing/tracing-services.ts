import type { Listener, Node, RequestIdConfig, Tracing } from '@hopscope/envoy-config'
import type { IdGenerator } from '@hopscope/tracer'
import type { Runtime } from '../runtime.ts'
import type { Stats } from '../stats/stats.ts'
import type { SpanReporters } from './span-reporters.ts'

/** `tracing` of one HttpConnectionManager. */
export interface HttpTracerConfig {
  tracing: Tracing
  statPrefix: string
  direction: Listener['trafficDirection']
  /** The router filter's deprecated `start_child_span`: spans of attempts, without changing what kind the request's span is. */
  startChildSpan?: boolean
  requestId?: RequestIdConfig
}

/** What all tracers of a proxy share. */
export interface TracingServices {
  node: Node
  stats: Stats
  runtime: Runtime
  /** Numbers in [0, 1), for client sampling. */
  random: () => number
  reporters: SpanReporters
  ids?: IdGenerator
  /** The process's environment, for custom tags. */
  environment?: Readonly<Record<string, string | undefined>>
}
