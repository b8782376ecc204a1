import type { Problems } from '../problems.ts'
import type { Message, Place, Scalar, Value } from './message.ts'
import { shortName } from './parse-message.ts'
import { WELL_KNOWN_SCALARS } from './parse-scalar.ts'
import { enumType, type FieldType, messageType, type Rules } from './schema.ts'

/**
 * Envoy's own constraints (protoc-gen-validate's rules in its protos) and its ban on deprecated fields and values, over a
 * message and everything in it.
 */
export function checkConstraints(message: Message, problems: Problems): void {
  const type = messageType(message.type)
  if (type === undefined) return
  const missing = (name: string, what: string): void =>
    problems.add('invalid', { at: message.at, path: joined(message.path, name) }, what)
  for (const oneof of type.requiredOneofs) {
    const members = [...type.fields].filter(([, field]) => field.oneof === oneof).map(([name]) => name)
    if (members.some(name => message.has(name) || message.broken.has(name))) continue
    problems.add('invalid', message, `${shortName(type.name)} needs one of ${members.join(', ')}`)
  }
  for (const [name, field] of type.fields) {
    const value = message.fields.get(name)?.value
    if (value === undefined) {
      if (message.broken.has(name)) continue
      const lack = absentBreaks(field)
      if (lack !== undefined) missing(name, lack)
      continue
    }
    const place = message.place(name)
    if (field.disallowed) problems.add('invalid', place, `'${name}' is deprecated, and Envoy refuses it`)
    checkValue(value, field, problems)
    for (const nested of messagesIn(value)) checkConstraints(nested, problems)
  }
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function* messagesIn(value: Value): Generator<Message> {
  if (value.kind === 'message') yield value
  if (value.kind === 'list') for (const item of value.items) yield* messagesIn(item)
  if (value.kind === 'dictionary') for (const item of value.entries.values()) yield* messagesIn(item)
}

/** What is wrong with leaving the field out, if anything: a rule can forbid the default as well. */
function absentBreaks(field: FieldType): string | undefined {
  const rules = field.rules
  const enumeration = enumType(field.type)
  if (enumeration !== undefined && !field.repeated && field.map === undefined && field.oneof === undefined) {
    const zero = [...enumeration.values].find(([, number]) => number === 0)?.[0]
    if (zero !== undefined && enumeration.disallowed.includes(zero)) {
      const others = [...enumeration.values.keys()].filter(name => !enumeration.disallowed.includes(name))
      return `is required: expected one of ${others.join(', ')}`
    }
  }
  // Members of a oneof are only checked when set.
  if (rules === undefined || field.oneof !== undefined) return undefined
  if (rules.message?.required || rules.duration?.required || rules.any?.required || rules.timestamp?.required)
    return 'is required'
  if (field.repeated)
    return Number(rules.repeated?.min_items ?? 0) > 0 ? `needs at least ${rules.repeated?.min_items} item` : undefined
  if (field.map !== undefined)
    return Number(rules.map?.min_pairs ?? 0) > 0 ? `needs at least ${rules.map?.min_pairs} entry` : undefined
  // Fields with presence are only checked when set.
  if (field.optional || field.type.includes('.')) {
    if (enumeration === undefined) return undefined
    return enumBreaks(0, [...enumeration.values].find(([, n]) => n === 0)?.[0], rules, field.type)
  }
  const zero =
    field.type === 'string' ? '' : field.type === 'bytes' ? new Uint8Array() : field.type === 'bool' ? false : 0
  const broken = scalarBreaks(zero, field.type, rules)
  return broken === undefined
    ? undefined
    : `is required${field.type === 'string' || field.type === 'bytes' ? '' : `: ${broken}`}`
}

function checkValue(value: Value, field: FieldType, problems: Problems): void {
  const rules = field.rules ?? {}
  if (value.kind === 'list') {
    checkCount(value, value.items.length, rules.repeated, 'items', problems)
    const items = rules.repeated?.items as Rules | undefined
    for (const item of value.items) checkSingle(item, field.type, items ?? {}, problems)
    if (rules.repeated?.unique) checkUnique(value.items, problems)
  } else if (value.kind === 'dictionary') {
    checkCount(value, value.entries.size, rules.map, 'pairs', problems)
    for (const [key, item] of value.entries) {
      const broken = rules.map?.keys && scalarBreaks(key, 'string', rules.map.keys as Rules)
      if (broken) problems.add('invalid', item, `the key '${key}' ${broken}`)
      checkSingle(item, field.type, (rules.map?.values as Rules | undefined) ?? {}, problems)
    }
  } else {
    checkSingle(value, field.type, rules, problems)
  }
}

function checkCount(
  place: Place,
  count: number,
  rules: Rules[string] | undefined,
  unit: 'items' | 'pairs',
  problems: Problems,
): void {
  const least = Number(rules?.[`min_${unit}`] ?? 0)
  const most = Number(rules?.[`max_${unit}`] ?? Number.POSITIVE_INFINITY)
  if (count < least) problems.add('invalid', place, `needs at least ${least} item${least === 1 ? '' : 's'}`)
  if (count > most) problems.add('invalid', place, `has ${count} items, at most ${most} are allowed`)
}

function checkUnique(items: readonly Value[], problems: Problems): void {
  const seen = new Set<string>()
  for (const item of items) {
    const key = item.kind === 'scalar' ? String(item.value) : ''
    if (item.kind === 'scalar' && seen.has(key)) problems.add('invalid', item, `'${key}' is in the list twice`)
    seen.add(key)
  }
}

function checkSingle(value: Value, type: string, rules: Rules, problems: Problems): void {
  if (value.kind !== 'scalar') return
  const enumeration = enumType(type)
  if (enumeration !== undefined) {
    const number = typeof value.value === 'number' ? value.value : enumeration.values.get(String(value.value))
    const name = typeof value.value === 'string' ? value.value : undefined
    if (name !== undefined && enumeration.disallowed.includes(name)) {
      problems.add('invalid', value, `${name} is deprecated, and Envoy refuses it`)
    }
    const broken = enumBreaks(number ?? 0, name, rules, type)
    if (broken !== undefined) problems.add('invalid', value, broken)
    return
  }
  const broken = scalarBreaks(value.value, WELL_KNOWN_SCALARS.get(type) ?? type, rules)
  if (broken !== undefined) problems.add('invalid', value, `${broken}, found ${show(value)}`)
}

function show(value: Scalar): string {
  return typeof value.json === 'string' ? `'${value.json}'` : String(value.json)
}

function enumBreaks(number: number, name: string | undefined, rules: Rules, type: string): string | undefined {
  const enumeration = enumType(type)!
  const nameOf = (n: unknown): string =>
    [...enumeration.values].find(([, value]) => value === Number(n))?.[0] ?? String(n)
  if (rules.enum?.defined_only && name === undefined) {
    return `expected one of ${[...enumeration.values.keys()].join(', ')}, found ${number}`
  }
  const not = rules.enum?.not_in as number[] | undefined
  if (not?.includes(number)) return `${nameOf(number)} is not allowed here`
  const only = rules.enum?.in as number[] | undefined
  if (only && !only.includes(number)) return `expected one of ${only.map(nameOf).join(', ')}, found ${nameOf(number)}`
  return undefined
}

/** The expectation that a value breaks. */
function scalarBreaks(value: unknown, type: string, rules: Rules): string | undefined {
  if (type === 'duration') return typeof value === 'number' ? durationBreaks(value, rules.duration ?? {}) : undefined
  if (type === 'string')
    return typeof value === 'string' && rules.string ? stringBreaks(value, rules.string) : undefined
  if (type === 'bytes')
    return value instanceof Uint8Array && rules.bytes
      ? lengthBreaks(value.length, rules.bytes, 'len', 'bytes')
      : undefined
  if (type === 'bool') {
    return rules.bool?.const !== undefined && rules.bool.const !== value ? `expected ${rules.bool.const}` : undefined
  }
  const own = rules[type]
  return own ? rangeBreaks(Number(value), own, bound => Number(bound), String) : undefined
}

function durationBreaks(milliseconds: number, rules: Rules[string]): string | undefined {
  if (milliseconds < 0) return 'expected a positive duration'
  const read = (bound: unknown): number => Number.parseFloat(String(bound)) * 1000
  return rangeBreaks(milliseconds, rules, read, ms => `${ms / 1000}s`)
}

function rangeBreaks(
  value: number,
  rules: Rules[string],
  read: (bound: unknown) => number,
  show: (bound: number) => string,
): string | undefined {
  if (rules.ignore_empty && value === 0) return undefined
  const { gt, gte, lt, lte } = rules
  const least = gte ?? gt
  const most = lte ?? lt
  const broken =
    (gt !== undefined && !(value > read(gt))) ||
    (gte !== undefined && !(value >= read(gte))) ||
    (lt !== undefined && !(value < read(lt))) ||
    (lte !== undefined && !(value <= read(lte)))
  if (broken) {
    const from = least === undefined ? undefined : `${gt === undefined ? 'at least' : 'more than'} ${show(read(least))}`
    const to = most === undefined ? undefined : `${lt === undefined ? 'at most' : 'less than'} ${show(read(most))}`
    return `expected ${[from, to].filter(text => text !== undefined).join(' and ')}`
  }
  if (rules.const !== undefined && value !== read(rules.const)) return `expected ${show(read(rules.const))}`
  if (Array.isArray(rules.in) && !rules.in.some(one => read(one) === value))
    return `expected one of ${rules.in.join(', ')}`
  if (Array.isArray(rules.not_in) && rules.not_in.some(one => read(one) === value))
    return `${show(value)} is not allowed here`
  return undefined
}

function stringBreaks(value: string, rules: Rules[string]): string | undefined {
  if (rules.ignore_empty && value === '') return undefined
  const length =
    lengthBreaks([...value].length, rules, 'len', 'characters') ??
    lengthBreaks(Buffer.byteLength(value), rules, 'bytes', 'bytes')
  if (length !== undefined) return length
  if (rules.const !== undefined && value !== rules.const) return `expected '${rules.const}'`
  if (rules.prefix !== undefined && !value.startsWith(String(rules.prefix)))
    return `expected a text that begins with '${rules.prefix}'`
  if (rules.suffix !== undefined && !value.endsWith(String(rules.suffix)))
    return `expected a text that ends with '${rules.suffix}'`
  if (rules.contains !== undefined && !value.includes(String(rules.contains)))
    return `expected a text with '${rules.contains}'`
  if (rules.not_contains !== undefined && value.includes(String(rules.not_contains)))
    return `expected a text without '${rules.not_contains}'`
  if (Array.isArray(rules.in) && !rules.in.includes(value)) return `expected one of ${rules.in.join(', ')}`
  if (Array.isArray(rules.not_in) && rules.not_in.includes(value)) return `'${value}' is not allowed here`
  if (rules.pattern !== undefined && !new RegExp(String(rules.pattern), 'u').test(value))
    return `expected a text of the form ${rules.pattern}`
  return wellKnownBreaks(value, rules)
}

/** HTTP_HEADER_NAME and HTTP_HEADER_VALUE of protoc-gen-validate; when not strict only NUL, CR and LF are refused. */
function wellKnownBreaks(value: string, rules: Rules[string]): string | undefined {
  if (rules.well_known_regex === undefined) return undefined
  if (rules.strict === false) {
    return /[\0\r\n]/.test(value) ? 'expected a text without line ends' : undefined
  }
  if (rules.well_known_regex === 'HTTP_HEADER_NAME') {
    return /^:?[0-9a-zA-Z!#$%&'*+\-.^_|~`]+$/.test(value) ? undefined : 'expected a header name'
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the rule is about control characters.
  return /[\0-\x08\n-\x1f\x7f]/.test(value) ? 'expected a header value' : undefined
}

function lengthBreaks(length: number, rules: Rules[string], suffix: 'len' | 'bytes', unit: string): string | undefined {
  const least = Number(rules[`min_${suffix}`] ?? 0)
  const most = Number(rules[`max_${suffix}`] ?? Number.POSITIVE_INFINITY)
  if (length < least) return `expected at least ${least} ${least === 1 ? unit.replace(/s$/, '') : unit}`
  if (length > most) return `expected at most ${most} ${unit}`
  if (rules[suffix] !== undefined && length !== Number(rules[suffix]))
    return `expected exactly ${rules[suffix]} ${unit}`
  return undefined
}
