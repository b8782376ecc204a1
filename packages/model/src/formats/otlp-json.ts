import { DecodeError } from './decode-error.ts'
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

/** Deeper values are refused: nothing real nests so, and what follows may recurse. */
export const MAX_VALUE_DEPTH = 100

const KIND_NAMES = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(n => `SPAN_KIND_${n}`)
const STATUS_NAMES = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR']
const INTEGER = /^[+-]?\d+$/

/**
 * An OTLP/JSON `ExportTraceServiceRequest` → Zipkin spans. Ids are hex (not base64, as proto3-JSON would have it), in
 * either case; 64-bit integers are texts or numbers; enums numbers or names; keys lowerCamelCase or as in the proto;
 * unknown fields are skipped. A body that is not such a request throws {@link DecodeError}; a span with a bad id is
 * rejected alone.
 */
export function decodeOtlpJson(body: Uint8Array): OtlpSpans {
  let root: unknown
  try {
    root = JSON.parse(new TextDecoder().decode(body))
  } catch (error) {
    throw new DecodeError('malformed', `OTLP JSON: ${(error as Error).message}`)
  }
  const request = object(root, '')
  return otlpToZipkin(
    list(request, 'resourceSpans', '').map(([item, path]) => readResourceSpans(object(item, path), path)),
  )
}

type Fields = Record<string, unknown>

function readResourceSpans(raw: Fields, path: string): OtlpResourceSpans {
  const resource = field(raw, 'resource')
  const scopes = list(raw, 'scopeSpans', path)
  return {
    attributes: resource == null ? new Map() : readAttributes(object(resource, `${path}.resource`), path, 0),
    scopes: scopes.map(([item, at]) => readScopeSpans(object(item, at), at)),
  }
}

function readScopeSpans(raw: Fields, path: string): OtlpScopeSpans {
  const rawScope = field(raw, 'scope')
  const scope = rawScope == null ? {} : object(rawScope, `${path}.scope`)
  return {
    scopeName: text(scope, 'name', path),
    scopeVersion: text(scope, 'version', path),
    scopeAttributes: readAttributes(scope, `${path}.scope`, 0),
    spans: list(raw, 'spans', path).map(([item, at]) => readSpan(object(item, at), at)),
  }
}

function readSpan(raw: Fields, path: string): OtlpSpan {
  const rawStatus = field(raw, 'status')
  const status = rawStatus == null ? {} : object(rawStatus, `${path}.status`)
  return {
    ...emptyOtlpSpan(),
    traceId: text(raw, 'traceId', path).toLowerCase(),
    spanId: text(raw, 'spanId', path).toLowerCase(),
    parentSpanId: text(raw, 'parentSpanId', path).toLowerCase(),
    traceState: text(raw, 'traceState', path),
    name: text(raw, 'name', path),
    kind: enumeration(raw, 'kind', KIND_NAMES, path),
    startTimeUnixNano: integer(raw, 'startTimeUnixNano', path),
    endTimeUnixNano: integer(raw, 'endTimeUnixNano', path),
    attributes: readAttributes(raw, path, 0),
    events: list(raw, 'events', path).map(([item, at]) => readEvent(object(item, at), at)),
    links:
      field(raw, 'links') == null
        ? undefined
        : list(raw, 'links', path).map(([item, at]) => readLink(object(item, at), at)),
    statusCode: enumeration(status, 'code', STATUS_NAMES, `${path}.status`),
    statusMessage: text(status, 'message', `${path}.status`),
    droppedAttributesCount: Number(integer(raw, 'droppedAttributesCount', path)),
    droppedEventsCount: Number(integer(raw, 'droppedEventsCount', path)),
    droppedLinksCount: Number(integer(raw, 'droppedLinksCount', path)),
  }
}

function readEvent(raw: Fields, path: string): OtlpEvent {
  return {
    timeUnixNano: integer(raw, 'timeUnixNano', path),
    name: text(raw, 'name', path),
    attributes: readAttributes(raw, path, 0),
    droppedAttributesCount: Number(integer(raw, 'droppedAttributesCount', path)),
  }
}

function readLink(raw: Fields, path: string): OtlpLink {
  return {
    traceId: text(raw, 'traceId', path).toLowerCase(),
    spanId: text(raw, 'spanId', path).toLowerCase(),
    traceState: text(raw, 'traceState', path),
    attributes: readAttributes(raw, path, 0),
    droppedAttributesCount: Number(integer(raw, 'droppedAttributesCount', path)),
  }
}

function readAttributes(raw: Fields, path: string, depth: number, name = 'attributes'): OtlpAttributes {
  const attributes: OtlpAttributes = new Map()
  for (const [item, at] of list(raw, name, path)) {
    const attribute = object(item, at)
    const value = field(attribute, 'value')
    attributes.set(text(attribute, 'key', at), value == null ? null : readValue(object(value, at), at, depth))
  }
  return attributes
}

function readValue(raw: Fields, path: string, depth: number): OtlpValue {
  if (depth > MAX_VALUE_DEPTH) throw new DecodeError('malformed', `OTLP JSON: ${path}: value nests too deeply`)
  const string = field(raw, 'stringValue')
  if (string != null) return text(raw, 'stringValue', path)
  const bool = field(raw, 'boolValue')
  if (typeof bool === 'boolean') return bool
  if (field(raw, 'intValue') != null) return integer(raw, 'intValue', path)
  const double = field(raw, 'doubleValue')
  if (typeof double === 'number') return double
  if (typeof double === 'string') return Number.isNaN(Number(double)) ? double : Number(double)
  const array = field(raw, 'arrayValue')
  if (array != null) {
    const values = list(object(array, `${path}.arrayValue`), 'values', `${path}.arrayValue`)
    return values.map(([item, at]) => (item === null ? null : readValue(object(item, at), at, depth + 1)))
  }
  const map = field(raw, 'kvlistValue')
  if (map != null) return readAttributes(object(map, `${path}.kvlistValue`), path, depth + 1, 'values')
  const bytes = field(raw, 'bytesValue')
  return typeof bytes === 'string' ? bytes : null
}

/** By its JSON name, else by its name in the proto. */
function field(raw: Fields, name: string): unknown {
  return raw[name] ?? raw[name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)]
}

function object(value: unknown, path: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw wrongType(path, 'an object', value)
}

function list(raw: Fields, name: string, path: string): [item: unknown, path: string][] {
  const value = field(raw, name)
  if (value == null) return []
  if (!Array.isArray(value)) throw wrongType(`${path}.${name}`, 'an array', value)
  return value.map((item, index) => [item, `${path}.${name}[${index}]`])
}

function text(raw: Fields, name: string, path: string): string {
  const value = field(raw, name)
  if (value == null) return ''
  if (typeof value !== 'string') throw wrongType(`${path}.${name}`, 'a string', value)
  return value
}

function integer(raw: Fields, name: string, path: string): bigint {
  const value = field(raw, name)
  if (value == null || value === '') return 0n
  if (typeof value === 'string' && INTEGER.test(value)) return BigInt(value)
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  throw wrongType(`${path}.${name}`, 'an integer', value)
}

function enumeration(raw: Fields, name: string, names: readonly string[], path: string): number {
  const value = field(raw, name)
  if (typeof value === 'string' && !INTEGER.test(value)) return Math.max(names.indexOf(value), 0)
  return Number(integer(raw, name, path))
}

function wrongType(path: string, expected: string, value: unknown): DecodeError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return new DecodeError(
    'wrong_type',
    `OTLP JSON: ${path.replace(/^\./, '') || 'body'}: expected ${expected}, got ${got}`,
  )
}
