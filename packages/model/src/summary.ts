import type { Microseconds, Span } from './span.ts'
import { buildTree } from './tree.ts'

/** What is said of a trace without its spans. */
export interface TraceSummary {
  traceId: string
  /** Of the root, else of the first span below a missing one. */
  rootService?: string
  rootName?: string
  /** Method and path, where the root knows them: `GET /cart?id=1`. Says more than the name that a proxy gives. */
  rootRequest?: string
  /** The root failed: whoever asked got an error. Without it, an `error` is one that was made up for, or that nobody saw. */
  rootFailed?: true
  /** Absent when no span has a time. */
  timestamp?: Microseconds
  /** From the first start to the last end; 0 for a single unfinished span. */
  duration?: Microseconds
  spanCount: number
  /** `critical`: some span has a tag `error`; `transient`: only an annotation says so. */
  error?: 'critical' | 'transient'
  /** Local and remote services, the one with the longest span first, then by name. */
  services: ServiceSummary[]
}

/** A service's part in a trace. */
export interface ServiceSummary {
  name: string
  spanCount: number
  longestDuration: Microseconds
}

/** What a list of traces shows of one. (zipkin-lens `trace.js`; a trace without times does not fail here) */
export function summariseTrace(spans: readonly Span[]): TraceSummary {
  const root = buildTree(spans)
  const head = root.span ?? root.children[0]?.span ?? root.detached?.[0]
  const summary: TraceSummary = {
    traceId: head?.traceId ?? '',
    spanCount: spans.length,
    services: countServices(spans),
  }
  const service = head?.localEndpoint?.serviceName ?? head?.remoteEndpoint?.serviceName
  if (service !== undefined) summary.rootService = service
  if (head?.name !== undefined) summary.rootName = head.name
  const request = head && requestOf(head)
  if (request !== undefined) summary.rootRequest = request
  if (head?.tags?.error !== undefined) summary.rootFailed = true

  let start = Number.POSITIVE_INFINITY
  let end = Number.NEGATIVE_INFINITY
  for (const { timestamp, duration = 0 } of spans) {
    if (timestamp === undefined) continue
    start = Math.min(start, timestamp)
    end = Math.max(end, timestamp + duration)
  }
  if (end >= start) {
    summary.timestamp = start
    summary.duration = end - start
  }
  if (spans.some(span => span.tags?.error !== undefined)) summary.error = 'critical'
  else if (spans.some(span => span.annotations?.some(({ value }) => value === 'error'))) summary.error = 'transient'
  return summary
}

/** `GET /cart?id=1`, from the tags of a span of HTTP. */
export function requestOf({ tags }: Span): string | undefined {
  const path = tags?.['http.path'] ?? tags?.['http.url']?.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  return path === undefined ? undefined : `${tags?.['http.method'] ?? ''} ${path || '/'}`.trim()
}

function countServices(spans: readonly Span[]): ServiceSummary[] {
  const byName = new Map<string, ServiceSummary>()
  for (const { localEndpoint, remoteEndpoint, duration = 0 } of spans) {
    for (const name of new Set([localEndpoint?.serviceName, remoteEndpoint?.serviceName])) {
      if (name === undefined) continue
      let service = byName.get(name)
      if (!service) {
        service = { name, spanCount: 0, longestDuration: 0 }
        byName.set(name, service)
      }
      service.spanCount++
      service.longestDuration = Math.max(service.longestDuration, duration)
    }
  }
  return [...byName.values()].sort((a, b) => b.longestDuration - a.longestDuration || (a.name < b.name ? -1 : 1))
}
