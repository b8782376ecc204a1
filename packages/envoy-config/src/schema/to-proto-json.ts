import { isDefault } from './is-default.ts'
import type { Value } from './message.ts'
import { messageType } from './schema.ts'

/** The value as proto JSON with proto field names, as Envoy's `/config_dump` shows it. */
export function toProtoJson(value: Value): unknown {
  switch (value.kind) {
    case 'scalar':
      return value.json
    case 'list':
      return value.items.map(toProtoJson)
    case 'dictionary':
      return Object.fromEntries([...value.entries].map(([key, item]) => [key, toProtoJson(item)]))
    case 'message': {
      const types = messageType(value.type)?.fields
      const fields = [...value.fields].flatMap(([name, field]) => {
        const type = types?.get(name)
        return type !== undefined && isDefault(field.value, type) ? [] : [[name, toProtoJson(field.value)] as const]
      })
      const type = value.any ? { '@type': `type.googleapis.com/${value.type}` } : {}
      return { ...type, ...Object.fromEntries(fields) }
    }
  }
}
