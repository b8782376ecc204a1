import {
  type DependencyLink,
  DependencyLinker,
  lowTraceId,
  type Milliseconds,
  matches,
  newestInWindow,
  type QueryRequest,
  type Span,
} from '@hopscope/model'
import { isInSample } from './is-in-sample.ts'
import { NameIndex } from './name-index.ts'
import { OldestFirst } from './oldest-first.ts'
import { pacer } from './pause.ts'
import { spread } from './spread.ts'
import type { SampleRequest, SpanStore, StoreOptions, StoreStats } from './store.ts'
import { equalSpans, splitByTraceId, startMs } from './trace-group.ts'

/** Spans that share the low half of their trace id. */
interface Group {
  low: string
  spans: Span[]
  /** To find equal spans without walking a trace of thousands. */
  byId: Map<string, Span[]>
  /** Of its earliest span; a span without start counts as 0 (zipkin evicts these first). */
  oldestMs: Milliseconds
  services: Set<string>
}

/** zipkin-server's in-memory storage: same answers, same eviction. For tests and for `STORAGE_TYPE=mem`. */
export class MemoryStore implements SpanStore {
  readonly name = 'InMemoryStorage{}'
  #strictTraceId: boolean
  #searchEnabled: boolean
  #maxSpans: number
  #names: NameIndex
  #groups = new Map<string, Group>()
  #eviction = new OldestFirst()
  #spanCount = 0

  constructor({
    strictTraceId = true,
    searchEnabled = true,
    autocompleteKeys = [],
    maxSpans = 500_000,
  }: StoreOptions = {}) {
    this.#strictTraceId = strictTraceId
    this.#searchEnabled = searchEnabled
    this.#maxSpans = maxSpans
    this.#names = new NameIndex(autocompleteKeys)
  }

  async accept(spans: readonly Span[]): Promise<void> {
    this.#evictTo(this.#maxSpans - spans.length)
    // A single batch above the cap empties the store and is not stored (zipkin-server does so and answers 202).
    if (spans.length > this.#maxSpans) return
    for (const span of spans) this.#add(span)
  }

  #add(span: Span): void {
    const low = lowTraceId(span.traceId)
    let group = this.#groups.get(low)
    if (group === undefined) {
      group = { low, spans: [], byId: new Map(), oldestMs: Number.POSITIVE_INFINITY, services: new Set() }
      this.#groups.set(low, group)
    }
    const same = group.byId.get(span.id)
    if (same === undefined) group.byId.set(span.id, [span])
    else if (same.some(other => equalSpans(other, span))) return
    else same.push(span)
    group.spans.push(span)
    this.#spanCount++
    const ms = startMs(span) ?? 0
    if (ms < group.oldestMs) {
      group.oldestMs = ms
      this.#eviction.push(ms, low)
    }
    if (!this.#searchEnabled) return
    const service = span.localEndpoint?.serviceName
    if (service !== undefined && !group.services.has(service)) {
      group.services.add(service)
      this.#names.retain(service)
    }
    this.#names.add(span)
  }

  #evictTo(limit: number): void {
    while (this.#spanCount > limit) {
      const oldest = this.#eviction.pop()
      if (oldest === undefined) return
      const group = this.#groups.get(oldest.low)
      // The queue also holds what a trace was before an earlier span of it came, and traces already gone.
      if (group === undefined || group.oldestMs !== oldest.ms) continue
      this.#groups.delete(group.low)
      this.#spanCount -= group.spans.length
      for (const service of group.services) this.#names.release(service)
    }
  }

  async getTraces(request: QueryRequest, signal?: AbortSignal): Promise<Span[][]> {
    signal?.throwIfAborted()
    if (!this.#searchEnabled) return []
    const pause = pacer(signal)
    const candidates: { latest: Milliseconds; low: string; spans: Span[] }[] = []
    for (const { low, spans } of this.#groups.values()) {
      await pause()
      const latest = newestInWindow(request, spans)
      if (latest !== undefined) candidates.push({ latest, low, spans })
    }
    candidates.sort((a, b) => b.latest - a.latest || (a.low < b.low ? 1 : -1))
    const found: Span[][] = []
    for (const { spans } of candidates) {
      if (found.length >= request.limit) break
      await pause()
      for (const trace of this.#strictTraceId ? splitByTraceId(spans) : [spans]) {
        if (matches(request, trace)) found.push([...trace])
      }
    }
    return found.slice(0, request.limit)
  }

  async getTrace(traceId: string, signal?: AbortSignal): Promise<Span[]> {
    signal?.throwIfAborted()
    const spans = this.#groups.get(lowTraceId(traceId))?.spans ?? []
    return this.#strictTraceId ? spans.filter(span => span.traceId === traceId) : [...spans]
  }

  async getTracesByIds(traceIds: readonly string[], signal?: AbortSignal): Promise<Span[][]> {
    const pause = pacer(signal)
    signal?.throwIfAborted()
    const wanted = new Set(this.#strictTraceId ? traceIds : traceIds.map(lowTraceId))
    const traces: Span[][] = []
    for (const id of wanted) {
      await pause()
      const trace = await this.getTrace(id)
      if (trace.length > 0) traces.push(trace)
    }
    return traces
  }

  async getServiceNames(signal?: AbortSignal): Promise<string[]> {
    signal?.throwIfAborted()
    return this.#names.services()
  }

  async getSpanNames(serviceName: string, signal?: AbortSignal): Promise<string[]> {
    signal?.throwIfAborted()
    return this.#names.spanNames(serviceName)
  }

  async getRemoteServiceNames(serviceName: string, signal?: AbortSignal): Promise<string[]> {
    signal?.throwIfAborted()
    return this.#names.remoteServices(serviceName)
  }

  async getAutocompleteValues(key: string, signal?: AbortSignal): Promise<string[]> {
    signal?.throwIfAborted()
    return this.#names.autocompleteValues(key)
  }

  async getDependencies(endTs: Milliseconds, lookback: Milliseconds, signal?: AbortSignal): Promise<DependencyLink[]> {
    signal?.throwIfAborted()
    const pause = pacer(signal)
    const linker = new DependencyLinker()
    for (const { spans } of this.#groups.values()) {
      await pause()
      const inWindow = spans.some(span => {
        const ms = startMs(span) ?? 0
        return ms >= endTs - lookback && ms <= endTs
      })
      if (inWindow) linker.putTrace(spans)
    }
    return linker.links()
  }

  async sampleTraces(request: SampleRequest, visit: (spans: Span[]) => boolean, signal?: AbortSignal): Promise<number> {
    signal?.throwIfAborted()
    const pause = pacer(signal)
    const inWindow: Span[][] = []
    for (const { spans } of this.#groups.values()) {
      await pause()
      if (isInSample(request, spans)) inWindow.push(spans)
    }
    for (const at of spread(inWindow.length)) {
      await pause()
      if (!visit([...inWindow[at]!])) break
    }
    return inWindow.length
  }

  stats(): StoreStats {
    return { spans: this.#spanCount, traces: this.#groups.size, bytes: 0 }
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}
}
