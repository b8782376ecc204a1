import { isDefault } from './is-default.ts'
import { Message, type Value } from './message.ts'
import { messageType } from './schema.ts'

/**
 * `over` merged into `base`, as protobuf's MergeFrom does for `--config-yaml`: scalars are replaced, lists appended, messages
 * merged; setting one member of a oneof clears the others; what is in an Any or a struct is replaced whole.
 */
export function mergeMessages(base: Message, over: Message): Message {
  const type = messageType(base.type)
  const merged = new Message(base.type, base, base.any)
  for (const [name, field] of base.fields) merged.fields.set(name, field)
  for (const name of [...base.broken, ...over.broken]) merged.broken.add(name)
  for (const [name, field] of over.fields) {
    const fieldType = type?.fields.get(name)
    // proto3 does not see a scalar that has its default: `node: { id: "" }` replaces nothing.
    if (fieldType !== undefined && isDefault(field.value, fieldType)) continue
    const oneof = fieldType?.oneof
    if (oneof !== undefined) {
      for (const [other, sibling] of type!.fields)
        if (sibling.oneof === oneof && other !== name) merged.fields.delete(other)
    }
    const before = merged.fields.get(name)
    merged.fields.set(
      name,
      before === undefined ? field : { keyAt: field.keyAt, value: mergeValues(before.value, field.value) },
    )
  }
  return merged
}

function mergeValues(base: Value, over: Value): Value {
  if (base.kind === 'list' && over.kind === 'list') return { ...over, items: [...base.items, ...over.items] }
  if (base.kind === 'dictionary' && over.kind === 'dictionary') {
    return { ...over, entries: new Map([...base.entries, ...over.entries]) }
  }
  if (base.kind === 'message' && over.kind === 'message' && !base.any) return mergeMessages(base, over)
  return over
}
