import type { Milliseconds } from '@hopscope/envoy-config'
import type { Clock } from '../clock.ts'
import { FAILURES, type Failure } from '../errors.ts'
import type { Instant } from '../stream-info.ts'
import type { Timer, Timers } from '../timers.ts'

/** A stream took too long; the counter that says so. */
export type OnStreamTimeout = (failure: Failure, counter: StreamTimeoutCounter) => void
export type StreamTimeoutCounter =
  | 'downstream_rq_timeout'
  | 'downstream_rq_idle_timeout'
  | 'downstream_rq_max_duration_reached'
  | 'downstream_rq_header_timeout'

/** How long the present stream of a connection may take: for its request, between bytes of either side, in all. */
export class StreamTimers {
  readonly #timers: Timers
  readonly #clock: Clock
  readonly #onTimeout: OnStreamTimeout
  readonly #isComplete: () => boolean
  readonly #request: Timer
  readonly #idle: Timer
  #idleTimeout: Milliseconds = 0
  /** Made when there is a limit to it. */
  #duration: Timer | undefined

  /** `isComplete`: all of the present request is here. */
  constructor(timers: Timers, clock: Clock, isComplete: () => boolean, onTimeout: OnStreamTimeout) {
    this.#timers = timers
    this.#clock = clock
    this.#isComplete = isComplete
    this.#onTimeout = onTimeout
    this.#request = timers.create(() => onTimeout(FAILURES.request_timeout, 'downstream_rq_timeout'))
    this.#idle = timers.create(() => this.#onIdle())
  }

  startRequest(timeout: Milliseconds): void {
    this.#request.start(timeout)
  }

  stopRequest(): void {
    this.#request.stop()
  }

  startIdle(timeout: Milliseconds, now: Instant): void {
    this.#idleTimeout = timeout
    this.#idle.start(timeout, now)
  }

  /** Bytes went by. */
  touch(now: Instant): void {
    if (this.#idle.running) this.#idle.start(this.#idleTimeout, now)
  }

  get isIdleWatched(): boolean {
    return this.#idle.running
  }

  /** From the stream's beginning; 0 lifts the limit. */
  limitDuration(startedAt: Instant, duration: Milliseconds): void {
    if (duration === 0) {
      this.#duration?.stop()
      return
    }
    this.#duration ??= this.#timers.create(() => this.#onDuration())
    this.#duration.start(Math.max(1, Math.ceil(duration - (this.#clock.now() - startedAt))))
  }

  stop(): void {
    this.#request.stop()
    this.#idle.stop()
    this.#duration?.stop()
  }

  #onIdle(): void {
    const failure = this.#isComplete() ? FAILURES.idle : FAILURES.idle_before_complete
    this.#onTimeout(failure, 'downstream_rq_idle_timeout')
  }

  #onDuration(): void {
    const failure = this.#isComplete() ? FAILURES.duration : FAILURES.duration_before_complete
    this.#onTimeout(failure, 'downstream_rq_max_duration_reached')
  }
}
