import type { CustomTag } from '@hopscope/envoy-config'
import type { RequestHeaders } from '../http/headers.ts'

/** Name and value of each custom tag that has a value for this request. */
export type CustomTags = (headers: RequestHeaders | undefined) => Map<string, string>

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
  return headers => {
    const values = new Map<string, string>()
    for (const { name, value } of compiled) {
      const text = value(headers)
      if (text !== '') values.set(name, text)
    }
    return values
  }
}

function compileValue(
  tag: CustomTag,
  environment: Readonly<Record<string, string | undefined>>,
): (headers: RequestHeaders | undefined) => string {
  switch (tag.type) {
    case 'literal': {
      const value = wireText(tag.value)
      return () => value
    }
    case 'environment': {
      const value = wireText(environment[tag.name] ?? tag.defaultValue)
      return () => value
    }
    case 'request_header': {
      const name = tag.name.toLowerCase()
      const fallback = wireText(tag.defaultValue)
      return headers => headers?.get(name) ?? fallback
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
