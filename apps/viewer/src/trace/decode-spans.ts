import type { Annotation, Endpoint, Kind, Span } from '@hopscope/model'

const KINDS: ReadonlySet<unknown> = new Set(['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'])

export interface DecodedSpans {
  spans: Span[]
  /** Entries of the list without the two ids that make a span. */
  unreadable: number
}

/**
 * Zipkin JSON v2 as an API or a file gives it → spans. Lenient: a field of the wrong type counts as absent, since one odd
 * span must not hide the others. Throws an Error in words for the user when it is not such a list at all.
 */
export function decodeSpans(json: unknown): DecodedSpans {
  if (!Array.isArray(json)) throw new Error('Expected a list of Zipkin v2 spans, [{"traceId": …, "id": …}]')
  // A search result is a list of traces.
  const entries: unknown[] = json.every(entry => Array.isArray(entry)) ? json.flat() : json
  if (entries.some(entry => isRecord(entry) && 'binaryAnnotations' in entry)) {
    throw new Error('These are Zipkin v1 spans (binaryAnnotations); expected v2, as GET /api/v2/trace/ID gives them')
  }
  const spans: Span[] = []
  for (const entry of entries) {
    // As it is, where nothing is odd: a copy of 100,000 spans with their tags costs more than all that follows.
    const span = isPlainSpan(entry) ? entry : toSpan(entry)
    if (span) spans.push(span)
  }
  if (spans.length === 0) {
    throw new Error(entries.length === 0 ? 'The list has no spans' : 'No entry of the list has a traceId and an id')
  }
  return { spans, unreadable: entries.length - spans.length }
}

function isPlainSpan(value: unknown): value is Span {
  if (!isRecord(value) || typeof value.traceId !== 'string' || typeof value.id !== 'string') return false
  const { parentId, kind, name, timestamp, duration, annotations, tags } = value
  return (
    (parentId === undefined || (typeof parentId === 'string' && parentId !== '')) &&
    (kind === undefined || KINDS.has(kind)) &&
    (name === undefined || (typeof name === 'string' && name !== '')) &&
    (timestamp === undefined || toPositive(timestamp) !== undefined) &&
    (duration === undefined || toPositive(duration) !== undefined) &&
    isPlainEndpoint(value.localEndpoint) &&
    isPlainEndpoint(value.remoteEndpoint) &&
    (value.debug === undefined || value.debug === true) &&
    (value.shared === undefined || value.shared === true) &&
    (annotations === undefined || (Array.isArray(annotations) && annotations.every(isAnnotation))) &&
    (tags === undefined || (isRecord(tags) && hasTexts(tags)))
  )
}

function isPlainEndpoint(value: unknown): boolean {
  if (value === undefined) return true
  if (!isRecord(value)) return false
  const { serviceName, ipv4, ipv6, port } = value
  return (
    (serviceName === undefined || (typeof serviceName === 'string' && serviceName !== '')) &&
    (ipv4 === undefined || typeof ipv4 === 'string') &&
    (ipv6 === undefined || typeof ipv6 === 'string') &&
    (port === undefined || toPositive(port) !== undefined)
  )
}

function hasTexts(tags: Record<string, unknown>): boolean {
  for (const key in tags) if (typeof tags[key] !== 'string') return false
  return true
}

function isAnnotation(entry: unknown): entry is Annotation & Record<string, unknown> {
  return isRecord(entry) && typeof entry.timestamp === 'number' && typeof entry.value === 'string'
}

function toSpan(value: unknown): Span | undefined {
  if (!isRecord(value) || typeof value.traceId !== 'string' || typeof value.id !== 'string') return undefined
  const span: Span = { traceId: value.traceId, id: value.id }
  if (typeof value.parentId === 'string' && value.parentId !== '') span.parentId = value.parentId
  if (KINDS.has(value.kind)) span.kind = value.kind as Kind
  if (typeof value.name === 'string' && value.name !== '') span.name = value.name
  const timestamp = toPositive(value.timestamp)
  if (timestamp !== undefined) span.timestamp = timestamp
  const duration = toPositive(value.duration)
  if (duration !== undefined) span.duration = duration
  const local = toEndpoint(value.localEndpoint)
  if (local) span.localEndpoint = local
  const remote = toEndpoint(value.remoteEndpoint)
  if (remote) span.remoteEndpoint = remote
  if (Array.isArray(value.annotations)) {
    const annotations = value.annotations.filter(isAnnotation)
    if (annotations.length > 0) span.annotations = annotations
  }
  if (isRecord(value.tags)) {
    const tags: Record<string, string> = Object.create(null)
    for (const [key, tag] of Object.entries(value.tags)) tags[key] = typeof tag === 'string' ? tag : JSON.stringify(tag)
    span.tags = tags
  }
  if (value.debug === true) span.debug = true
  if (value.shared === true) span.shared = true
  return span
}

function toEndpoint(value: unknown): Endpoint | undefined {
  if (!isRecord(value)) return undefined
  const endpoint: Endpoint = {}
  if (typeof value.serviceName === 'string' && value.serviceName !== '') endpoint.serviceName = value.serviceName
  if (typeof value.ipv4 === 'string') endpoint.ipv4 = value.ipv4
  if (typeof value.ipv6 === 'string') endpoint.ipv6 = value.ipv6
  const port = toPositive(value.port)
  if (port !== undefined) endpoint.port = port
  return endpoint
}

function toPositive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
