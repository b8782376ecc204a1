import { type ListedTrace, listTrace, lowTraceId, type Span } from '@hopscope/model'
import type { AcceptedBody, SpanStore } from '@hopscope/store'

/** What a follower of the feed is told. */
export interface TraceFollower {
  traces(traces: readonly ListedTrace[]): void
  /** So many traces came too fast to be told of. */
  dropped(count: number): void
}

/** What a follower of one trace is told: its spans, as each report of them is committed. */
export type SpanFollower = (spans: readonly Span[]) => void

/** A trace's spans come in several reports: they are waited for so long, and told of once. */
const GATHER_MS = 100
/** Traces told of at a time; a collector that is flooded has other work. */
const MAX_TOLD = 100
/** The oldest of more than these are dropped. */
const MAX_WAITING = 1_000

/**
 * Tells followers of traces that are new or that grow, and followers of one trace of its spans. Without a follower it costs
 * two comparisons a report.
 */
export class TraceFeed {
  readonly #store: SpanStore
  readonly #keyOf: (traceId: string) => string
  readonly #followers = new Set<TraceFollower>()
  readonly #spanFollowers = new Map<string, Set<SpanFollower>>()
  /** Ids in order of arrival. */
  readonly #waiting = new Set<string>()
  #dropped = 0
  #timer: NodeJS.Timeout | undefined

  /** `strictTraceId`: what is one trace, as the store has it. */
  constructor(store: SpanStore, strictTraceId = true) {
    this.#store = store
    this.#keyOf = strictTraceId ? traceId => traceId : lowTraceId
  }

  /** The same store, whose committed spans the feed hears of. */
  observe(): SpanStore {
    const store = this.#store
    const accept = async (spans: readonly Span[]) => {
      await store.accept(spans)
      if (this.#spanFollowers.size > 0) this.#tellSpans(spans)
      if (this.#followers.size > 0) this.#wait(spans.map(({ traceId }) => traceId))
    }
    const acceptBody: SpanStore['acceptBody'] = (format, body, maxSpans, isSampled): AcceptedBody | undefined => {
      const accepted = store.acceptBody?.(format, body, maxSpans, isSampled)
      if (accepted === undefined || this.#followers.size + this.#spanFollowers.size === 0) return accepted
      const traceIds = accepted.traceIds()
      // Its spans are only made when one of them is followed.
      const spans = traceIds.some(id => this.#spanFollowers.has(this.#keyOf(id))) ? accepted.read() : []
      const committed = accepted.committed.then(() => {
        this.#tellSpans(spans)
        if (this.#followers.size > 0) this.#wait(traceIds)
      })
      return { ...accepted, committed }
    }
    return new Proxy(store, {
      get(target, name) {
        if (name === 'accept') return accept
        if (name === 'acceptBody') return store.acceptBody && acceptBody
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  /** Returns what ends it. */
  follow(follower: TraceFollower): () => void {
    this.#followers.add(follower)
    return () => {
      this.#followers.delete(follower)
      if (this.#followers.size > 0) return
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#waiting.clear()
      this.#dropped = 0
    }
  }

  /** Spans of one trace that are committed from now on. Returns what ends it. */
  followTrace(traceId: string, follower: SpanFollower): () => void {
    const key = this.#keyOf(traceId)
    const followers = this.#spanFollowers.get(key) ?? new Set()
    this.#spanFollowers.set(key, followers.add(follower))
    return () => {
      followers.delete(follower)
      if (followers.size === 0 && this.#spanFollowers.get(key) === followers) this.#spanFollowers.delete(key)
    }
  }

  #wait(traceIds: readonly string[]): void {
    for (const traceId of traceIds) this.#waiting.add(traceId)
    for (const oldest of this.#waiting) {
      if (this.#waiting.size <= MAX_WAITING) break
      this.#waiting.delete(oldest)
      this.#dropped++
    }
    this.#timer ??= setTimeout(() => void this.#tell(), GATHER_MS)
  }

  #tellSpans(spans: readonly Span[]): void {
    const followed = new Map<string, Span[]>()
    for (const span of spans) {
      const key = this.#keyOf(span.traceId)
      if (!this.#spanFollowers.has(key)) continue
      const list = followed.get(key)
      if (list) list.push(span)
      else followed.set(key, [span])
    }
    for (const [key, list] of followed) for (const follower of this.#spanFollowers.get(key)!) follower(list)
  }

  async #tell(): Promise<void> {
    const ids = [...this.#waiting].slice(0, MAX_TOLD)
    for (const id of ids) this.#waiting.delete(id)
    const dropped = this.#dropped
    this.#dropped = 0
    // Reading fails where storing failed before: whoever asks is told there. The feed goes on.
    const traces = await this.#store.getTracesByIds(ids).catch((): Span[][] => [])
    const listed = traces.map(listTrace)
    for (const follower of this.#followers) {
      if (listed.length > 0) follower.traces(listed)
      if (dropped > 0) follower.dropped(dropped)
    }
    const isMore = this.#waiting.size > 0 && this.#followers.size > 0
    this.#timer = isMore ? setTimeout(() => void this.#tell(), GATHER_MS) : undefined
  }
}
