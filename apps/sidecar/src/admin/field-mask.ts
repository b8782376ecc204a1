/** A message as JSON, its fields named as in the protos. */
export type Json = { readonly [key: string]: unknown }

/** What of a message the paths of a FieldMask (`cluster.name`) keep; lists are kept whole. `@type` stays everywhere. */
export function applyMask(message: Json, paths: readonly string[]): Json {
  const kept: Record<string, unknown> = '@type' in message ? { '@type': message['@type'] } : {}
  for (const path of paths) {
    const [field = '', ...rest] = path.split('.')
    const value = message[field]
    if (value === undefined) continue
    if (rest.length === 0) kept[field] = value
    else if (isMessage(value)) {
      const inner = applyMask(value, [rest.join('.')])
      kept[field] = isMessage(kept[field]) ? { ...(kept[field] as Json), ...inner } : inner
    }
  }
  return kept
}

/** Nothing within a list can be named. */
export function crossesList(message: Json, path: string): boolean {
  const [field = '', ...rest] = path.split('.')
  const value = message[field]
  if (rest.length === 0) return false
  return Array.isArray(value) || (isMessage(value) && crossesList(value, rest.join('.')))
}

function isMessage(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
