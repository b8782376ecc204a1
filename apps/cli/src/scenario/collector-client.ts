import type { DependencyLink, Span } from '@hopscope/model'

/** The questions that a verification asks a collector, of its Zipkin API. */
export class CollectorClient {
  readonly #base: string

  constructor(base: string) {
    this.#base = base
  }

  /** Without a span yet: an empty list. */
  async trace(traceId: string): Promise<Span[]> {
    const answer = await fetch(`${this.#base}/api/v2/trace/${traceId}`)
    return answer.status === 200 ? ((await answer.json()) as Span[]) : []
  }

  /** Traces whose first span began at or after a moment (ms since the epoch). */
  async tracesSince(since: number): Promise<Span[][]> {
    const endTs = Date.now() + 1000
    const answer = await fetch(`${this.#base}/api/v2/traces?limit=1000&endTs=${endTs}&lookback=${endTs - since + 1000}`)
    const traces = (await answer.json()) as Span[][]
    return traces.filter(
      spans => Math.min(...spans.map(span => span.timestamp ?? Number.POSITIVE_INFINITY)) >= since * 1000,
    )
  }

  async linksSince(since: number): Promise<DependencyLink[]> {
    const endTs = Date.now() + 1000
    const answer = await fetch(`${this.#base}/api/v2/dependencies?endTs=${endTs}&lookback=${Math.ceil(endTs - since)}`)
    return (await answer.json()) as DependencyLink[]
  }

  /** The viewer's page of a trace. */
  link(traceId: string): string {
    return `${this.#base}/zipkin/traces/${traceId}`
  }
}
