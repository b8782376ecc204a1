import type { Problems } from '../problems.ts'
import { describe, type SourceNode, type SourceScalar } from '../source/node.ts'
import type { Place, Scalar } from './message.ts'

/** Wrappers and other messages that are one value in JSON. A wrapper is read as the type that it wraps. */
export const WELL_KNOWN_SCALARS: ReadonlyMap<string, string> = new Map([
  ['google.protobuf.BoolValue', 'bool'],
  ['google.protobuf.StringValue', 'string'],
  ['google.protobuf.BytesValue', 'bytes'],
  ['google.protobuf.UInt32Value', 'uint32'],
  ['google.protobuf.UInt64Value', 'uint64'],
  ['google.protobuf.Int32Value', 'int32'],
  ['google.protobuf.Int64Value', 'int64'],
  ['google.protobuf.FloatValue', 'float'],
  ['google.protobuf.DoubleValue', 'double'],
  ['google.protobuf.Duration', 'duration'],
  ['google.protobuf.Timestamp', 'timestamp'],
  ['google.protobuf.FieldMask', 'fieldmask'],
  ['google.protobuf.NullValue', 'null'],
])

const INTEGER_RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
}

/** Reads one scalar (or wrapper, duration, …) of the given type. */
export function parseScalar(node: SourceNode, type: string, path: string, problems: Problems): Scalar | undefined {
  const place = { at: node.at, path }
  const wrapped = WELL_KNOWN_SCALARS.get(type)
  // Envoy's reader also takes the messages written out: `{ value: 5 }`, `{ seconds: 1, nanos: 500 }`.
  if (wrapped !== undefined && node.kind === 'map') {
    const long = writtenOut(node, wrapped)
    if (long !== undefined) return parseScalar(long, type, path, problems)
  }
  const scalarType = wrapped ?? type
  if (node.kind !== 'scalar') {
    problems.add('invalid', place, `expected ${EXPECTED[scalarType] ?? scalarType}, found ${describe(node)}`)
    return undefined
  }
  const value = node.value === null ? zero(scalarType) : convert(node.value, scalarType)
  if (value === undefined) {
    problems.add(
      'invalid',
      place,
      `expected ${EXPECTED[scalarType] ?? integerText(scalarType)}, found ${describe(node)}`,
    )
    return undefined
  }
  if (scalarType === 'duration')
    return { kind: 'scalar', ...place, value, json: durationText(String(node.value ?? '0s')) }
  if (scalarType === 'bytes') return { kind: 'scalar', ...place, value, json: node.value ?? '' }
  return scalarOf(value, place)
}

export function scalarOf(value: unknown, place: Place): Scalar {
  return { kind: 'scalar', at: place.at, path: place.path, value, json: value }
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text (in quotes, when it looks like a number or yes/no)',
  bool: 'true or false',
  double: 'a number',
  float: 'a number',
  bytes: 'base64',
  duration: 'a duration in seconds such as "0.25s" or "5s"',
  timestamp: 'a time such as "2026-01-31T12:00:00Z"',
  fieldmask: 'field names with commas between',
}

function integerText(type: string): string {
  const [least, most] = INTEGER_RANGES[type] ?? []
  return least === undefined ? type : `an integer from ${least} to ${most}`
}

function zero(type: string): unknown {
  return type === 'string' || type === 'fieldmask' || type === 'timestamp'
    ? ''
    : type === 'bool'
      ? false
      : type === 'bytes'
        ? new Uint8Array()
        : 0
}

function convert(value: string | number | boolean, type: string): unknown {
  switch (type) {
    case 'string':
    case 'fieldmask':
      return typeof value === 'string' ? value : undefined
    case 'bool':
      return typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined
    case 'double':
    case 'float':
      return toDouble(value)
    case 'bytes':
      return typeof value === 'string' ? fromBase64(value) : undefined
    case 'duration':
      return typeof value === 'string' ? parseDuration(value) : undefined
    case 'timestamp':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? value : undefined
    case 'null':
      return value === 'NULL_VALUE' ? null : undefined
    default:
      return toInteger(value, type)
  }
}

/** An integer of the type; one that a double cannot hold stays a string of digits. */
function toInteger(value: string | number | boolean, type: string): number | string | undefined {
  const [least, most] = INTEGER_RANGES[type]!
  const text = String(value)
  if (typeof value === 'boolean' || !/^-?\d+(\.0*)?([eE]\+?\d+)?$|^-?\d+\.\d+[eE]\+?\d+$/.test(text)) return undefined
  if (!/^-?\d+$/.test(text) && !Number.isSafeInteger(Number(text))) return undefined
  const integer = /^-?\d+$/.test(text) ? BigInt(text) : BigInt(Number(text))
  if (integer < least || integer > most) return undefined
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : String(integer)
}

function toDouble(value: string | number | boolean): number | undefined {
  if (typeof value === 'boolean') return undefined
  if (value === 'NaN') return Number.NaN
  if (value === 'Infinity' || value === '-Infinity') return Number(value)
  const number = typeof value === 'number' ? value : /^[-+]?(\d|\.\d)/.test(value) ? Number(value) : Number.NaN
  return Number.isNaN(number) ? undefined : number
}

function fromBase64(text: string): Uint8Array | undefined {
  const bare = text.replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/_-]*$/.test(bare) || bare.length % 4 === 1) return undefined
  return new Uint8Array(Buffer.from(bare.replaceAll('-', '+').replaceAll('_', '/'), 'base64'))
}

/** `-?SECONDS[.NANOS]s` in milliseconds. (proto3 JSON of google.protobuf.Duration) */
function parseDuration(text: string): number | undefined {
  const [, sign, seconds, fraction] = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text) ?? []
  if (seconds === undefined) return undefined
  const milliseconds = Number(seconds) * 1000 + Number((fraction ?? '').padEnd(9, '0')) / 1e6
  return sign === '-' ? -milliseconds : milliseconds
}

/** With no decimals or three, six, nine of them. (proto3 JSON) */
function durationText(text: string): string {
  const [whole = '', fraction = ''] = text.slice(0, -1).split('.')
  const digits = fraction.replace(/0+$/, '')
  const decimals = digits.padEnd(Math.ceil(digits.length / 3) * 3, '0')
  return `${whole.replace(/^(-?)0+(?=\d)/, '$1')}${decimals === '' ? '' : `.${decimals}`}s`
}

function writtenOut(node: Extract<SourceNode, { kind: 'map' }>, type: string): SourceScalar | undefined {
  const parts = Object.fromEntries(
    node.entries.map(entry => [entry.key, entry.value.kind === 'scalar' ? entry.value.value : Number.NaN]),
  )
  const keys = Object.keys(parts)
  if (type === 'duration') {
    if (!keys.every(key => key === 'seconds' || key === 'nanos')) return undefined
    const nanos = Number(parts.nanos ?? 0)
    const text = `${parts.seconds ?? 0}${nanos === 0 ? '' : `.${String(nanos).padStart(9, '0')}`}s`
    return { kind: 'scalar', at: node.at, value: text }
  }
  if (!keys.every(key => key === 'value')) return undefined
  return { kind: 'scalar', at: node.at, value: (parts.value ?? null) as SourceScalar['value'] }
}
