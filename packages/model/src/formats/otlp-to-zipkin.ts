import { parseIp } from '../ip.ts'
import { normaliseEndpoint, normaliseSpan } from '../normalise-span.ts'
import type { Endpoint, Kind, Span } from '../span.ts'
import { normaliseParentId, normaliseSpanId, normaliseTraceId } from '../trace-id.ts'
import type {
  OtlpAttributes,
  OtlpEvent,
  OtlpLink,
  OtlpResourceSpans,
  OtlpScopeSpans,
  OtlpSpan,
  OtlpValue,
} from './otlp-span.ts'

/** What OTLP's partial success needs beside the spans: one bad id costs one span, not the request. */
export interface OtlpSpans {
  spans: Span[]
  /** Spans that were left out. */
  rejected: number
  /** What was wrong with the first of them. Empty when none was. */
  errorMessage: string
}

const KINDS: readonly (Kind | undefined)[] = [undefined, undefined, 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
const TRACE_ID = /^[0-9a-f]{32}$/
const SPAN_ID = /^[0-9a-f]{16}$/
const ALL_ZEROS = /^0+$/

/** Which attribute names the peer, best first; an address may have a port beside it. (OpenTelemetry, Zipkin exporter) */
const PEER_ATTRIBUTES: readonly (readonly [address: string, port?: string])[] = [
  ['peer.service'],
  ['server.address'],
  ['net.peer.name'],
  ['network.peer.address', 'network.peer.port'],
  ['server.socket.domain'],
  ['server.socket.address', 'server.socket.port'],
  ['net.sock.peer.name'],
  ['net.sock.peer.addr', 'net.sock.peer.port'],
  ['peer.hostname'],
  ['peer.address'],
  ['db.name'],
]

/**
 * Spans of OTLP → Zipkin's, as OpenTelemetry's specification maps them for its Zipkin exporters. Where it leaves a field open
 * (links, trace state), as the OpenTelemetry Collector's Zipkin exporter does: tags `otlp.link.N` and `w3c.tracestate`. Flags of
 * spans and links, and URLs of schemas, have no place.
 */
export function otlpToZipkin(resources: readonly OtlpResourceSpans[]): OtlpSpans {
  const result: OtlpSpans = { spans: [], rejected: 0, errorMessage: '' }
  for (const resource of resources) {
    const serviceName = textOf(resource.attributes.get('service.name') ?? '') || 'unknown_service'
    const localEndpoint = normaliseEndpoint({ serviceName })
    const resourceTags = [...resource.attributes].filter(([key]) => key !== 'service.name')
    for (const scope of resource.scopes) {
      const shared = [...resourceTags, ...scopeTags(scope)]
      for (const span of scope.spans) {
        const problem = findProblem(span)
        if (problem) {
          result.rejected++
          result.errorMessage ||= problem
        } else result.spans.push(toZipkin(span, shared, localEndpoint))
      }
    }
  }
  return result
}

function findProblem({ traceId, spanId, parentSpanId }: OtlpSpan): string | undefined {
  if (!TRACE_ID.test(traceId) || ALL_ZEROS.test(traceId)) {
    return `trace_id: expected 16 bytes that are not all zero, got "${traceId}"`
  }
  if (!SPAN_ID.test(spanId) || ALL_ZEROS.test(spanId)) {
    return `span_id: expected 8 bytes that are not all zero, got "${spanId}"`
  }
  if (parentSpanId !== '' && !SPAN_ID.test(parentSpanId)) {
    return `parent_span_id: expected 8 bytes or none, got "${parentSpanId}"`
  }
  return undefined
}

function toZipkin(span: OtlpSpan, shared: readonly [string, OtlpValue][], localEndpoint: Endpoint | undefined): Span {
  const kind = KINDS[span.kind]
  const start = microseconds(span.startTimeUnixNano)
  return normaliseSpan({
    traceId: normaliseTraceId(span.traceId),
    id: normaliseSpanId(span.spanId),
    parentId: span.parentSpanId === '' ? undefined : normaliseParentId(span.parentSpanId),
    kind,
    name: span.name,
    timestamp: start,
    // Whole microseconds, cut; but Zipkin has no duration 0, so what took less than one took one.
    duration:
      span.endTimeUnixNano > span.startTimeUnixNano
        ? Math.max(microseconds(span.endTimeUnixNano - span.startTimeUnixNano), 1)
        : undefined,
    localEndpoint,
    remoteEndpoint: kind === undefined ? undefined : peerEndpoint(span.attributes),
    annotations: span.events.map(event => ({
      timestamp: microseconds(event.timeUnixNano),
      value: annotationOf(event),
    })),
    tags: toTags(span, shared),
  })
}

/** The instrumentation's own attributes and what it is called, under both the present and the former names. */
function scopeTags({ scopeName, scopeVersion, scopeAttributes }: OtlpScopeSpans): [string, OtlpValue][] {
  const tags: [string, OtlpValue][] = [...scopeAttributes]
  if (scopeName) tags.push(['otel.scope.name', scopeName], ['otel.library.name', scopeName])
  if (scopeVersion) tags.push(['otel.scope.version', scopeVersion], ['otel.library.version', scopeVersion])
  return tags
}

/** The span's own attributes win over those it shares with others of its scope and resource, as they are nearer. */
function toTags(span: OtlpSpan, shared: readonly [string, OtlpValue][]): Record<string, string> {
  const tags: Record<string, string> = Object.create(null)
  for (const [key, value] of shared) tags[key] = textOf(value)
  for (const [key, value] of span.attributes) tags[key] = textOf(value)
  // To Zipkin a tag `error` of any value is a failure.
  if (tags.error === 'false') delete tags.error
  if (span.statusCode === 1) tags['otel.status_code'] = 'OK'
  if (span.statusCode === 2) {
    tags['otel.status_code'] = 'ERROR'
    tags.error = span.statusMessage
  }
  if (span.droppedAttributesCount > 0) tags['otel.dropped_attributes_count'] = String(span.droppedAttributesCount)
  if (span.droppedEventsCount > 0) tags['otel.dropped_events_count'] = String(span.droppedEventsCount)
  if (span.droppedLinksCount > 0) tags['otel.dropped_links_count'] = String(span.droppedLinksCount)
  if (span.traceState !== '') tags['w3c.tracestate'] = span.traceState
  if (span.links !== undefined) for (const [i, link] of span.links.entries()) tags[`otlp.link.${i}`] = linkText(link)
  return tags
}

/** `name`, or `"name": {"key":"value"}` where it has attributes. */
function annotationOf({ name, attributes, droppedAttributesCount }: OtlpEvent): string {
  if (droppedAttributesCount > 0) attributes.set('otel.dropped_attributes_count', droppedAttributesCount)
  return attributes.size === 0 ? name : `${JSON.stringify(name)}: ${jsonOf(attributes)}`
}

/** `traceId|spanId|traceState|{"key":"value"}|dropped attributes` (OpenTelemetry Collector) */
function linkText({ traceId, spanId, traceState, attributes, droppedAttributesCount }: OtlpLink): string {
  return `${traceId}|${spanId}|${traceState}|${jsonOf(attributes)}|${droppedAttributesCount}`
}

function peerEndpoint(attributes: OtlpAttributes): Endpoint | undefined {
  for (const [name, portName] of PEER_ATTRIBUTES) {
    const address = textOf(attributes.get(name) ?? '')
    if (address === '') continue
    const ip = name === 'peer.service' ? undefined : parseIp(address)
    if (!portName) return normaliseEndpoint(ip ?? { serviceName: address })
    const port = Number(textOf(attributes.get(portName) ?? ''))
    return normaliseEndpoint({
      ...(ip ?? { serviceName: address }),
      port: Number.isInteger(port) && port <= 65_535 ? port : undefined,
    })
  }
  return undefined
}

function microseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n)
}

function textOf(value: OtlpValue): string {
  if (value === null) return ''
  return typeof value === 'object' ? jsonOf(value) : String(value)
}

/** The readers refuse values that nest deeper than 100 levels. */
function jsonOf(value: OtlpValue): string {
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`
  if (value instanceof Map) {
    return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}:${jsonOf(item)}`).join(',')}}`
  }
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}
