import type { HttpConnectionManager } from '@hopscope/envoy-config'
import type { AccessLogger } from '../access-log/access-log.ts'
import type { Clock } from '../clock.ts'
import type { RouteTable } from '../route/compile-routes.ts'
import type { Mutate } from '../route/header-mutations.ts'
import type { ListenerFacts } from '../stream-info.ts'
import type { Timers } from '../timers.ts'
import type { HttpTracer } from '../tracing/http-tracer.ts'
import type { Exchange } from './exchange.ts'
import type { HttpStats } from './http-stats.ts'
import type { RewriteLocalReply } from './local-reply.ts'
import type { compilePathNormaliser } from './normalise-path.ts'
import type { AddProxyStatus } from './proxy-status.ts'
import type { createSanitiser } from './sanitise-headers.ts'

/** One HttpConnectionManager of a snapshot, compiled. A connection keeps the one it began with. */
export interface ConnectionManagerContext {
  config: HttpConnectionManager
  stats: HttpStats
  listener: ListenerFacts
  /** Of requests, before anything else is done with them. */
  mutateEarly: readonly Mutate[]
  /** Absent: paths are taken as they come. */
  normalisePath: ReturnType<typeof compilePathNormaliser>
  routes: RouteTable
  sanitise: ReturnType<typeof createSanitiser>
  /** Absent: no `tracing` in the configuration. */
  tracer: HttpTracer | undefined
  accessLogger: AccessLogger
  /** Absent: answers do not say what went wrong. */
  addProxyStatus: AddProxyStatus | undefined
  /** For the log of a request that has just come. */
  chooseCluster(exchange: Exchange): void
  /** Absent: local replies leave as they are. */
  localReply: RewriteLocalReply | undefined
  /** The listener's per_connection_buffer_limit_bytes. */
  bufferLimit: number
  /** The composed filters. */
  handle(exchange: Exchange): void
  clock: Clock
  timers: Timers
  /** Numbers in [0, 1). */
  random(): number
  /** The proxy is going away: responses say `connection: close`. */
  draining(): boolean
}
