import type { CustomTag, Route } from '@hopscope/envoy-config'
import { compileFormat } from '../format/compile-format.ts'
import { metadataValue } from '../format/metadata-value.ts'
import type { StreamInfo } from '../stream-info.ts'

/** Name and value of each custom tag that has a value for this request. */
export type CustomTags = (info: StreamInfo) => Map<string, string>

/** The custom tags of a connection manager, and of routes that have some of their own: theirs beat others of the same name. */
export class RouteTags {
  readonly #general: readonly CustomTag[]
  readonly #compiled: CustomTags | undefined
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #ofRoute = new WeakMap<Route, CustomTags | undefined>()

  /** `environment` is the process's. */
  constructor(general: readonly CustomTag[], environment: Readonly<Record<string, string | undefined>>) {
    this.#general = general
    this.#environment = environment
    this.#compiled = compileCustomTags(general, environment)
  }

  /** Undefined: there are none. */
  of(info: StreamInfo): Map<string, string> | undefined {
    const { route } = info
    const own = route?.tracing?.customTags
    if (route === undefined || own === undefined || own.length === 0) return this.#compiled?.(info)
    if (!this.#ofRoute.has(route)) {
      this.#ofRoute.set(route, compileCustomTags([...this.#general, ...own], this.#environment))
    }
    return this.#ofRoute.get(route)?.(info)
  }
}

/** Undefined when there are none. Values that cannot change are taken once. `environment` is the process's. */
export function compileCustomTags(
  tags: readonly CustomTag[],
  environment: Readonly<Record<string, string | undefined>>,
): CustomTags | undefined {
  if (tags.length === 0) return undefined
  const compiled = tags.map(tag => {
    const value = compileValue(tag, environment)
    return { name: wireText(tag.tag), value }
  })
  return info => {
    const values = new Map<string, string>()
    for (const { name, value } of compiled) {
      const text = value(info)
      if (text !== '') values.set(name, text)
    }
    return values
  }
}

const METADATA_OF = {
  request: (info: StreamInfo) => info.dynamicMetadata,
  route: (info: StreamInfo) => info.route?.metadata,
  cluster: (info: StreamInfo) => info.clusterMetadata,
  host: (info: StreamInfo) => info.upstreamMetadata,
} as const

function compileValue(
  tag: CustomTag,
  environment: Readonly<Record<string, string | undefined>>,
): (info: StreamInfo) => string {
  switch (tag.type) {
    case 'literal': {
      const value = wireText(tag.value)
      return () => value
    }
    case 'environment': {
      const value = wireText(environment[tag.name] ?? tag.defaultValue)
      return () => value
    }
    case 'value':
      return compileFormat(tag.value, { absent: '' })
    case 'metadata': {
      const of = METADATA_OF[tag.of]
      const fallback = wireText(tag.defaultValue)
      return info => {
        const value = metadataValue(of(info), tag.path)
        if (value === undefined) return fallback
        return typeof value === 'object' ? value.json : String(value)
      }
    }
    case 'request_header': {
      const name = tag.name.toLowerCase()
      const fallback = wireText(tag.defaultValue)
      return info => info.requestHeaders?.get(name) ?? fallback
    }
  }
}

/** Text of a configuration in the form in which header values are held: UTF-8, one byte a character. */
export function wireText(text: string): string {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return toBytes(text)
  return text
}

function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}
