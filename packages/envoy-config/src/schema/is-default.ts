import type { Value } from './message.ts'
import { enumType, type FieldType } from './schema.ts'

/** A scalar without presence that has its default: for Envoy it is not there. Empty lists and maps likewise. */
export function isDefault(value: Value, field: FieldType): boolean {
  if (value.kind === 'list') return value.items.length === 0
  if (value.kind === 'dictionary') return value.entries.size === 0
  if (value.kind !== 'scalar' || field.oneof !== undefined || field.optional) return false
  const enumeration = enumType(field.type)
  if (enumeration !== undefined) return enumeration.values.get(String(value.value)) === 0
  if (field.type.includes('.')) return false
  return (
    value.value === '' ||
    value.value === 0 ||
    value.value === false ||
    (value.value instanceof Uint8Array && value.value.length === 0)
  )
}
