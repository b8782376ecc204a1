import type { SpanStore } from '@hopscope/store'
import type { FastifyRequest } from 'fastify'
import type { Admission } from './admission.ts'
import type { BodyStock } from './body-stock.ts'
import type { Config } from './config.ts'
import type { CollectorMetrics } from './metrics.ts'
import type { RequestTimer } from './request-timer.ts'
import type { SelfTracing } from './self-tracing.ts'
import type { TraceFeed } from './trace-feed.ts'

/** What routes are given. */
export interface Context {
  config: Config
  store: SpanStore
  /** Hears of what `store` commits. */
  feed: TraceFeed
  metrics: CollectorMetrics
  /** Of every way in together. */
  admission: Admission
  /** What bodies are read into. */
  bodies: BodyStock
  timer: RequestTimer
  /** Undefined where it is off. */
  selfTracing?: SelfTracing | undefined
  /** One line for whoever runs the collector. */
  warn: (line: string) => void
  /** When the collector started: `last-modified` of what does not change while it runs. */
  startedAt: Date
}

/** Query parameters; of a repeated one the first counts (`get`), and `+` is a blank. */
export function queryOf(request: FastifyRequest): URLSearchParams {
  return request.query as URLSearchParams
}
