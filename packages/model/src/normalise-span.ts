import { sortAnnotations } from './annotations.ts'
import type { Annotation, Endpoint, Kind, Microseconds, Span } from './span.ts'

/** What a format reader has gathered. Ids are normalised already; everything else is as it came. */
export interface SpanFields {
  traceId: string
  id: string
  parentId?: string | undefined
  kind?: Kind | undefined
  name?: string | undefined
  timestamp?: Microseconds | undefined
  duration?: Microseconds | undefined
  localEndpoint?: Endpoint | undefined
  remoteEndpoint?: Endpoint | undefined
  annotations?: Annotation[] | undefined
  tags?: Record<string, string> | undefined
  debug?: boolean | undefined
  shared?: boolean | undefined
}

/**
 * The span that zipkin-server would store: names in lower case, times that are not positive absent, a parent that is
 * the span itself absent, annotations in order and unique, nothing empty, `shared` never on a CLIENT.
 */
export function normaliseSpan(fields: SpanFields): Span {
  const span: Span = { traceId: fields.traceId, id: fields.id }
  if (fields.parentId !== undefined && fields.parentId !== fields.id) span.parentId = fields.parentId
  if (fields.kind !== undefined) span.kind = fields.kind
  if (fields.name) span.name = fields.name.toLowerCase()
  if (fields.timestamp !== undefined && fields.timestamp > 0) span.timestamp = fields.timestamp
  if (fields.duration !== undefined && fields.duration > 0) span.duration = fields.duration
  if (fields.localEndpoint) span.localEndpoint = fields.localEndpoint
  if (fields.remoteEndpoint) span.remoteEndpoint = fields.remoteEndpoint
  if (fields.annotations && fields.annotations.length > 0) span.annotations = sortAnnotations(fields.annotations)
  if (fields.tags) for (const _ in fields.tags) span.tags = fields.tags
  if (fields.debug) span.debug = true
  if (fields.shared && fields.kind !== 'CLIENT') span.shared = true
  return span
}

/** The endpoint without empty parts; undefined when nothing is left. */
export function normaliseEndpoint(endpoint: {
  serviceName?: string | undefined
  ipv4?: string | undefined
  ipv6?: string | undefined
  port?: number | undefined
}): Endpoint | undefined {
  const result: Endpoint = {}
  if (endpoint.serviceName) result.serviceName = endpoint.serviceName.toLowerCase()
  if (endpoint.ipv4) result.ipv4 = endpoint.ipv4
  if (endpoint.ipv6) result.ipv6 = endpoint.ipv6
  if (endpoint.port !== undefined && endpoint.port > 0) result.port = endpoint.port
  for (const _ in result) return result
  return undefined
}
