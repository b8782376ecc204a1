import { DecodeError } from './decode-error.ts'
import { MAX_VALUE_DEPTH } from './otlp-json.ts'
import {
  emptyOtlpSpan,
  type OtlpAttributes,
  type OtlpEvent,
  type OtlpLink,
  type OtlpResourceSpans,
  type OtlpScopeSpans,
  type OtlpSpan,
  type OtlpValue,
} from './otlp-span.ts'
import { type OtlpSpans, otlpToZipkin } from './otlp-to-zipkin.ts'
import { FIXED64, LENGTH_DELIMITED, ProtobufReader, VARINT } from './protobuf-reader.ts'

const bytes = (field: number): number => (field << 3) | LENGTH_DELIMITED
const varint = (field: number): number => (field << 3) | VARINT
const fixed64 = (field: number): number => (field << 3) | FIXED64

/**
 * A binary OTLP `ExportTraceServiceRequest` (opentelemetry-proto 1.x) → Zipkin spans. Unknown fields, also within
 * spans, are skipped. A body that is no such message throws {@link DecodeError}; a span with a bad id is rejected alone.
 */
export function decodeOtlpProto(body: Uint8Array): OtlpSpans {
  const resources: OtlpResourceSpans[] = []
  const reader = new ProtobufReader(body)
  while (reader.position < reader.length) {
    const key = reader.key()
    if (key === bytes(1)) resources.push(readResourceSpans(reader))
    else reader.skip(key)
  }
  return otlpToZipkin(resources)
}

function readResourceSpans(reader: ProtobufReader): OtlpResourceSpans {
  const result: OtlpResourceSpans = { attributes: new Map(), scopes: [] }
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) readResource(reader, result.attributes)
    else if (key === bytes(2)) result.scopes.push(readScopeSpans(reader))
    else reader.skip(key)
  }
  reader.finish(end)
  return result
}

function readResource(reader: ProtobufReader, attributes: OtlpAttributes): void {
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) readAttribute(reader, attributes, 0)
    else reader.skip(key)
  }
  reader.finish(end)
}

function readScopeSpans(reader: ProtobufReader): OtlpScopeSpans {
  const result: OtlpScopeSpans = { scopeName: '', scopeVersion: '', scopeAttributes: new Map(), spans: [] }
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) readScope(reader, result)
    else if (key === bytes(2)) result.spans.push(readSpan(reader))
    else reader.skip(key)
  }
  reader.finish(end)
  return result
}

function readScope(reader: ProtobufReader, into: OtlpScopeSpans): void {
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) into.scopeName = reader.string()
    else if (key === bytes(2)) into.scopeVersion = reader.string()
    else if (key === bytes(3)) readAttribute(reader, into.scopeAttributes, 0)
    else reader.skip(key)
  }
  reader.finish(end)
}

function readSpan(reader: ProtobufReader): OtlpSpan {
  const span = emptyOtlpSpan()
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) span.traceId = reader.hex()
    else if (key === bytes(2)) span.spanId = reader.hex()
    else if (key === bytes(3)) span.traceState = reader.string()
    else if (key === bytes(4)) span.parentSpanId = reader.hex()
    else if (key === bytes(5)) span.name = reader.string()
    else if (key === varint(6)) span.kind = reader.int32()
    else if (key === fixed64(7)) span.startTimeUnixNano = reader.fixedUint64()
    else if (key === fixed64(8)) span.endTimeUnixNano = reader.fixedUint64()
    else if (key === bytes(9)) readAttribute(reader, span.attributes, 0)
    else if (key === varint(10)) span.droppedAttributesCount = reader.varint()
    else if (key === bytes(11)) span.events.push(readEvent(reader))
    else if (key === varint(12)) span.droppedEventsCount = reader.varint()
    else if (key === bytes(13)) addLink(reader, span)
    else if (key === varint(14)) span.droppedLinksCount = reader.varint()
    else if (key === bytes(15)) readStatus(reader, span)
    else reader.skip(key)
  }
  reader.finish(end)
  return span
}

function readEvent(reader: ProtobufReader): OtlpEvent {
  const event: OtlpEvent = { timeUnixNano: 0n, name: '', attributes: new Map(), droppedAttributesCount: 0 }
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === fixed64(1)) event.timeUnixNano = reader.fixedUint64()
    else if (key === bytes(2)) event.name = reader.string()
    else if (key === bytes(3)) readAttribute(reader, event.attributes, 0)
    else if (key === varint(4)) event.droppedAttributesCount = reader.varint()
    else reader.skip(key)
  }
  reader.finish(end)
  return event
}

function addLink(reader: ProtobufReader, span: OtlpSpan): void {
  const link: OtlpLink = { traceId: '', spanId: '', traceState: '', attributes: new Map(), droppedAttributesCount: 0 }
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) link.traceId = reader.hex()
    else if (key === bytes(2)) link.spanId = reader.hex()
    else if (key === bytes(3)) link.traceState = reader.string()
    else if (key === bytes(4)) readAttribute(reader, link.attributes, 0)
    else if (key === varint(5)) link.droppedAttributesCount = reader.varint()
    else reader.skip(key)
  }
  reader.finish(end)
  span.links ??= []
  span.links.push(link)
}

function readStatus(reader: ProtobufReader, span: OtlpSpan): void {
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(2)) span.statusMessage = reader.string()
    else if (key === varint(3)) span.statusCode = reader.int32()
    else reader.skip(key)
  }
  reader.finish(end)
}

function readAttribute(reader: ProtobufReader, into: OtlpAttributes, depth: number): void {
  let name = ''
  let value: OtlpValue = null
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) name = reader.string()
    else if (key === bytes(2)) value = readValue(reader, depth)
    else reader.skip(key)
  }
  reader.finish(end)
  into.set(name, value)
}

function readValue(reader: ProtobufReader, depth: number): OtlpValue {
  if (depth > MAX_VALUE_DEPTH) throw new DecodeError('malformed', 'Malformed: attribute value nests too deeply')
  let value: OtlpValue = null
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) value = reader.string()
    else if (key === varint(2)) value = reader.bool()
    else if (key === varint(3)) value = reader.int64()
    else if (key === fixed64(4)) value = reader.double()
    else if (key === bytes(5)) value = readArray(reader, depth)
    else if (key === bytes(6)) value = readMap(reader, depth)
    else if (key === bytes(7)) value = base64(reader.bytes())
    else reader.skip(key)
  }
  reader.finish(end)
  return value
}

function readArray(reader: ProtobufReader, depth: number): OtlpValue[] {
  const values: OtlpValue[] = []
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) values.push(readValue(reader, depth + 1))
    else reader.skip(key)
  }
  reader.finish(end)
  return values
}

function readMap(reader: ProtobufReader, depth: number): OtlpAttributes {
  const values: OtlpAttributes = new Map()
  const end = reader.messageEnd()
  while (reader.position < end) {
    const key = reader.key()
    if (key === bytes(1)) readAttribute(reader, values, depth + 1)
    else reader.skip(key)
  }
  reader.finish(end)
  return values
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
