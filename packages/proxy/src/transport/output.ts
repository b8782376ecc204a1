import type { Counter } from '../stats/stats.ts'
import type { Transport } from './transport.ts'
import { atTurnEnd } from './turn-end.ts'

/** Queued bytes that do not wait for the turn's end: they are still in the processor's caches, and more of them may be coming. */
const LARGE = 16 * 1024

/**
 * What is written to a transport during one turn of the event loop, put together: head, body and last chunk leave in one write, and no
 * one has to say when.
 */
export class Output {
  /** Bytes, of all that was ever pushed. */
  pushed = 0
  /** The producer was told to wait and may go on. */
  onDrain: () => void = () => {}
  readonly #transport: Transport
  readonly #written: Counter
  /** Queued bytes above which a producer is told to wait. */
  readonly #highWaterMark: number
  #pieces: (string | Uint8Array)[] = []
  #queued = 0
  /** All bytes among the pieces are. */
  #spent = true
  /** The transport's own queue is above its mark. */
  #full = false
  #producerWaits = false
  /** It will be flushed at the end of the turn. */
  #scheduled = false
  /** It will be at the end of this step, for there is much of it. */
  #hurried = false
  readonly #flushAtTurnEnd = (): void => {
    this.#scheduled = false
    this.flush()
  }
  readonly #flushSoon = (): void => {
    this.#hurried = false
    this.flush()
  }

  constructor(transport: Transport, written: Counter, highWaterMark: number) {
    this.#transport = transport
    this.#written = written
    this.#highWaterMark = highWaterMark
  }

  /** Text is latin1. False: wait for `onDrain`. `spent`: as of `Transport.write`. */
  push(piece: string | Uint8Array, spent = false): boolean {
    this.#pieces.push(piece)
    if (!spent && typeof piece !== 'string') this.#spent = false
    this.#queued += piece.length
    this.pushed += piece.length
    if (this.#queued < LARGE) {
      if (!this.#scheduled) {
        this.#scheduled = true
        atTurnEnd(this.#flushAtTurnEnd)
      }
    } else if (!this.#hurried) {
      this.#hurried = true
      queueMicrotask(this.#flushSoon)
    }
    if (!this.#full && this.#queued < this.#highWaterMark) return true
    this.#producerWaits = true
    return false
  }

  flush(): void {
    const pieces = this.#pieces
    if (pieces.length === 0) return
    const total = this.#queued
    this.#pieces = []
    this.#queued = 0
    this.#written.add(total)
    const transport = this.#transport
    const spent = this.#spent
    this.#spent = true
    const writable = pieces.length === 1 ? transport.write(pieces[0]!, spent) : transport.writeAll(pieces, total, spent)
    if (!writable) this.#full = true
    else if (this.#producerWaits && !this.#full) this.#goOn()
  }

  /** Of what was pushed, the bytes that the system has taken. */
  get left(): number {
    return this.pushed - this.#queued - this.#transport.unsent
  }

  /** What has not left yet never will. */
  discard(): void {
    this.#pieces = []
    this.#spent = true
    this.#queued = 0
  }

  /** The transport's `onDrain`. */
  drained(): void {
    this.#full = false
    if (this.#producerWaits) this.#goOn()
  }

  #goOn(): void {
    this.#producerWaits = false
    this.onDrain()
  }
}
