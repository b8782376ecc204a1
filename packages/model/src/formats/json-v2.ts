import { parseIp } from '../ip.ts'
import { normaliseEndpoint, normaliseSpan } from '../normalise-span.ts'
import type { Annotation, Endpoint, Kind, Span } from '../span.ts'
import { IdError, normaliseParentId, normaliseSpanId, normaliseTraceId } from '../trace-id.ts'
import { DecodeError } from './decode-error.ts'
import { GsonReader } from './gson-reader.ts'

const KINDS: ReadonlySet<string> = new Set(['CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER'])
const READING = ' reading List<Span> from json'
const MAX_PORT = 65_535

/**
 * A Zipkin v2 JSON list → spans, normalised. All or nothing: throws {@link DecodeError} with zipkin-server's text.
 *
 * Two ways in. What `JSON.parse` takes and what has the documented types goes the fast way. Anything else (a number
 * where text is expected, text where a number is, `TRUE`, a cut-off body, a bad id) is read again by {@link GsonReader},
 * which alone decides what passes and what is said. Times are numbers: exact up to 2^53 µs (the year 2255), the nearest
 * double beyond, where zipkin-server keeps an int64. The fast way takes a
 * little more than the server: of a key that stands twice in one object only the last is looked at (the server unites two
 * `tags` and refuses a bad id that a good one follows), and unknown fields may nest deeper than 255 levels.
 */
export function decodeJsonV2(body: Uint8Array): Span[] {
  const text = new TextDecoder().decode(body)
  return decodeOrdinary(text) ?? decodeLeniently(text)
}

/** Undefined when anything at all is out of the ordinary. */
function decodeOrdinary(text: string): Span[] | undefined {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(list)) return undefined
  const spans: Span[] = []
  for (const raw of list) {
    const span = ordinarySpan(raw)
    if (!span) return undefined
    spans.push(span)
  }
  return spans
}

function ordinarySpan(raw: Record<string, unknown> | null): Span | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined
  const { traceId, id, parentId, kind, name, timestamp, duration, annotations, tags, debug, shared } = raw
  if (typeof traceId !== 'string' || typeof id !== 'string') return undefined
  if (
    !isOptional(parentId, 'string') ||
    !isOptional(name, 'string') ||
    !isOptional(debug, 'boolean') ||
    !isOptional(shared, 'boolean') ||
    !isOptionalInteger(timestamp) ||
    !isOptionalInteger(duration) ||
    !(kind === undefined || kind === null || (typeof kind === 'string' && KINDS.has(kind)))
  ) {
    return undefined
  }
  const localEndpoint = ordinaryEndpoint(raw.localEndpoint)
  const remoteEndpoint = ordinaryEndpoint(raw.remoteEndpoint)
  if (localEndpoint === null || remoteEndpoint === null) return undefined
  const ordinaryAnnotationList = ordinaryAnnotations(annotations)
  if (ordinaryAnnotationList === null || !areOrdinaryTags(tags)) return undefined
  try {
    return normaliseSpan({
      traceId: normaliseTraceId(traceId),
      id: normaliseSpanId(id),
      parentId: parentId == null ? undefined : normaliseParentId(parentId),
      kind: (kind as Kind | null) ?? undefined,
      name: name ?? undefined,
      timestamp: timestamp ?? undefined,
      duration: duration ?? undefined,
      localEndpoint,
      remoteEndpoint,
      annotations: ordinaryAnnotationList,
      // Changing the prototype keeps V8's fast shape; copying into Object.create(null) makes a dictionary, 3 times slower.
      tags: tags == null ? undefined : Object.setPrototypeOf(tags, null),
      debug: debug ?? undefined,
      shared: shared ?? undefined,
    })
  } catch (error) {
    if (error instanceof IdError) return undefined
    throw error
  }
}

function isOptional(value: unknown, type: 'string'): value is string | null | undefined
function isOptional(value: unknown, type: 'boolean'): value is boolean | null | undefined
function isOptional(value: unknown, type: 'string' | 'boolean'): boolean {
  return value === undefined || value === null || typeof value === type
}

function isOptionalInteger(value: unknown): value is number | null | undefined {
  return value === undefined || value === null || Number.isSafeInteger(value)
}

