import type { Milliseconds } from '@hopscope/model'
import type { SpanBatch } from './span-batch.ts'
import type { SpanWriter } from './span-writer.ts'

/** What became of one batch. `dropped`: the collector did not take it, or nobody answered; it is not sent again. */
export type SendResult = 'sent' | 'dropped'

/** Where batches go, and how large and old they become. */
export interface ReporterOptions<Batch extends SpanBatch = SpanWriter> {
  /** The open batch; the reporter's alone. */
  writer: Batch
  /** Hands one batch over. Must not reject. */
  send(body: Uint8Array): Promise<SendResult>
  /** That many spans are a batch. Asked anew for every span, so that it can be changed while running. */
  minFlushSpans(): number
  /** An unfull batch leaves after this time. Asked anew for every tick. */
  flushInterval(): Milliseconds
  /** Batches under way before new spans wait in the open one, whatever its size. */
  maxInFlight?: number
  /**
   * The next batch waits until the one before has been answered and is so old, unless it has grown to `fullBytes` before: busy times
   * have few and large batches, quiet ones wait for nothing.
   */
  spacing?: Milliseconds
  fullBytes?: number
  /** Bytes that may wait in the open batch while the collector is slow; a span beyond them is dropped. */
  maxWaitingBytes?: number
  /** The same in spans. Default: no bound. */
  maxWaitingSpans?: number
  counters?: Partial<ReporterCounters>
}

/** taken = flushed + lost + waiting; a flushed batch ends as sent or dropped. */
export interface ReporterCounters {
  /** So many spans left the open batch. */
  flushed(spans: number): void
  /** The timer ticked. */
  ticked(): void
  /** A batch ended. */
  ended(result: SendResult, spans: number): void
  /** A span found no room. */
  lost(): void
}

const MAX_IN_FLIGHT = 8
/** A report costs its sender some 40 µs, whatever is in it, and a span 3: at 1000 spans a second every twentieth pays for it. */
const SPACING: Milliseconds = 20
const FULL_BYTES = 64 * 1024
const MAX_WAITING_BYTES = 1024 * 1024

/**
 * Takes finished spans and sends them in batches: when there are enough, or when it is time. Nothing here is waited for by
 * a request, and memory is bounded: with the collector gone the open batch fills up, then spans are dropped and counted.
 */
export class SpanReporter<Batch extends SpanBatch = SpanWriter> {
  /** Spans that found no room since the start. */
  lost = 0

  readonly #options: ReporterOptions<Batch>
  readonly #maxInFlight: number
  readonly #spacing: Milliseconds
  readonly #fullBytes: number
  readonly #maxWaitingBytes: number
  readonly #maxWaitingSpans: number
  #inFlight = 0
  #timer: NodeJS.Timeout | undefined
  /** Until the last batch is old enough. */
  #spacingTimer: NodeJS.Timeout | undefined
  #onIdle: (() => void) | undefined
  #closed = false

  constructor(options: ReporterOptions<Batch>) {
    this.#options = options
    this.#maxInFlight = options.maxInFlight ?? MAX_IN_FLIGHT
    this.#spacing = options.spacing ?? SPACING
    this.#fullBytes = options.fullBytes ?? FULL_BYTES
    this.#maxWaitingBytes = options.maxWaitingBytes ?? MAX_WAITING_BYTES
    this.#maxWaitingSpans = options.maxWaitingSpans ?? Number.POSITIVE_INFINITY
    this.#arm()
  }

  /** Where to write the next span, from `begin` to `end`; then `commit`. Undefined: there is no room, it is counted as lost. */
  open(): Batch | undefined {
    const { writer } = this.#options
    if (this.#closed || writer.byteLength >= this.#maxWaitingBytes || writer.count >= this.#maxWaitingSpans) {
      this.lost++
      this.#options.counters?.lost?.()
      return undefined
    }
    return writer
  }

  commit(): void {
    const { writer } = this.#options
    if (!this.#mayFollow && writer.byteLength < this.#fullBytes) return
    if (writer.count > 0 && writer.count >= this.#options.minFlushSpans()) this.flush()
  }

  get #mayFollow(): boolean {
    return this.#inFlight === 0 && this.#spacingTimer === undefined
  }

  /** Sends what there is, if not too much is under way already. */
  flush(): void {
    const { writer, counters } = this.#options
    if (writer.count === 0 || this.#inFlight >= this.#maxInFlight) return
    const spans = writer.count
    const body = writer.take()
    this.#inFlight++
    this.#spacingTimer ??= setTimeout(this.#onSpaced, this.#spacing).unref()
    counters?.flushed?.(spans)
    this.#options.send(body).then(
      result => this.#ended(result, spans),
      () => this.#ended('dropped', spans),
    )
  }

  #ended(result: SendResult, spans: number): void {
    this.#inFlight--
    this.#options.counters?.ended?.(result, spans)
    // What piled up goes now, not at the next tick.
    if (this.#closed) this.flush()
    else this.commit()
    if (this.#inFlight === 0) this.#onIdle?.()
  }

  readonly #onSpaced = (): void => {
    this.#spacingTimer = undefined
    if (!this.#closed) this.commit()
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      this.#options.counters?.ticked?.()
      this.flush()
      this.#arm()
    }, this.#options.flushInterval())
    this.#timer.unref()
  }

  /** Sends what there is and waits for the answers, no longer than `deadline`. Spans that come later are lost. */
  async close(deadline: Milliseconds): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#spacingTimer)
    this.flush()
    if (this.#inFlight === 0) return
    let timer: NodeJS.Timeout | undefined
    const idle = new Promise<void>(resolve => {
      this.#onIdle = resolve
    })
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, deadline)
    })
    await Promise.race([idle, late])
    clearTimeout(timer)
  }
}
