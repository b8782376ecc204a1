import { DecodeError } from './decode-error.ts'
import { MAX_VALUE_DEPTH } from './otlp-json.ts'
import {
  emptyOtlpSpan,
  type OtlpAttributes,
  type OtlpEvent,
  type OtlpResourceSpans,
  type OtlpScopeSpans,
  type OtlpSpan,
  type OtlpValue,
} from './otlp-span.ts'
import { type OtlpSpans, otlpToZipkin } from './otlp-to-zipkin.ts'
import { FIXED64, LENGTH_DELIMITED, ProtobufReader, VARINT } from './protobuf-reader.ts'

/**
 * A binary OTLP `ExportTraceServiceRequest` (opentelemetry-proto 1.x) → Zipkin spans. Unknown fields, also within
 * spans, are skipped. A body that is no such message throws {@link DecodeError}; a span with a bad id is rejected alone.
 */
export function decodeOtlpProto(body: Uint8Array): OtlpSpans {
  const resources: OtlpResourceSpans[] = []
  const reader = new ProtobufReader(body)
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) resources.push(readResourceSpans(reader.message()))
    else reader.skip()
  }
  return otlpToZipkin(resources)
}

function readResourceSpans(reader: ProtobufReader): OtlpResourceSpans {
  const result: OtlpResourceSpans = { attributes: new Map(), scopes: [] }
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) readResource(reader.message(), result.attributes)
    else if (reader.is(2, LENGTH_DELIMITED)) result.scopes.push(readScopeSpans(reader.message()))
    else reader.skip()
  }
  return result
}

function readResource(reader: ProtobufReader, attributes: OtlpAttributes): void {
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) readAttribute(reader.message(), attributes, 0)
    else reader.skip()
  }
}

function readScopeSpans(reader: ProtobufReader): OtlpScopeSpans {
  const result: OtlpScopeSpans = { scopeName: '', scopeVersion: '', spans: [] }
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) readScope(reader.message(), result)
    else if (reader.is(2, LENGTH_DELIMITED)) result.spans.push(readSpan(reader.message()))
    else reader.skip()
  }
  return result
}

function readScope(reader: ProtobufReader, into: OtlpScopeSpans): void {
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) into.scopeName = reader.string()
    else if (reader.is(2, LENGTH_DELIMITED)) into.scopeVersion = reader.string()
    else reader.skip()
  }
}

function readSpan(reader: ProtobufReader): OtlpSpan {
  const span = emptyOtlpSpan()
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) span.traceId = hex(reader.bytes())
    else if (reader.is(2, LENGTH_DELIMITED)) span.spanId = hex(reader.bytes())
    else if (reader.is(4, LENGTH_DELIMITED)) span.parentSpanId = hex(reader.bytes())
    else if (reader.is(5, LENGTH_DELIMITED)) span.name = reader.string()
    else if (reader.is(6, VARINT)) span.kind = reader.int32()
    else if (reader.is(7, FIXED64)) span.startTimeUnixNano = reader.fixed64()
    else if (reader.is(8, FIXED64)) span.endTimeUnixNano = reader.fixed64()
    else if (reader.is(9, LENGTH_DELIMITED)) readAttribute(reader.message(), span.attributes, 0)
    else if (reader.is(10, VARINT)) span.droppedAttributesCount = reader.uint32()
    else if (reader.is(11, LENGTH_DELIMITED)) span.events.push(readEvent(reader.message()))
    else if (reader.is(12, VARINT)) span.droppedEventsCount = reader.uint32()
    else if (reader.is(14, VARINT)) span.droppedLinksCount = reader.uint32()
    else if (reader.is(15, LENGTH_DELIMITED)) readStatus(reader.message(), span)
    else reader.skip()
  }
  return span
}

function readEvent(reader: ProtobufReader): OtlpEvent {
  const event: OtlpEvent = { timeUnixNano: 0n, name: '', attributes: new Map() }
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, FIXED64)) event.timeUnixNano = reader.fixed64()
    else if (reader.is(2, LENGTH_DELIMITED)) event.name = reader.string()
    else if (reader.is(3, LENGTH_DELIMITED)) readAttribute(reader.message(), event.attributes, 0)
    else reader.skip()
  }
  return event
}

function readStatus(reader: ProtobufReader, span: OtlpSpan): void {
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(2, LENGTH_DELIMITED)) span.statusMessage = reader.string()
    else if (reader.is(3, VARINT)) span.statusCode = reader.int32()
    else reader.skip()
  }
}

function readAttribute(reader: ProtobufReader, into: OtlpAttributes, depth: number): void {
  let key = ''
  let value: OtlpValue = null
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) key = reader.string()
    else if (reader.is(2, LENGTH_DELIMITED)) value = readValue(reader.message(), depth)
    else reader.skip()
  }
  into.set(key, value)
}

function readValue(reader: ProtobufReader, depth: number): OtlpValue {
  if (depth > MAX_VALUE_DEPTH) throw new DecodeError('malformed', 'Malformed: attribute value nests too deeply')
  let value: OtlpValue = null
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) value = reader.string()
    else if (reader.is(2, VARINT)) value = reader.bool()
    else if (reader.is(3, VARINT)) value = reader.int64()
    else if (reader.is(4, FIXED64)) value = reader.double()
    else if (reader.is(5, LENGTH_DELIMITED)) value = readArray(reader.message(), depth)
    else if (reader.is(6, LENGTH_DELIMITED)) value = readMap(reader.message(), depth)
    else if (reader.is(7, LENGTH_DELIMITED)) value = base64(reader.bytes())
    else reader.skip()
  }
  return value
}

function readArray(reader: ProtobufReader, depth: number): OtlpValue[] {
  const values: OtlpValue[] = []
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) values.push(readValue(reader.message(), depth + 1))
    else reader.skip()
  }
  return values
}

function readMap(reader: ProtobufReader, depth: number): OtlpAttributes {
  const values: OtlpAttributes = new Map()
  while (reader.hasNext()) {
    reader.next()
    if (reader.is(1, LENGTH_DELIMITED)) readAttribute(reader.message(), values, depth + 1)
    else reader.skip()
  }
  return values
}

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
