import { ipFromV6Bytes } from '../ip.ts'
import { normaliseEndpoint, normaliseSpan } from '../normalise-span.ts'
import type { Annotation, Endpoint, Kind, Span } from '../span.ts'
import { IdError, normaliseParentId, normaliseSpanId, normaliseTraceId } from '../trace-id.ts'
import { DecodeError } from './decode-error.ts'
import { FIXED64, LENGTH_DELIMITED, ProtobufReader, VARINT } from './protobuf-reader.ts'

const READING = ' reading List<Span> from proto3'
const MAX_PORT = 65_535
const MAX_ID_BYTES = 32
const KINDS: readonly (Kind | undefined)[] = [undefined, 'CLIENT', 'SERVER', 'PRODUCER', 'CONSUMER']

/** Keys of zipkin.proto: number of the field × 8 + wire type. */
const SPAN = {
  traceId: (1 << 3) | LENGTH_DELIMITED,
  parentId: (2 << 3) | LENGTH_DELIMITED,
  id: (3 << 3) | LENGTH_DELIMITED,
  kind: (4 << 3) | VARINT,
  name: (5 << 3) | LENGTH_DELIMITED,
  timestamp: (6 << 3) | FIXED64,
  duration: (7 << 3) | VARINT,
  localEndpoint: (8 << 3) | LENGTH_DELIMITED,
  remoteEndpoint: (9 << 3) | LENGTH_DELIMITED,
  annotation: (10 << 3) | LENGTH_DELIMITED,
  tag: (11 << 3) | LENGTH_DELIMITED,
  debug: (12 << 3) | VARINT,
  shared: (13 << 3) | VARINT,
} as const
const ENDPOINT = {
  serviceName: (1 << 3) | LENGTH_DELIMITED,
  ipv4: (2 << 3) | LENGTH_DELIMITED,
  ipv6: (3 << 3) | LENGTH_DELIMITED,
  port: (4 << 3) | VARINT,
} as const
const ANNOTATION = { timestamp: (1 << 3) | FIXED64, value: (2 << 3) | LENGTH_DELIMITED } as const
const TAG = { key: (1 << 3) | LENGTH_DELIMITED, value: (2 << 3) | LENGTH_DELIMITED } as const

/**
 * `zipkin.proto3.ListOfSpans` → spans, normalised. All or nothing: throws {@link DecodeError} with zipkin-server's text.
 * Fields that are not known are passed over, where the server loses the rest of the message with them.
 */
export function decodeProto3(body: Uint8Array): Span[] {
  const reader = new ProtobufReader(body)
  const spans: Span[] = []
  try {
    while (reader.position < reader.length) {
      // The list has one field only; as the server, whatever it is called is a span.
      reader.varint32()
      const end = reader.messageEnd()
      if (end > reader.position) spans.push(readSpan(reader, end))
    }
    return spans
  } catch (error) {
    if (error instanceof IdError) throw new DecodeError('bad_id', error.message + READING)
    if (error instanceof DecodeError) {
      // The server tells no more of these.
      throw new DecodeError(error.code, (error.code === 'malformed' ? 'Malformed' : error.message) + READING)
    }
    throw error
  }
}