/** Undefined when there is none, null when it is not ordinary. */
function ordinaryEndpoint(raw: unknown): Endpoint | undefined | null {
  if (raw === undefined || raw === null) return undefined
  if (typeof raw !== 'object' || Array.isArray(raw)) return null
  const { serviceName, ipv4, ipv6, port } = raw as Record<string, unknown>
  if (!isOptional(serviceName, 'string') || !isOptional(ipv4, 'string') || !isOptional(ipv6, 'string')) return null
  if (!isOptionalInteger(port) || (port != null && port > MAX_PORT)) return null
  return normaliseEndpoint({
    serviceName: serviceName ?? undefined,
    ...(ipv4 ? parseIp(ipv4) : undefined),
    ...(ipv6 ? parseIp(ipv6) : undefined),
    port: port ?? undefined,
  })
}

function ordinaryAnnotations(raw: unknown): Annotation[] | undefined | null {
  if (raw === undefined || raw === null) return undefined
  if (!Array.isArray(raw)) return null
  const annotations: Annotation[] = []
  for (const item of raw) {
    if (typeof item !== 'object' || item === null) return null
    const { timestamp, value } = item as Record<string, unknown>
    if (!Number.isSafeInteger(timestamp) || typeof value !== 'string') return null
    annotations.push({ timestamp: timestamp as number, value })
  }
  return annotations
}

function areOrdinaryTags(raw: unknown): raw is Record<string, string> | null | undefined {
  if (raw === undefined || raw === null) return true
  if (typeof raw !== 'object' || Array.isArray(raw)) return false
  for (const key in raw) if (typeof (raw as Record<string, unknown>)[key] !== 'string') return false
  return true
}

function decodeLeniently(text: string): Span[] {
  const reader = new GsonReader(text)
  try {
    const spans: Span[] = []
    reader.beginArray()
    while (reader.hasNext()) spans.push(readSpan(reader))
    reader.endArray()
    return spans
  } catch (error) {
    if (error instanceof IdError) throw new DecodeError('bad_id', error.message + READING)
    if (error instanceof DecodeError) throw new DecodeError(error.code, error.message + READING)
    throw error
  }
}

/** Fields are checked as they come, so the first fault in the text is the one that is told. */
function readSpan(reader: GsonReader): Span {
  let traceId: string | undefined
  let id: string | undefined
  let kind: Kind | undefined
  let parentId: string | undefined
  let name: string | undefined
  let timestamp: number | undefined
  let duration: number | undefined
  let localEndpoint: Endpoint | undefined
  let remoteEndpoint: Endpoint | undefined
  const annotations: Annotation[] = []
  const tags: Record<string, string> = Object.create(null)
  let debug = false
  let shared = false

  reader.beginObject()
  while (reader.hasNext()) {
    const field = reader.nextName()
    if (field === 'traceId') traceId = normaliseTraceId(reader.nextString())
    else if (field === 'id') id = normaliseSpanId(reader.nextString())
    else if (reader.peek() === 'NULL') reader.skipValue()
    else if (field === 'parentId') parentId = normaliseParentId(reader.nextString())
    else if (field === 'kind') kind = readKind(reader)
    else if (field === 'name') name = reader.nextString()
    else if (field === 'timestamp') timestamp = reader.nextLong()
    else if (field === 'duration') duration = reader.nextLong()
    else if (field === 'localEndpoint') localEndpoint = readEndpoint(reader)
    else if (field === 'remoteEndpoint') remoteEndpoint = readEndpoint(reader)
    else if (field === 'annotations') readAnnotations(reader, annotations)
    else if (field === 'tags') readTags(reader, tags)
    else if (field === 'debug') debug = reader.nextBoolean() || debug
    else if (field === 'shared') shared = reader.nextBoolean() || shared
    else reader.skipValue()
  }
  reader.endObject()

  if (traceId === undefined || id === undefined) {
    const missing = (traceId === undefined ? ' traceId' : '') + (id === undefined ? ' id' : '')
    throw new DecodeError('missing_id', `Missing :${missing}`)
  }
  return normaliseSpan({
    traceId,
    id,
    parentId,
    kind,
    name,
    timestamp,
    duration,
    localEndpoint,
    remoteEndpoint,
    annotations,
    tags,
    debug,
    shared,
  })
}

function readKind(reader: GsonReader): Kind {
  const text = reader.nextString()
  if (!KINDS.has(text)) throw new DecodeError('bad_kind', `No enum constant zipkin2.Span.Kind.${text}`)
  return text as Kind
}

/** Also that of v1. */
export function readEndpoint(reader: GsonReader): Endpoint | undefined {
  let serviceName: string | undefined
  let ip: Pick<Endpoint, 'ipv4' | 'ipv6'> = {}
  let port: number | undefined
  reader.beginObject()
  while (reader.hasNext()) {
    const field = reader.nextName()
    if (reader.peek() === 'NULL') reader.skipValue()
    else if (field === 'serviceName') serviceName = reader.nextString()
    else if (field === 'ipv4' || field === 'ipv6') ip = { ...ip, ...parseIp(reader.nextString()) }
    else if (field === 'port') {
      port = reader.nextInt()
      if (port > MAX_PORT) throw new DecodeError('bad_port', `invalid port ${port}`)
    } else reader.skipValue()
  }
  reader.endObject()
  return normaliseEndpoint({ serviceName, ...ip, port })
}

