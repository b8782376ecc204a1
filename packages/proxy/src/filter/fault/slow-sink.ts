import type { Milliseconds } from '@hopscope/envoy-config'
import type { Exchange, ResponseSink } from '../../http/exchange.ts'
import type { ResponseHeaders } from '../../http/headers.ts'
import type { Timer, Timers } from '../../timers.ts'

const TICK: Milliseconds = 50
const TICKS_A_SECOND = 1000 / TICK

/** Lets a body through at so many KiB a second, in twenty portions; the head goes at once. */
export class SlowSink implements ResponseSink {
  readonly #sink: ResponseSink
  readonly #portion: number
  readonly #exchange: Exchange
  readonly #timer: Timer
  #chunks: Uint8Array[] = []
  #queued = 0
  #left: number
  #ended = false
  #producerWaits = false

  constructor(sink: ResponseSink, kibibytesPerSecond: number, exchange: Exchange, timers: Timers) {
    this.#sink = sink
    this.#portion = Math.max(1, Math.floor((kibibytesPerSecond * 1024) / TICKS_A_SECOND))
    this.#left = this.#portion
    this.#exchange = exchange
    this.#timer = timers.create(() => this.#onTick())
  }

  sendHead(headers: ResponseHeaders, endStream: boolean): void {
    this.#sink.sendHead(headers, endStream)
  }

  sendData(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk)
    this.#queued += chunk.length
    this.#write()
    if (this.#queued < this.#exchange.bufferLimit) return true
    this.#producerWaits = true
    return false
  }

  sendEnd(): void {
    this.#ended = true
    this.#write()
  }

  stop(): void {
    this.#timer.stop()
    this.#chunks = []
  }

  #onTick(): void {
    this.#left = this.#portion
    this.#write()
  }

  #write(): void {
    while (this.#left > 0 && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!
      const part = chunk.subarray(0, this.#left)
      this.#left -= part.length
      this.#queued -= part.length
      if (part.length === chunk.length) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(part.length)
      this.#sink.sendData(part)
    }
    if (this.#chunks.length > 0 || this.#left === 0) {
      if (!this.#timer.running) this.#timer.start(TICK)
    } else if (this.#ended) {
      this.#sink.sendEnd()
      return
    }
    if (this.#producerWaits && this.#queued === 0) {
      this.#producerWaits = false
      this.#exchange.handler?.onDrain()
    }
  }
}
