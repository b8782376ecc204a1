import type { Host } from '../cluster/host.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Plan } from './plan.ts'

/** What a request adds to the numbers of its cluster, and to those of its virtual cluster and its route where these are counted. */
export class RequestCharges {
  readonly #exchange: Exchange
  readonly #plan: Plan
  /** Its answer says that it comes from one (`x-envoy-upstream-canary`). */
  fromCanary = false

  constructor(exchange: Exchange, plan: Plan) {
    this.#exchange = exchange
    this.#plan = plan
  }

  /** A host was sent the request. */
  sent(): void {
    for (const one of this.#plan.numbers) one.add('upstream_rq_total')
  }

  /** `host`: undefined when none was asked. A health check is not counted. */
  answered(status: number, host: Host | undefined): void {
    const { info, internal } = this.#exchange
    if (info.healthCheck) return
    const { cluster, numbers } = this.#plan
    cluster.countStatus(status, internal, this.#answerOf(host))
    for (const one of numbers) one.countStatus(status)
  }

  /** The answer has come to its end, so long after the request's. */
  tookTime(time: number, host: Host): void {
    const { cluster, numbers } = this.#plan
    cluster.recordTime(time, this.#exchange.internal, this.#answerOf(host))
    for (const one of numbers) one.recordTime(time)
  }

  /** The request's time is over, and this host has not answered. */
  timedOut(host: Host): void {
    const { cluster, numbers } = this.#plan
    cluster.stats.upstream_rq_timeout.add()
    for (const one of numbers) one.add('upstream_rq_timeout')
    host.stats.rq_timeout.add()
  }

  #answerOf(host: Host | undefined) {
    return { host, canary: this.fromCanary || host?.isCanary === true, altStatName: this.#plan.altStatName }
  }
}
