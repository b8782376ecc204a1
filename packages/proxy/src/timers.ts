import type { Milliseconds } from '@hopscope/envoy-config'
import type { Clock } from './clock.ts'
import type { Instant } from './stream-info.ts'

/**
 * Deadlines by the thousand for the price of a list operation each. Timers of one duration end in the order in which they began,
 * so there is one queue a duration, and a single system timer for the first of all heads:
 *
 *     15000 ms:  t1(…415) → t2(…502) → t9(…611)
 *     300000 ms: t4(…977)                          ⇒ setTimeout until …415
 *
 * Starting and stopping touch no system timer, except for a deadline earlier than the one it is set for.
 */
export class Timers {
  readonly #clock: Clock
  readonly #queues = new Map<Milliseconds, Timer>()
  #handle: NodeJS.Timeout | undefined
  #wakeAt: Instant = Number.POSITIVE_INFINITY
  readonly #wake = (): void => this.#expire()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  create(onExpire: () => void): Timer {
    return new Timer(this, onExpire)
  }

  /** Starts, or starts again. */
  start(timer: Timer, duration: Milliseconds, now: Instant): void {
    if (timer.previous !== undefined) unlink(timer)
    // A timer is nearly always started with the duration that it had the last time.
    let queue = timer.queue
    if (queue === undefined || queue.duration !== duration || queue.next === undefined) {
      queue = this.#queueOf(duration)
      timer.queue = queue
    }
    timer.deadline = now + duration
    const last = queue.previous!
    timer.previous = last
    timer.next = queue
    last.next = timer
    queue.previous = timer
    if (timer.deadline < this.#wakeAt) this.#wakeUpAt(timer.deadline)
  }

  now(): Instant {
    return this.#clock.now()
  }

  #queueOf(duration: Milliseconds): Timer {
    let queue = this.#queues.get(duration)
    if (queue === undefined) {
      queue = new Timer(this, () => {})
      queue.duration = duration
      queue.previous = queue
      queue.next = queue
      this.#queues.set(duration, queue)
    }
    return queue
  }

  close(): void {
    clearTimeout(this.#handle)
    this.#queues.clear()
  }

  #wakeUpAt(deadline: Instant): void {
    clearTimeout(this.#handle)
    this.#wakeAt = deadline
    // Node's timers may fire a fraction of a millisecond early: never before the deadline.
    // On a busy machine it may be over already; Node writes a warning about less than nothing.
    const wait = Math.max(0, Math.ceil(deadline - this.#clock.now()))
    this.#handle = setTimeout(this.#wake, Math.min(wait, 2 ** 31 - 1))
    this.#handle.unref()
  }

  #expire(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    for (const queue of this.#queues.values()) {
      for (let first = queue.next!; first !== queue && first.deadline <= now; first = queue.next!) {
        unlink(first)
        first.onExpire()
      }
    }
    let earliest = Number.POSITIVE_INFINITY
    for (const [duration, queue] of this.#queues) {
      const first = queue.next!
      if (first === queue) {
        this.#queues.delete(duration)
        queue.next = undefined
      } else if (first.deadline < earliest) earliest = first.deadline
    }
    if (earliest < this.#wakeAt) this.#wakeUpAt(earliest)
  }
}

/** One deadline; starts as often as one likes. */
export class Timer {
  readonly onExpire: () => void
  deadline: Instant = 0
  previous: Timer | undefined
  next: Timer | undefined
  /** Of a queue: what all its timers have. */
  duration: Milliseconds = 0
  /** Where it was the last time; not in use any more when it has no `next`. */
  queue: Timer | undefined
  readonly #timers: Timers

  constructor(timers: Timers, onExpire: () => void) {
    this.#timers = timers
    this.onExpire = onExpire
  }

  get running(): boolean {
    return this.previous !== undefined
  }

  /** 0 or less: not at all. `now`, where someone has just looked. */
  start(duration: Milliseconds, now: Instant = this.#timers.now()): void {
    if (duration > 0) this.#timers.start(this, duration, now)
    else this.stop()
  }

  stop(): void {
    if (this.previous !== undefined) unlink(this)
  }
}

function unlink(timer: Timer): void {
  timer.previous!.next = timer.next
  timer.next!.previous = timer.previous
  timer.previous = undefined
  timer.next = undefined
}
