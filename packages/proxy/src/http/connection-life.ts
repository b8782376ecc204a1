import type { HttpConnectionManager } from '@hopscope/envoy-config'
import type { Instant } from '../stream-info.ts'
import type { Timer, Timers } from '../timers.ts'
import type { HttpStats } from './http-stats.ts'

type Limits = Pick<
  HttpConnectionManager,
  'idleTimeout' | 'maxConnectionDuration' | 'drainTimeout' | 'delayedCloseTimeout'
>

/** The connection whose life it is. */
export interface LivingConnection {
  /** No request is here, nor a part of one. */
  readonly isUnused: boolean
  /** What the client still sends is read and forgotten from now on. */
  ignoreRest(): void
  /** It is over. */
  release(by: 'local' | 'remote'): void
}

/**
 * How long a client's connection lives, and how it ends.
 *
 *     open ─ idle for too long, too old, or the proxy leaves → draining ─ drain timeout ┐
 *       └─ the last response is sent ───────────────────────────────────────────────────┴→ closing ─ delayed close → closed
 */
export class ConnectionLife {
  readonly #limits: Limits
  readonly #stats: HttpStats
  readonly #connection: LivingConnection
  /** Between requests: the idle timeout. While closing: the delayed close. */
  readonly #timer: Timer
  readonly #drainTimer: Timer
  /** Made when there is a limit to it. */
  #ageTimer: Timer | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #draining = false
  /** The present response is the last one. */
  closesAfterResponse = false

  constructor(limits: Limits, stats: HttpStats, timers: Timers, connection: LivingConnection) {
    this.#limits = limits
    this.#stats = stats
    this.#connection = connection
    this.#timer = timers.create(() => this.#onTimeout())
    this.#drainTimer = timers.create(() => this.#onDrained())
    this.#timer.start(limits.idleTimeout)
    if (limits.maxConnectionDuration > 0) {
      this.#ageTimer = timers.create(() => this.#onAge())
      this.#ageTimer.start(limits.maxConnectionDuration)
    }
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** The client is told to leave: responses say `connection: close`. */
  get isLeaving(): boolean {
    return this.closesAfterResponse || this.#draining
  }

  /** A request has begun. */
  onUsed(): void {
    this.#timer.stop()
  }

  /** The next request is waited for. */
  onIdle(now?: Instant): void {
    if (!this.#timer.running) this.#timer.start(this.#limits.idleTimeout, now)
  }

  /** The client is given time to see the end coming: what it sends meanwhile is still answered. */
  startDraining(): void {
    this.#draining = true
    this.#drainTimer.start(this.#limits.drainTimeout)
  }

  /** Ends when the client has had time to read the last response, which a reset would take from it. */
  closeDelayed(): void {
    const { delayedCloseTimeout } = this.#limits
    if (delayedCloseTimeout === 0) {
      this.close('local')
      return
    }
    this.#state = 'closing'
    this.#connection.ignoreRest()
    this.#timer.start(delayedCloseTimeout)
  }

  close(by: 'local' | 'remote'): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#timer.stop()
    this.#drainTimer.stop()
    this.#ageTimer?.stop()
    this.#connection.release(by)
  }

  #onTimeout(): void {
    if (this.#state === 'closing') {
      this.#stats.downstream_cx_delayed_close_timeout.add()
      this.close('local')
    } else if (!this.#draining) {
      this.#stats.downstream_cx_idle_timeout.add()
      this.startDraining()
    }
  }

  #onAge(): void {
    this.#stats.downstream_cx_max_duration_reached.add()
    if (this.#state === 'open' && !this.#draining) this.startDraining()
  }

  #onDrained(): void {
    if (this.#state === 'open' && this.#connection.isUnused) this.closeDelayed()
    else this.closesAfterResponse = true
  }
}
