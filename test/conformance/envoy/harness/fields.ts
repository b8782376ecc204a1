/** A place in a configuration that has a field: `owner[key]`. */
interface Place {
  owner: Record<string, unknown>
  key: string
}

export const BOOTSTRAP = 'envoy.config.bootstrap.v3.Bootstrap'

/**
 * Where a configuration has a field. Lists do not show in a path, and one ends at a message of a type of its own (`@type`), where
 * that message's paths begin:
 *
 *     { admin: {}, static_resources: { clusters: [{ name: 'a' }, { name: 'b' }] } }
 *     Bootstrap  static_resources.clusters.name  two places
 */
export function placesOf(config: object, message: string, path: string): Place[] {
  const places: Place[] = []
  const visit = (value: unknown, type: string, above: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, type, above)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const owner = value as Record<string, unknown>
    const url = owner['@type']
    const [inside, before] = typeof url === 'string' ? [url.slice(url.indexOf('/') + 1), ''] : [type, above]
    for (const [key, item] of Object.entries(owner)) {
      if (inside === message && before + key === path) places.push({ owner, key })
      visit(item, inside, `${before}${key}.`)
    }
  }
  visit(config, BOOTSTRAP, '')
  return places
}

/** The configuration without a field, or with another value in every place of it. */
export function withoutField<T extends object>(config: T, message: string, path: string, instead?: unknown): T {
  const copy = structuredClone(config)
  for (const { owner, key } of placesOf(copy, message, path)) {
    if (instead === undefined) delete owner[key]
    else owner[key] = instead
  }
  return copy
}
