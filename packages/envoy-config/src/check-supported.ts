import type { Problems } from './problems.ts'
import { isDefault } from './schema/is-default.ts'
import type { Message, Value } from './schema/message.ts'
import { shortName } from './schema/parse-message.ts'
import { enumType, messageType } from './schema/schema.ts'
import { extensionPoints, supported } from './supported/supported.ts'

/** A name and an Any, wherever Envoy wants some extension: which kind, says the field that it stands in. */
const TYPED: ReadonlySet<string> = new Set([
  'envoy.config.core.v3.TypedExtensionConfig',
  'xds.core.v3.TypedExtensionConfig',
])

/**
 * Notes what Envoy knows and Hopscope does not do, by the table in `supported/`. What is unsupported is not looked into.
 * `owner` is the field that the message stands in.
 */
export function checkSupported(message: Message, problems: Problems, owner = ''): void {
  const type = messageType(message.type)
  const table = supported[message.type]
  if (type === undefined || table === undefined) return
  const pointOf = (name: string) => extensionPoints[TYPED.has(message.type) ? owner : `${message.type}.${name}`]
  checkTyped(message, pointOf('typed_config'), problems)
  for (const [name, { value }] of message.fields) {
    const field = type.fields.get(name)!
    const support = table[name]
    if (support === undefined) {
      if (isDefault(value, field)) continue
      problems.add('unsupported', message.place(name), `Envoy knows this field; Hopscope does not support it yet`)
      continue
    }
    if (typeof support !== 'string' && value.kind === 'scalar' && !support.includes(value.value as string)) {
      // An undefined enum number is Envoy's error, and noted already.
      const undefinedNumber = enumType(field.type) !== undefined && typeof value.value === 'number'
      if (!undefinedNumber) {
        const only = support.length === 1 ? `only ${support[0]}` : support.join(', ')
        problems.add('unsupported', value, `Envoy knows ${String(value.value)}; Hopscope supports ${only} so far`)
      }
      continue
    }
    for (const nested of messagesOf(value)) {
      const field = `${message.type}.${name}`
      const point = TYPED.has(nested.type) ? undefined : pointOf(name)
      if (point === undefined || isKnownExtension(nested, point, problems)) checkSupported(nested, problems, field)
    }
  }
}

/** An extension without its configuration: Envoy looks for it by type, never by name. */
function checkTyped(message: Message, point: (typeof extensionPoints)[string] | undefined, problems: Problems): void {
  const oneof = messageType(message.type)?.fields.get('typed_config')?.oneof
  if (point === undefined || point.isOptional || message.broken.has('typed_config')) return
  for (const [name, field] of messageType(message.type)!.fields) if (field.oneof === oneof && message.has(name)) return
  const what = `is required: Envoy finds a ${point.what} by its type, not its name; expected one with "@type": type.googleapis.com/${point.types[0]}`
  problems.add('invalid', message.place('typed_config'), what)
}

function messagesOf(value: Value): Message[] {
  if (value.kind === 'message') return [value]
  if (value.kind === 'list') return value.items.flatMap(messagesOf)
  if (value.kind === 'dictionary') return [...value.entries.values()].flatMap(messagesOf)
  return []
}

function isKnownExtension(config: Message, point: (typeof extensionPoints)[string], problems: Problems): boolean {
  if (point.types.includes(config.type)) return true
  const place = { at: config.at, path: `${config.path}.@type` }
  const ours = point.types.map(shortName).join(', ')
  if (config.type === '') {
    problems.add(
      'invalid',
      { at: config.at, path: config.path },
      `is empty: expected the '@type' of a ${point.what}, such as ${point.types[0]}`,
    )
  } else if (point.packages.some(prefix => config.type.startsWith(prefix)) || config.type.endsWith('.TypedStruct')) {
    problems.add('unsupported', place, `Envoy knows the ${point.what} ${config.type}; Hopscope supports ${ours} so far`)
  } else {
    problems.add('invalid', place, `${config.type} is not a ${point.what}`)
  }
  return false
}
