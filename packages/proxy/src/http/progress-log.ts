import type { AccessLogType, StreamInfo } from '../stream-info.ts'
import type { Timer } from '../timers.ts'
import type { ConnectionManagerContext } from './connection-manager-context.ts'
import type { Exchange } from './exchange.ts'

/** Lines in the access log of a connection's requests that are not over yet: when they have come, and every so often. */
export class ProgressLog {
  readonly #context: ConnectionManagerContext
  /** Made when there is an interval. */
  readonly #timer: Timer | undefined
  #info: StreamInfo | undefined

  constructor(context: ConnectionManagerContext) {
    this.#context = context
    if (context.config.accessLogOptions.flushInterval > 0) this.#timer = context.timers.create(() => this.#onInterval())
  }

  /** A request is under way. */
  start(info: StreamInfo): void {
    if (this.#timer === undefined) return
    this.#info = info
    this.#timer.start(this.#context.config.accessLogOptions.flushInterval)
  }

  stop(): void {
    if (this.#timer === undefined) return
    this.#info = undefined
    this.#timer.stop()
  }

  /** Its route is known, its cluster may not be. */
  logBeginning(exchange: Exchange): void {
    const { config, chooseCluster } = this.#context
    if (!config.accessLogOptions.onNewRequest) return
    chooseCluster(exchange)
    const { info } = exchange
    const { traceId, spanId } = info
    // In Envoy there is no span yet.
    info.traceId = info.spanId = ''
    this.#log(info, 'DownstreamStart')
    info.traceId = traceId
    info.spanId = spanId
  }

  #onInterval(): void {
    const info = this.#info
    if (info === undefined) return
    this.#log(info, 'DownstreamPeriodic')
    this.start(info)
  }

  #log(info: StreamInfo, type: AccessLogType): void {
    info.endInstant = this.#context.clock.now()
    this.#context.accessLogger.log(info, type)
    info.endInstant = Number.NaN
    info.accessLogType = 'NotSet'
  }
}
