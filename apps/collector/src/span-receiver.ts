import type { Span } from '@hopscope/model'
import type { AcceptedBody, BodyFormat, IsSampled, SpanStore } from '@hopscope/store'
import type { Context } from './context.ts'
import { HttpError } from './http-error.ts'
import type { Transport } from './metrics.ts'
import { createSampler } from './sampler.ts'

/** What a message turned out to be. `rejected`: spans that OTLP leaves out one by one. */
export interface ReceivedSpans {
  spans: readonly Span[]
  rejected?: number
  /** The store has read the message itself: `spans` is empty then. */
  accepted?: AcceptedBody
}

/**
 * Where every way in ends: a message is read, its spans are sampled, stored and counted. All of it is stored or none of it,
 * and what becomes of each span is counted once.
 */
export class SpanReceiver {
  readonly #store: SpanStore
  readonly #counter: Transport
  readonly #isSampled: IsSampled | undefined
  readonly #maxSpans: number

  constructor({ config, store }: Context, counter: Transport) {
    this.#store = store
    this.#counter = counter
    this.#isSampled = createSampler(config.sampleRate)
    this.#maxSpans = config.maxRequestSpans
  }

  /** A body by the store's short way in; undefined: read it. */
  acceptBody(format: BodyFormat, body: Uint8Array): { spans: []; accepted: AcceptedBody } | undefined {
    const accepted = this.#store.acceptBody?.(format, body, this.#maxSpans, this.#isSampled)
    return accepted && { spans: [], accepted }
  }

  /**
   * Resolves when the spans of a message are committed. Rejects with whatever `read` throws when the message cannot be read,
   * and with a StoreError when its spans cannot be stored.
   */
  async receive<T extends ReceivedSpans>(read: (counter: Transport) => T | Promise<T>): Promise<T> {
    const counter = this.#counter
    counter.messages++
    let received: T
    try {
      received = await read(counter)
      const count = received.spans.length + (received.rejected ?? 0)
      if (count > this.#maxSpans) {
        throw new HttpError(413, `${count} spans in one request; HOPSCOPE_MAX_REQUEST_SPANS allows ${this.#maxSpans}`)
      }
    } catch (error) {
      counter.messagesDropped++
      throw error
    }
    const { spans, rejected = 0, accepted } = received
    if (accepted !== undefined) {
      counter.decoded(accepted.spans + accepted.leftOut)
      try {
        await accepted.committed
      } catch (error) {
        counter.settled(0, 0, accepted.spans + accepted.leftOut)
        throw error
      }
      counter.settled(accepted.spans, 0, accepted.leftOut)
      return received
    }
    if (spans.length + rejected === 0) return received
    counter.decoded(spans.length + rejected)
    const sampled = this.#sampled(spans)
    const left = spans.length - sampled.length
    try {
      if (sampled.length > 0) await this.#store.accept(sampled)
    } catch (error) {
      counter.settled(0, rejected, spans.length)
      throw error
    }
    counter.settled(sampled.length, rejected, left)
    return received
  }

  /** Debug spans always are. */
  #sampled(spans: readonly Span[]): readonly Span[] {
    const isSampled = this.#isSampled
    if (isSampled === undefined) return spans
    return spans.filter(({ debug, traceId }) => {
      const low = traceId.slice(-16)
      return debug || isSampled(Number.parseInt(low.slice(0, 8), 16), Number.parseInt(low.slice(8), 16))
    })
  }
}
