import { didYouMean } from '../nearest.ts'
import type { Problems } from '../problems.ts'
import { describe, type SourceMap, type SourceNode, toPlain } from '../source/node.ts'
import type { Offset } from '../source/sources.ts'
import { type Field, Message, type Place, type Scalar, type Value } from './message.ts'
import { parseScalar, scalarOf, WELL_KNOWN_SCALARS } from './parse-scalar.ts'
import { type EnumType, enumType, type FieldType, type MessageType, messageNames, messageType } from './schema.ts'

/**
 * Gives a source tree the shape of a protobuf message, as protobuf's JSON reader does with the options Envoy uses: unknown
 * fields are errors, names may be snake_case or lowerCamelCase, null is absent, one element may stand for a list of one.
 * Every deviation is noted; what remains can be used.
 */
export function parseMessage(
  node: SourceNode,
  type: MessageType,
  path: string,
  problems: Problems,
): Message | undefined {
  const place = { at: node.at, path }
  if (node.kind === 'scalar' && node.value === null) return new Message(type.name, place)
  if (node.kind !== 'map') {
    problems.add('invalid', place, `expected fields of ${shortName(type.name)}, found ${describe(node)}`)
    return undefined
  }
  return fillMessage(new Message(type.name, place), type, node, problems)
}

function fillMessage(message: Message, type: MessageType, node: SourceMap, problems: Problems): Message {
  const setOneofs = new Map<string, string>()
  for (const entry of node.entries) {
    if (entry.key === '@type' && message.any) continue
    const name = fieldName(entry.key, type)
    const path = message.path === '' ? entry.key : `${message.path}.${entry.key}`
    if (name === undefined) {
      const near = didYouMean(entry.key, type.fields.keys())
      problems.add('unknown', { at: entry.at, path }, `${shortName(type.name)} has no field '${entry.key}'${near}`)
      continue
    }
    const field = type.fields.get(name)!
    const place = { at: entry.at, path: message.place(name).path }
    const isNullValue = field.type === 'google.protobuf.Value' && !field.repeated
    if (entry.value.kind === 'scalar' && entry.value.value === null && !isNullValue) continue
    if (field.oneof !== undefined) {
      const other = setOneofs.get(field.oneof)
      if (other !== undefined) {
        const what =
          other === name
            ? `'${name}' is set twice`
            : `'${name}' cannot be set together with '${other}': only one of ${oneofMembers(type, field.oneof)} is allowed`
        problems.add('invalid', place, what)
        continue
      }
      setOneofs.set(field.oneof, name)
    }
    const value = parseField(entry.value, field, place, problems)
    if (value === undefined) message.broken.add(name)
    else message.fields.set(name, { keyAt: entry.at, value })
  }
  return message
}

function parseField(node: SourceNode, field: FieldType, place: Place, problems: Problems): Value | undefined {
  const { path } = place
  if (field.map !== undefined) {
    if (node.kind !== 'map') {
      problems.add('invalid', { at: node.at, path }, `expected a map, found ${describe(node)}`)
      return undefined
    }
    const entries = new Map<string, Value>()
    for (const entry of node.entries) {
      const value = parseSingle(entry.value, field.type, `${path}[${JSON.stringify(entry.key)}]`, problems)
      if (value !== undefined) entries.set(entry.key, value)
    }
    return { kind: 'dictionary', at: node.at, path, entries }
  }
  if (field.repeated) {
    // protobuf's reader takes a lone element for a list of one.
    const items = node.kind === 'list' ? node.items : [node]
    const values = items.map((item, i) => parseSingle(item, field.type, `${path}[${i}]`, problems))
    return { kind: 'list', at: node.at, path, items: values.filter(value => value !== undefined) }
  }
  return parseSingle(node, field.type, path, problems)
}

function parseSingle(node: SourceNode, type: string, path: string, problems: Problems): Value | undefined {
  if (type === 'google.protobuf.Any') return parseAny(node, path, problems)
  if (type === 'google.protobuf.Struct' || type === 'google.protobuf.Value' || type === 'google.protobuf.ListValue') {
    return parseStruct(node, type, path, problems)
  }
  if (type === 'google.protobuf.Empty')
    return parseMessage(node, { name: type, fields: new Map(), requiredOneofs: [] }, path, problems)
  if (WELL_KNOWN_SCALARS.has(type) || !type.includes('.')) return parseScalar(node, type, path, problems)
  const enumeration = enumType(type)
  if (enumeration !== undefined) return parseEnum(node, enumeration, path, problems)
  const message = messageType(type)
  if (message === undefined) throw new Error(`the schema lacks ${type}`)
  return parseMessage(node, message, path, problems)
}

