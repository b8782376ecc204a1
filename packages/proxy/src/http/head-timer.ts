import type { HttpConnectionManager } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import { FAILURES } from '../errors.ts'
import type { Instant } from '../stream-info.ts'
import type { Timer, Timers } from '../timers.ts'
import type { OnStreamTimeout } from './stream-timers.ts'

type Limits = Pick<HttpConnectionManager, 'requestHeadersTimeout' | 'requestTimeout' | 'streamIdleTimeout'>

/** A head that has begun and is not complete. */
export class HeadTimer {
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #timer: Timer
  readonly #onTimeout: OnStreamTimeout
  /** When its first byte came; NaN: none has. */
  #begunAt: Instant = Number.NaN

  constructor(limits: Limits, clock: Clock, timers: Timers, onTimeout: OnStreamTimeout) {
    this.#limits = limits
    this.#clock = clock
    this.#timer = timers.create(() => this.#onExpire())
    this.#onTimeout = onTimeout
  }

  get waits(): boolean {
    return !Number.isNaN(this.#begunAt)
  }

  /** Its first bytes are here, others are not. */
  start(): void {
    this.#begunAt = this.#clock.now()
    const { requestHeadersTimeout, requestTimeout, streamIdleTimeout } = this.#limits
    const limits = [requestHeadersTimeout, requestTimeout, streamIdleTimeout].filter(limit => limit > 0)
    if (limits.length > 0) this.#timer.start(Math.min(...limits))
  }

  stop(): void {
    this.#timer.stop()
  }

  /** When the head began, which is `now` if it came in one piece. */
  takeBeginning(now: Instant): Instant {
    const at = this.#begunAt
    this.#begunAt = Number.NaN
    return Number.isNaN(at) ? now : at
  }

  #onExpire(): void {
    const { requestHeadersTimeout, requestTimeout } = this.#limits
    const waited = this.#clock.now() - this.#begunAt
    if (requestHeadersTimeout > 0 && waited >= requestHeadersTimeout) {
      this.#onTimeout(FAILURES.header_timeout, 'downstream_rq_header_timeout')
    } else if (requestTimeout > 0 && waited >= requestTimeout) {
      this.#onTimeout(FAILURES.request_timeout, 'downstream_rq_timeout')
    } else this.#onTimeout(FAILURES.idle_before_complete, 'downstream_rq_idle_timeout')
  }
}
