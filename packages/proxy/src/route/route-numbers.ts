import { CodeStats } from '../cluster/code-stats.ts'
import type { Counter, Histogram, Stats } from '../stats/stats.ts'

const COUNTERS = [
  'upstream_rq_retry',
  'upstream_rq_retry_limit_exceeded',
  'upstream_rq_retry_overflow',
  'upstream_rq_retry_success',
  'upstream_rq_timeout',
  'upstream_rq_total',
] as const
export type RouteCounter = (typeof COUNTERS)[number]

/** What is counted by virtual cluster and by route, beside the cluster's own numbers: `vhost.V.vcluster.C.*`, `vhost.V.route.R.*`. */
export class RouteNumbers {
  readonly #stats: Stats
  readonly #prefix: string
  readonly #counters: { readonly [name in RouteCounter]: Counter }
  readonly #codes: CodeStats
  #time: Histogram | undefined

  /** `prefix` ends with a dot. */
  constructor(stats: Stats, prefix: string) {
    this.#stats = stats
    this.#prefix = prefix
    this.#counters = Object.fromEntries(COUNTERS.map(name => [name, stats.counter(prefix + name)])) as {
      [name in RouteCounter]: Counter
    }
    this.#codes = new CodeStats(stats, prefix)
  }

  add(name: RouteCounter): void {
    this.#counters[name].add()
  }

  countStatus(status: number): void {
    this.#codes.add(status)
  }

  recordTime(time: number): void {
    this.#time ??= this.#stats.histogram(`${this.#prefix}upstream_rq_time`)
    this.#time.record(time)
  }
}
