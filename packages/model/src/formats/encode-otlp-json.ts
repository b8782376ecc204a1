import { placeSpans } from '../columns/place-spans.ts'
import { tableSpans } from '../columns/table-spans.ts'
import type { Kind, Span } from '../span.ts'

const KINDS: Record<Kind, number> = { SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 }
const INTERNAL = 1
const ID = /^[0-9a-f]{1,16}$/
const TRACE_ID = /^[0-9a-f]{1,32}$/

/**
 * The spans of one trace → an OTLP/JSON `ExportTraceServiceRequest`. OTLP has no two spans with one id: where both halves
 * of a call share one, the server's half gets an id of its own below the client's, and what the server did hangs below it.
 * An id that is not hex becomes one.
 */
export function encodeOtlpJson(reported: readonly Span[]): string {
  const { table, spans } = tableSpans(reported)
  const { parent } = placeSpans(table)
  const ids = uniqueIds(spans)
  const byService = new Map<string, { span: Span; id: string; parentId: string | undefined }[]>()
  for (const [i, span] of spans.entries()) {
    const service = span.localEndpoint?.serviceName ?? ''
    const list = byService.get(service) ?? []
    const above = parent[i]!
    const isLinked = above >= 0 && (span.parentId === spans[above]!.id || span.id === spans[above]!.id)
    const missing = span.parentId && ID.test(span.parentId) ? span.parentId.padStart(16, '0') : undefined
    list.push({ span, id: ids[i]!, parentId: isLinked ? ids[above]! : missing })
    byService.set(service, list)
  }
  return JSON.stringify({
    resourceSpans: [...byService].map(([service, list]) => ({
      resource: { attributes: service === '' ? [] : [attribute('service.name', service)] },
      scopeSpans: [{ scope: {}, spans: list.map(({ span, id, parentId }) => toOtlp(span, id, parentId)) }],
    })),
  })
}

function toOtlp(span: Span, spanId: string, parentSpanId: string | undefined) {
  const { traceId, kind, name, timestamp, duration = 0, tags, annotations, remoteEndpoint } = span
  const attributes = Object.entries(tags ?? {})
    .filter(([key]) => key !== 'error' && key !== 'otel.status_code')
    .map(([key, value]) => attribute(key, value))
  const peer = remoteEndpoint?.serviceName
  if (peer !== undefined && tags?.['peer.service'] === undefined) attributes.push(attribute('peer.service', peer))
  const address = remoteEndpoint?.ipv4 ?? remoteEndpoint?.ipv6
  if (address !== undefined) attributes.push(attribute('network.peer.address', address))
  if (remoteEndpoint?.port !== undefined) {
    attributes.push({ key: 'network.peer.port', value: { intValue: String(remoteEndpoint.port) } })
  }
  const error = tags?.error
  return {
    traceId: TRACE_ID.test(traceId) ? traceId.padStart(32, '0') : hash(traceId).padStart(32, '0'),
    spanId,
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    name: name ?? '',
    kind: kind ? KINDS[kind] : INTERNAL,
    startTimeUnixNano: nanoseconds(timestamp ?? 0),
    endTimeUnixNano: nanoseconds((timestamp ?? 0) + duration),
    attributes,
    events: (annotations ?? []).map(annotation => ({
      timeUnixNano: nanoseconds(annotation.timestamp),
      name: annotation.value,
    })),
    status: error === undefined ? {} : { code: 2, ...(error === '' ? {} : { message: error }) },
  }
}

/** Each span's own id where nobody before has it. */
function uniqueIds(spans: readonly Span[]): string[] {
  const taken = new Set(spans.map(({ id }) => id))
  const used = new Set<string>()
  return spans.map(({ id }) => {
    let own = ID.test(id) ? id.padStart(16, '0') : hash(id)
    for (let n = 1; used.has(own) || (own !== id && taken.has(own)); n++) own = hash(`${id} ${n}`)
    used.add(own)
    return own
  })
}

function attribute(key: string, stringValue: string): { key: string; value: Record<string, string> } {
  return { key, value: { stringValue } }
}

/** Microseconds of this century times 1,000 are more than a double holds. */
function nanoseconds(microseconds: number): string {
  return microseconds === 0 ? '0' : `${Math.round(microseconds)}000`
}

/** FNV-1a, 64 bits in hex: the same text is the same id, whenever it is written. */
function hash(text: string): string {
  let value = 0xcbf29ce484222325n
  for (let i = 0; i < text.length; i++) {
    value = BigInt.asUintN(64, (value ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n)
  }
  return (value || 1n).toString(16).padStart(16, '0')
}
