import type { Case } from './case.ts'
import { bootstrap, type Ports } from './config.ts'

type Fields = Record<string, unknown>

export const BOOTSTRAP = 'envoy.config.bootstrap.v3.Bootstrap'

/** A field that a configuration has: `owner[key]`, at a path of a message. */
export interface Field {
  message: string
  path: string
  owner: Fields
  key: string
}

/**
 * The fields of a configuration, as often as it has them. Lists do not show in a path, and one ends at a message of a type of its own
 * (`@type`), where the paths of that message begin:
 *
 *     { admin: {}, static_resources: { clusters: [{ name: 'a' }, { name: 'b' }] } }
 *     Bootstrap  admin
 *     Bootstrap  static_resources
 *     Bootstrap  static_resources.clusters
 *     Bootstrap  static_resources.clusters.name   twice
 */
export function fieldsOf(config: object): Field[] {
  const fields: Field[] = []
  const visit = (value: unknown, type: string, above: string): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, type, above)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const owner = value as Fields
    const url = owner['@type']
    const [message, before] = typeof url === 'string' ? [url.slice(url.indexOf('/') + 1), ''] : [type, above]
    for (const [key, item] of Object.entries(owner)) {
      if (key === '@type') continue
      fields.push({ message, path: before + key, owner, key })
      visit(item, message, `${before}${key}.`)
    }
  }
  visit(config, BOOTSTRAP, '')
  return fields
}

/** Those that hold a value: no further fields, and no message of its own type. */
export function leavesOf(config: object): Field[] {
  return fieldsOf(config).filter(({ owner, key }) => {
    const value = owner[key]
    return fieldsOf({ value }).length === 1 && !(typeof value === 'object' && value !== null && '@type' in value)
  })
}

export function hasField(config: object, message: string, path: string): boolean {
  return fieldsOf(config).some(field => field.message === message && field.path === path)
}

/** The configuration without a field, or with another value (or what is made of the one there) in every place of it. */
export function changeField<T extends object>(config: T, message: string, path: string, instead?: unknown): T {
  const copy = structuredClone(config)
  for (const field of fieldsOf(copy)) {
    if (field.message !== message || field.path !== path) continue
    const { owner, key } = field
    if (instead === undefined) delete owner[key]
    else owner[key] = typeof instead === 'function' ? instead(owner[key]) : instead
  }
  return copy
}

/** What a case would run with, if it had these ports. */
export function fileOf({ config, upstreams, sockets }: Case): Fields {
  const numbered = (names: string[]) => Object.fromEntries(names.map((name, i) => [name, 1000 + i]))
  const ports: Ports = {
    listener: 1,
    admin: 2,
    dead: 3,
    collector: 4,
    grpcCollector: 5,
    names: 6,
    upstream: numbered(Object.keys(upstreams ?? { app: undefined })),
    sockets: Object.fromEntries(
      ['dead', 'listener', 'abstract', ...Object.keys(sockets ?? {})].map(name => [name, `/${name}.sock`]),
    ),
    eventLog: '/events.log',
    folder: '/folder',
  }
  return bootstrap(typeof config === 'function' ? config(ports) : (config ?? {}), ports, '/access.log')
}