function readSpan(reader: ProtobufReader, end: number): Span {
  let traceId: string | undefined
  let id: string | undefined
  let parentId: string | undefined
  let kind: Kind | undefined
  let name: string | undefined
  let timestamp: number | undefined
  let duration: number | undefined
  let localEndpoint: Endpoint | undefined
  let remoteEndpoint: Endpoint | undefined
  let annotations: Annotation[] | undefined
  let tags: Record<string, string> | undefined
  let debug = false
  let shared = false
  while (reader.position < end) {
    const key = reader.varint32()
    if (key === SPAN.tag) {
      tags ??= {}
      readTag(reader, tags)
    } else if (key === SPAN.annotation) {
      const annotation = readAnnotation(reader)
      if (annotation) {
        annotations ??= []
        annotations.push(annotation)
      }
    } else if (key === SPAN.traceId) traceId = normaliseTraceId(readId(reader, 'traceId'))
    else if (key === SPAN.id) id = normaliseSpanId(readId(reader, 'id'))
    else if (key === SPAN.parentId) {
      const text = readId(reader)
      parentId = text === '' ? undefined : normaliseParentId(text)
    } else if (key === SPAN.kind) kind = KINDS[reader.varint32()] ?? kind
    else if (key === SPAN.name) name = reader.string()
    else if (key === SPAN.timestamp) timestamp = reader.fixed64()
    else if (key === SPAN.duration) duration = positiveInt64(reader.varint())
    else if (key === SPAN.localEndpoint) localEndpoint = readEndpoint(reader)
    else if (key === SPAN.remoteEndpoint) remoteEndpoint = readEndpoint(reader)
    else if (key === SPAN.debug) debug = readFlag(reader) || debug
    else if (key === SPAN.shared) shared = readFlag(reader) || shared
    else reader.skip(key)
  }
  reader.finish(end)
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
    // Taken away at the end: an object that is made without a prototype is a slow one (see `json-v2.ts`).
    tags: tags && Object.setPrototypeOf(tags, null),
    debug,
    shared,
  })
}

/** `required`: its name, where an empty one is a fault. */
function readId(reader: ProtobufReader, required?: string): string {
  const start = reader.position
  const text = reader.hex()
  if (text.length > 2 * MAX_ID_BYTES) {
    throw new DecodeError('bad_id', `hex field greater than 32 chars long: ${text.length / 2}`)
  }
  if (text === '' && required !== undefined && reader.position > start) {
    throw new DecodeError('bad_id', `${required} == null`)
  }
  return text
}

/** A duration above 2^63 µs is negative to the server. */
function positiveInt64(value: number): number | undefined {
  return value <= 2 ** 63 ? value : undefined
}

function readFlag(reader: ProtobufReader): boolean {
  const byte = reader.byte()
  if (byte > 1) throw new DecodeError('malformed', 'Malformed')
  return byte === 1
}

function readEndpoint(reader: ProtobufReader): Endpoint | undefined {
  let serviceName: string | undefined
  let ip: Pick<Endpoint, 'ipv4' | 'ipv6'> = {}
  let port: number | undefined
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.varint32()
    if (key === ENDPOINT.serviceName) serviceName = reader.string()
    else if (key === ENDPOINT.ipv4 || key === ENDPOINT.ipv6) ip = { ...ip, ...ipFromBytes(reader.bytes()) }
    else if (key === ENDPOINT.port) {
      port = reader.varint32() | 0
      if (port > MAX_PORT) throw new DecodeError('bad_port', `invalid port ${port}`)
    } else reader.skip(key)
  }
  reader.finish(end)
  return normaliseEndpoint({ serviceName, ...ip, port })
}

/** By their number, not by the field that they stand in. */
function ipFromBytes(bytes: Uint8Array): Pick<Endpoint, 'ipv4' | 'ipv6'> | undefined {
  return bytes.length === 4 ? { ipv4: bytes.join('.') } : ipFromV6Bytes(bytes)
}

function readAnnotation(reader: ProtobufReader): Annotation | undefined {
  let timestamp = 0
  let value = ''
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.varint32()
    if (key === ANNOTATION.timestamp) timestamp = reader.fixed64()
    else if (key === ANNOTATION.value) value = reader.string()
    else reader.skip(key)
  }
  reader.finish(end)
  return timestamp === 0 || value === '' ? undefined : { timestamp, value }
}

function readTag(reader: ProtobufReader, into: Record<string, string>): void {
  let name = ''
  let value = ''
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.varint32()
    if (key === TAG.key) name = reader.string()
    else if (key === TAG.value) value = reader.string()
    else reader.skip(key)
  }
  reader.finish(end)
  if (name === '__proto__') Object.defineProperty(into, name, ordinary(value))
  else if (name !== '') into[name] = value
}

function ordinary(value: string): PropertyDescriptor {
  return { value, writable: true, enumerable: true, configurable: true }
}