function readAnnotations(reader: GsonReader, into: Annotation[]): void {
  reader.beginArray()
  while (reader.hasNext()) {
    let timestamp: number | undefined
    let value: string | undefined
    reader.beginObject()
    while (reader.hasNext()) {
      const field = reader.nextName()
      if (field === 'timestamp') timestamp = reader.nextLong()
      else if (field === 'value') value = reader.nextString()
      else reader.skipValue()
    }
    if (timestamp === undefined || value === undefined) {
      throw new DecodeError('incomplete_annotation', `Incomplete annotation at ${reader.path()}`)
    }
    reader.endObject()
    into.push({ timestamp, value })
  }
  reader.endArray()
}

function readTags(reader: GsonReader, into: Record<string, string>): void {
  reader.beginObject()
  while (reader.hasNext()) {
    const key = reader.nextName()
    if (reader.peek() === 'NULL') throw new DecodeError('no_tag_value', `No value at ${reader.path()}`)
    into[key] = reader.nextString()
  }
  reader.endObject()
}

/** A JSON list as zipkin-server writes it: fields in its order, tags by key in UTF-16 order, its escapes. */
export function encodeJsonV2(spans: readonly Span[]): string {
  let json = '['
  for (const [index, span] of spans.entries()) {
    if (index > 0) json += ','
    json += encodeSpanJsonV2(span)
  }
  return `${json}]`
}

/** One span of such a list. */
export function encodeSpanJsonV2(span: Span): string {
  let json = `{"traceId":"${span.traceId}"`
  if (span.parentId !== undefined) json += `,"parentId":"${span.parentId}"`
  json += `,"id":"${span.id}"`
  if (span.kind !== undefined) json += `,"kind":"${span.kind}"`
  if (span.name !== undefined) json += `,"name":${quote(span.name)}`
  if (span.timestamp !== undefined) json += `,"timestamp":${integer(span.timestamp)}`
  if (span.duration !== undefined) json += `,"duration":${integer(span.duration)}`
  if (span.localEndpoint) json += `,"localEndpoint":${encodeEndpoint(span.localEndpoint)}`
  if (span.remoteEndpoint) json += `,"remoteEndpoint":${encodeEndpoint(span.remoteEndpoint)}`
  if (span.annotations) {
    const items = span.annotations.map(a => `{"timestamp":${integer(a.timestamp)},"value":${quote(a.value)}}`)
    json += `,"annotations":[${items.join(',')}]`
  }
  const { tags } = span
  if (tags) {
    const keys = Object.keys(tags).sort()
    json += `,"tags":{${keys.map(key => `${quote(key)}:${quote(tags[key]!)}`).join(',')}}`
  }
  if (span.debug) json += ',"debug":true'
  if (span.shared) json += ',"shared":true'
  return `${json}}`
}

function encodeEndpoint({ serviceName, ipv4, ipv6, port }: Endpoint): string {
  const parts: string[] = []
  if (serviceName !== undefined) parts.push(`"serviceName":${quote(serviceName)}`)
  if (ipv4 !== undefined) parts.push(`"ipv4":"${ipv4}"`)
  if (ipv6 !== undefined) parts.push(`"ipv6":"${ipv6}"`)
  if (port !== undefined) parts.push(`"port":${port}`)
  return `{${parts.join(',')}}`
}

/** Never in scientific notation, which starts at 1e21, and never beyond an int64. */
function integer(value: number): string {
  if (Number.isSafeInteger(value)) return String(value)
  const int64 = BigInt(Math.trunc(value))
  return String(int64 > 2n ** 63n - 1n ? 2n ** 63n - 1n : int64)
}

// JSON.stringify leaves the two line separators raw, which scripts of old could not read, and escapes a lone surrogate,
// which UTF-8 cannot carry: zipkin-server writes a question mark.
const UNLIKE_STRINGIFY = /[\u2028\u2029\ud800-\udfff]/

function quote(text: string): string {
  if (!UNLIKE_STRINGIFY.test(text)) return JSON.stringify(text)
  const paired = text.isWellFormed() ? text : text.replace(/\p{Surrogate}/gu, '?')
  return JSON.stringify(paired).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}