function parseEnum(node: SourceNode, type: EnumType, path: string, problems: Problems): Scalar | undefined {
  const place = { at: node.at, path }
  if (node.kind !== 'scalar' || typeof node.value === 'boolean') {
    problems.add('invalid', place, `expected one of ${[...type.values.keys()].join(', ')}, found ${describe(node)}`)
    return undefined
  }
  const text = String(node.value ?? 0)
  if (/^-?\d+$/.test(text)) {
    const name = [...type.values].find(([, number]) => number === Number(text))?.[0] ?? Number(text)
    return { kind: 'scalar', ...place, value: name, json: name }
  }
  const name = type.values.has(text)
    ? text
    : [...type.values.keys()].find(key => key.toLowerCase() === text.toLowerCase())
  if (name === undefined) {
    const near = didYouMean(text, type.values.keys())
    problems.add('unknown', place, `'${text}' is not one of ${[...type.values.keys()].join(', ')}${near}`)
    return undefined
  }
  return { kind: 'scalar', ...place, value: name, json: name }
}

/** What is in an Any, by its `@type`; an Any without fields stays an empty message without a type. */
function parseAny(node: SourceNode, path: string, problems: Problems): Value | undefined {
  const place = { at: node.at, path }
  if (node.kind === 'scalar' && node.value === null) return new Message('', place, true)
  if (node.kind !== 'map') {
    problems.add('invalid', place, `expected a map with '@type', found ${describe(node)}`)
    return undefined
  }
  const typeEntry = node.entries.findLast(entry => entry.key === '@type')
  if (typeEntry === undefined) {
    if (node.entries.length === 0) return new Message('', place, true)
    problems.add('invalid', place, `'@type' is missing: expected "@type": type.googleapis.com/<message>`)
    return undefined
  }
  const typePlace = { at: typeEntry.value.at, path: `${path}.@type` }
  const url =
    typeEntry.value.kind === 'scalar' && typeof typeEntry.value.value === 'string' ? typeEntry.value.value : undefined
  const slash = url?.lastIndexOf('/') ?? -1
  if (url === undefined || slash < 1) {
    problems.add('invalid', typePlace, `expected type.googleapis.com/<message>, found ${describe(typeEntry.value)}`)
    return undefined
  }
  const name = url.slice(slash + 1)
  if (name.startsWith('google.protobuf.')) return parseWellKnownAny(node, name, typePlace, place, problems)
  const type = messageType(name)
  if (type === undefined) {
    problems.add('unknown', typePlace, `Envoy has no message '${name}'${didYouMean(name, messageNames())}`)
    return undefined
  }
  return fillMessage(new Message(name, place, true), type, node, problems)
}

/** An Any of a type with a JSON form of its own carries it in `value`. */
function parseWellKnownAny(
  node: SourceMap,
  name: string,
  typePlace: Place,
  place: Place,
  problems: Problems,
): Message | undefined {
  const message = new Message(name, place, true)
  const known = WELL_KNOWN_SCALARS.has(name) || /\.(Struct|Value|ListValue|Empty|Any)$/.test(name)
  if (!known) {
    problems.add('unknown', typePlace, `Envoy has no message '${name}' for an Any`)
    return undefined
  }
  for (const entry of node.entries) {
    if (entry.key === '@type') continue
    if (entry.key !== 'value') {
      problems.add(
        'unknown',
        { at: entry.at, path: `${place.path}.${entry.key}` },
        `an Any of ${name} has only the field 'value'`,
      )
      continue
    }
    const value = parseSingle(entry.value, name, `${place.path}.value`, problems)
    if (value !== undefined) message.fields.set('value', { keyAt: entry.at, value } satisfies Field)
  }
  return message
}

function parseStruct(node: SourceNode, type: string, path: string, problems: Problems): Scalar | undefined {
  const expected = { 'google.protobuf.Struct': 'map', 'google.protobuf.ListValue': 'list' }[type]
  if (expected !== undefined && node.kind !== expected) {
    problems.add('invalid', { at: node.at, path }, `expected a ${expected}, found ${describe(node)}`)
    return undefined
  }
  return scalarOf(toPlain(node), { at: node.at as Offset, path })
}

/** The proto name of a field written in snake_case or lowerCamelCase. */
function fieldName(key: string, type: MessageType): string | undefined {
  if (type.fields.has(key)) return key
  const snake = key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
  if (snake !== key && !key.includes('_') && type.fields.has(snake)) return snake
  // Digits swallow the underscore in lowerCamelCase: trace_id_128bit is traceId128bit.
  if (key.includes('_')) return undefined
  for (const name of type.fields.keys()) {
    if (name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) === key) return name
  }
  return undefined
}

function oneofMembers(type: MessageType, oneof: string): string {
  return [...type.fields]
    .filter(([, field]) => field.oneof === oneof)
    .map(([name]) => name)
    .join(', ')
}

export function shortName(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1)
}
